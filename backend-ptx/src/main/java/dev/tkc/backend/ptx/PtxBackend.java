package dev.tkc.backend.ptx;

import dev.tkc.backend.llvm.LlvmTarget;
import dev.tkc.backend.llvm.LlvmToolchain;
import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.backend.llvm.lower.OpLowering.KernelShape;
import dev.tkc.ir.Module;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Placed modules to PTX, and PTX to machine code with a report. Thread-safe. */
public final class PtxBackend {
  private static final String PIPELINE = "default<O3>";
  private static final int OLDEST_PTX = 80;

  /**
   * What the caller may choose.
   *
   * @param lowering assertions and line tables
   * @param newestPtx the newest PTX version that what reads the result understands; newer instructions are used up to
   *     it
   */
  public record Options(OpLowering.Options lowering, int newestPtx) {
    /** PTX that the built-in assembler and every driver of CUDA 12 read. */
    public static final Options DEFAULT = new Options(OpLowering.Options.DEFAULT, OLDEST_PTX);

    /** PTX that the drivers of processors that split registers among warps read, and their toolkits. */
    public static final int RECENT_PTX = PtxLowering.VECTOR_ATOMICS_PTX;
  }

  /**
   * A compiled module.
   *
   * @param ptx the text, one entry for each kernel
   * @param llvm the LLVM IR it was made from, before optimisation
   * @param ptxVersion the version it is written in, 80 for 8.0
   * @param kernels what launching them takes
   */
  public record Compiled(String ptx, String llvm, int ptxVersion, TargetInfo target, List<KernelShape> kernels) {
    public Compiled {
      kernels = List.copyOf(kernels);
    }
  }

  /**
   * What one kernel takes of a multiprocessor.
   *
   * @param blocksPerProcessor how many blocks a multiprocessor holds at once
   * @param occupancy the share of its threads that they fill
   */
  public record KernelReport(
      KernelShape kernel, PtxResources resources, int blocksPerProcessor, double occupancy) {}

  /** Machine code and the report on each kernel. */
  public record Assembled(byte[] cubin, List<KernelReport> kernels, List<String> warnings) {
    public Assembled {
      kernels = List.copyOf(kernels);
      warnings = List.copyOf(warnings);
    }
  }

  private PtxBackend() {}

  public static Compiled compile(Module placed, TargetInfo target, Options options) {
    int ptx = Math.max(version(target), wanted(placed, options.newestPtx));
    PtxLowering lowering = new PtxLowering(target, ptx);
    OpLowering.Result lowered = OpLowering.lower(placed, lowering, options.lowering);
    String llvm = lowered.module().text();
    LlvmTarget processor = new LlvmTarget(target.llvm().triple(), target.llvm().cpu(), "+ptx" + ptx);
    String text = LlvmToolchain.instance().compileToAssembly(llvm, processor, PIPELINE);
    return new Compiled(text, llvm, ptx, target, lowered.kernels());
  }

  /** The version that the target's row asks for. */
  private static int version(TargetInfo target) {
    String features = target.llvm().features();
    return features.startsWith("+ptx") ? Integer.parseInt(features.substring(4)) : OLDEST_PTX;
  }

  /** The version that would serve the module best, of those up to the newest. */
  private static int wanted(Module module, int most) {
    int[] newest = {OLDEST_PTX};
    module.funcs().forEach(f -> f.body().walk(inst -> {
      if (inst.op() instanceof MatrixOp.Dot && inst.annotations().get("instruction") instanceof String name) {
        newest[0] = raised(newest[0], PtxMatrix.newestPtx(name), most);
      }
      if (inst.op() instanceof MemoryOp.Atomic && inst.annotation("vector", 1) > 1) {
        newest[0] = raised(newest[0], PtxLowering.VECTOR_ATOMICS_PTX, most);
      }
    }));
    return newest[0];
  }

  private static int raised(int version, int wanted, int most) {
    return wanted <= most ? Math.max(version, wanted) : version;
  }

  /** Assembles with the best assembler at hand. */
  public static Assembled assemble(Compiled compiled) {
    PtxAssembler assembler = PtxAssembler.forPtx(compiled.ptxVersion);
    PtxAssembler.Cubin cubin = assembler.assemble(
        compiled.ptx, new PtxAssembler.Options(compiled.target.llvm().cpu(), OptionalInt.empty(), false));
    List<KernelReport> reports = new ArrayList<>();
    for (KernelShape shape : compiled.kernels) {
      reports.add(report(shape, cubin.kernel(shape.name()), compiled.target));
    }
    return new Assembled(cubin.image(), reports, cubin.warnings());
  }

  private static KernelReport report(KernelShape shape, PtxResources resources, TargetInfo target) {
    long shared = shape.sharedBytes() + resources.sharedBytes();
    int blocks = target.residentBlocks(shape.threads(), resources.registers(), shared);
    double occupancy = Math.min(1, (double) blocks * shape.threads() / target.threads().perProcessor());
    return new KernelReport(shape, resources, blocks, occupancy);
  }
}
