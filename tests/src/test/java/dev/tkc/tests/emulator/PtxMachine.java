package dev.tkc.tests.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A device that executes PTX: its memory, and the kernels of one module. */
final class PtxMachine {
  private static final int LANES = 32;

  private final GlobalMemory memory = new GlobalMemory();
  private final Map<String, PtxKernel> kernels;
  private final boolean profiling;
  private final List<TensorBox> maps = new ArrayList<>();

  PtxMachine(String ptx, boolean profiling) {
    this.kernels = PtxParser.parse(ptx, memory);
    this.profiling = profiling;
  }

  GlobalMemory memory() {
    return memory;
  }

  /** The number that stands for a tensor map among a kernel's arguments. */
  long map(TensorBox box) {
    maps.add(box);
    return maps.size() - 1;
  }

  Map<String, PtxKernel> kernels() {
    return kernels;
  }

  /** Runs a kernel in a grid of one dimension. Arguments are the bits of each parameter. */
  void launch(String name, long grid, int threads, int dynamicShared, List<Long> arguments) {
    PtxKernel kernel = kernels.get(name);
    if (kernel == null || kernel.parameters().size() != arguments.size()) {
      throw new PtxFault("no kernel " + name + " with " + arguments.size() + " parameters");
    }
    byte[] parameters = new byte[kernel.parameterBytes() + 8];
    for (int i = 0; i < arguments.size(); i++) {
      PtxKernel.Parameter p = kernel.parameters().get(i);
      SharedMemory.set(parameters, p.offset(), Math.min(8, p.bytes()), arguments.get(i));
    }
    if (grid % kernel.cluster() != 0) {
      throw new PtxFault(grid + " blocks in clusters of " + kernel.cluster());
    }
    List<Slot> slots = new ArrayList<>();
    for (int rank = 0; rank < kernel.cluster(); rank++) {
      Slot slot = new Slot(new SharedMemory(kernel.sharedBytes() + dynamicShared), new ArrayList<>());
      for (int w = 0; w * LANES < threads; w++) {
        slot.files.add(file(kernel, w, threads, grid));
      }
      slots.add(slot);
    }
    for (long id = 0; id < grid; id += kernel.cluster()) {
      Cluster cluster = new Cluster();
      for (Slot slot : slots) {
        slot.shared.clear();
        Block block = new Block(kernel, id + cluster.size(), memory, parameters, slot.shared, profiling, maps, cluster);
        for (int w = 0; w < slot.files.size(); w++) {
          number(kernel, slot.files.get(w), block.id());
          block.add(new Warp(block, w, Math.min(LANES, threads - w * LANES), slot.files.get(w)));
        }
        cluster.add(block);
      }
      cluster.run();
    }
  }

  /** Where one of the blocks that run at the same time has its memory and its warps' registers. */
  private record Slot(SharedMemory shared, List<long[]> files) {}

  /** A warp's registers with what is the same in all blocks. */
  private static long[] file(PtxKernel kernel, int warp, int threads, long grid) {
    long[] file = new long[kernel.slots()];
    Arrays.fill(file, 0x7FFF_DEAD_7FFF_DEADL);
    kernel.constants().forEach((slot, value) -> Arrays.fill(file, slot, slot + LANES, value));
    kernel.specials().forEach((slot, name) -> {
      for (int l = 0; l < LANES; l++) {
        file[slot + l] = special(name, warp, l, threads, grid);
      }
    });
    return file;
  }

  private static void number(PtxKernel kernel, long[] file, long id) {
    kernel.specials().forEach((slot, name) -> {
      if (name.equals("%ctaid.x")) {
        Arrays.fill(file, slot, slot + LANES, id);
      }
    });
  }

  private static long special(String name, int warp, int lane, int threads, long grid) {
    return switch (name) {
      case "%tid.x" -> warp * LANES + lane;
      case "%ntid.x" -> threads;
      case "%nctaid.x" -> grid;
      case "%laneid" -> lane;
      case "%warpid" -> warp;
      case "%tid.y", "%tid.z", "%ctaid.x", "%ctaid.y", "%ctaid.z" -> 0;
      case "%ntid.y", "%ntid.z", "%nctaid.y", "%nctaid.z" -> 1;
      case "%lanemask_lt" -> (1L << lane) - 1;
      case "%lanemask_le" -> (2L << lane) - 1;
      case "%lanemask_eq" -> 1L << lane;
      case "%lanemask_ge" -> 0xFFFFFFFFL & -1L << lane;
      case "%lanemask_gt" -> 0xFFFFFFFFL & -2L << lane;
      default -> throw new PtxFault("the emulator does not know the register " + name);
    };
  }
}
