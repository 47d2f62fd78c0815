package dev.tkc.tests.ptx;

import dev.tkc.tests.ptx.PtxProgram.Instruction;
import dev.tkc.tests.ptx.PtxProgram.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs PTX on the host, so that what the compiler writes is checked where there is no GPU. It knows the instructions that the
 * compiler emits, and refuses others.
 *
 * <p>Blocks run one after another; a block's warps take turns at barriers; the lanes of a warp go together wherever they stand
 * at one instruction, the hindmost first, so that they meet again after branches. Instructions of a whole warp demand all its
 * lanes. What an asynchronous copy brings lands at the wait that forces it, no sooner. Shared memory starts as NaN patterns.
 * Global memory is the process's own: addresses are native ones.
 */
final class PtxMachine {
  static final int LANES = 32;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  /** One thread. */
  static final class Lane {
    final long[] registers;
    final int thread;
    final Block block;
    int pc;
    boolean done;
    boolean waiting;
    final List<Runnable> open = new ArrayList<>();
    final Deque<List<Runnable>> groups = new ArrayDeque<>();

    Lane(int registers, int thread, Block block) {
      this.registers = new long[registers];
      this.thread = thread;
      this.block = block;
    }

    void commit() {
      groups.addLast(List.copyOf(open));
      open.clear();
    }

    void await(int pending) {
      while (groups.size() > pending) {
        groups.removeFirst().forEach(Runnable::run);
      }
    }
  }

  /** What the threads of a block share. */
  static final class Block {
    final byte[] shared;
    final int number;
    final int count;
    final int threads;
    final byte[] parameters;

    Block(byte[] shared, int number, int count, int threads, byte[] parameters) {
      this.shared = shared;
      this.number = number;
      this.count = count;
      this.threads = threads;
      this.parameters = parameters;
    }
  }

  private final PtxProgram program;
  private final Arena arena = Arena.ofAuto();
  private final Map<String, Long> addresses = new HashMap<>();
  private final Map<String, Ready> ready = new HashMap<>();

  /** A kernel with its instructions made executable. */
  private record Ready(Kernel kernel, PtxStep[] steps, Map<String, Integer> offsets) {}

  PtxMachine(String ptx) {
    program = PtxProgram.parse(ptx);
    program.globals().forEach((name, bytes) -> addresses.put(name, arena.allocate(bytes.length, 16).address()));
  }

  /** Runs a kernel; each argument is the little-endian value of a parameter, in its own width. */
  void launch(String name, int grid, int threads, long sharedBytes, List<Long> arguments) {
    Ready r = ready.computeIfAbsent(name, this::prepare);
    byte[] parameters = new byte[8 * arguments.size()];
    for (int i = 0; i < arguments.size(); i++) {
      for (int b = 0; b < 8; b++) {
        parameters[8 * i + b] = (byte) (arguments.get(i) >>> 8 * b);
      }
    }
    for (int b = 0; b < grid; b++) {
      byte[] shared = new byte[(int) sharedBytes];
      Arrays.fill(shared, (byte) 0xFF);
      run(r, new Block(shared, b, grid, threads, parameters));
    }
    // Only addresses of the constants are used above; their memory must outlive the run.
    Reference.reachabilityFence(arena);
  }

  private Ready prepare(String name) {
    Kernel k = program.kernels().get(name);
    Map<String, Integer> offsets = new HashMap<>();
    int i = 0;
    for (String p : k.parameters().keySet()) {
      offsets.put(p, 8 * i++);
    }
    PtxStep[] steps = new PtxStep[k.code().size()];
    PtxDecoder decoder = new PtxDecoder(k, offsets, addresses);
    for (int at = 0; at < steps.length; at++) {
      Instruction instruction = k.code().get(at);
      try {
        steps[at] = decoder.decode(instruction);
      } catch (RuntimeException e) {
        throw new IllegalStateException("cannot run: " + instruction.text(), e);
      }
    }
    return new Ready(k, steps, offsets);
  }

  private static void run(Ready r, Block block) {
    Lane[] lanes = new Lane[block.threads];
    for (int t = 0; t < lanes.length; t++) {
      lanes[t] = new Lane(r.kernel.registers(), t, block);
    }
    while (true) {
      for (int w = 0; w < lanes.length; w += LANES) {
        advance(r, Arrays.copyOfRange(lanes, w, w + LANES));
      }
      boolean finished = true;
      for (Lane lane : lanes) {
        finished &= lane.done;
      }
      if (finished) {
        return;
      }
      for (Lane lane : lanes) {
        if (lane.done) {
          throw new IllegalStateException("a thread ended while others wait at a barrier");
        }
        lane.waiting = false;
      }
    }
  }

  /** Runs a warp until all its lanes wait or have ended. */
  private static void advance(Ready r, Lane[] warp) {
    Lane[] together = new Lane[LANES];
    while (true) {
      int pc = Integer.MAX_VALUE;
      for (Lane lane : warp) {
        if (!lane.done && !lane.waiting) {
          pc = Math.min(pc, lane.pc);
        }
      }
      if (pc == Integer.MAX_VALUE) {
        return;
      }
      int count = 0;
      for (Lane lane : warp) {
        if (!lane.done && !lane.waiting && lane.pc == pc) {
          together[count++] = lane;
          lane.pc++;
        }
      }
      try {
        r.steps[pc].run(together, count);
      } catch (RuntimeException e) {
        throw new IllegalStateException("at: " + r.kernel.code().get(pc).text() + " in thread " + together[0].thread
            + " of block " + together[0].block.number, e);
      }
    }
  }

  // Memory.

  @SuppressWarnings("restricted")
  private static final MemorySegment ALL = MemorySegment.ofAddress(0).reinterpret(Long.MAX_VALUE);

  static long readGlobal(long address, int bytes) {
    if (address % bytes != 0) {
      throw new IllegalStateException("misaligned access of " + bytes + " bytes at " + Long.toHexString(address));
    }
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (ALL.get(BYTE, address + i) & 0xFFL) << 8 * i;
    }
    return value;
  }

  static void writeGlobal(long address, int bytes, long value) {
    if (address % bytes != 0) {
      throw new IllegalStateException("misaligned access of " + bytes + " bytes at " + Long.toHexString(address));
    }
    for (int i = 0; i < bytes; i++) {
      ALL.set(BYTE, address + i, (byte) (value >>> 8 * i));
    }
  }

  static long read(byte[] memory, long address, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (memory[(int) address + i] & 0xFFL) << 8 * i;
    }
    return value;
  }

  static void write(byte[] memory, long address, int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      memory[(int) address + i] = (byte) (value >>> 8 * i);
    }
  }
}
