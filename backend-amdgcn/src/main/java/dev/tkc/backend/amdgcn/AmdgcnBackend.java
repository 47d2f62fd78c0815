package dev.tkc.backend.amdgcn;

import dev.tkc.backend.llvm.LlvmTarget;
import dev.tkc.backend.llvm.LlvmToolchain;
import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.backend.llvm.lower.OpLowering.KernelShape;
import dev.tkc.ir.Module;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Placed modules to LLVM's optimised form, and that to AMDGCN text or a linked code object with a report. Thread-safe.
 */
public final class AmdgcnBackend {
  private static final String PIPELINE = "default<O3>";

  /**
   * A compiled module.
   *
   * @param llvm the LLVM IR before optimisation
   * @param optimised the LLVM IR that code is generated from
   * @param kernels what launching them takes
   */
  public record Compiled(String llvm, String optimised, TargetInfo target, List<KernelShape> kernels) {
    public Compiled {
      kernels = List.copyOf(kernels);
    }
  }

  /**
   * What one kernel takes of a compute unit, read back from the code object.
   *
   * @param matrixInstructions how many stand in its code
   * @param instructions how many instructions its code has
   * @param blocksPerProcessor how many blocks a compute unit holds at once
   * @param occupancy the share of its threads that they fill
   */
  public record KernelReport(
      KernelShape kernel, CodeObject.Kernel resources, long matrixInstructions, long instructions,
      int blocksPerProcessor, double occupancy) {
    /**
     * Whether some thread-private values live in memory. Scalar registers are spilled to lanes of a vector register,
     * vector registers to accumulation registers while there are any, not there.
     */
    public boolean hasScratch() {
      return resources.scratchBytes() > 0;
    }
  }

  /** The {@code .hsaco} file and the report on each kernel. */
  public record Linked(byte[] codeObject, List<KernelReport> kernels) {
    public Linked {
      kernels = List.copyOf(kernels);
    }
  }

  private AmdgcnBackend() {}

  public static Compiled compile(Module placed, TargetInfo target, OpLowering.Options options) {
    OpLowering.Result lowered = OpLowering.lower(placed, new AmdgcnLowering(target), options);
    String llvm = lowered.module().text();
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(llvm)) {
      unit.optimise(processor(target), PIPELINE);
      return new Compiled(llvm, unit.text(), target, lowered.kernels());
    }
  }

  /** The code as text. */
  public static String assembly(Compiled compiled) {
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(compiled.optimised)) {
      return unit.assembly(processor(compiled.target));
    }
  }

  /** The code as a file that AMD's runtime loads. */
  public static Linked link(Compiled compiled) {
    byte[] image;
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(compiled.optimised)) {
      image = AmdgcnLinker.link(unit.object(processor(compiled.target)));
    }
    CodeObject object = CodeObject.read(image);
    List<KernelReport> reports = new ArrayList<>();
    for (KernelShape shape : compiled.kernels) {
      reports.add(report(shape, object, compiled.target));
    }
    return new Linked(image, reports);
  }

  private static KernelReport report(KernelShape shape, CodeObject object, TargetInfo target) {
    CodeObject.Kernel kernel = object.kernel(shape.name());
    List<LlvmToolchain.Decoded> code = object.disassemble(shape.name(), processor(target));
    long matrix = code.stream().filter(d -> d.text().startsWith("v_mfma")).count();
    int blocks = target.residentBlocks(shape.threads(), kernel.vgprs(), kernel.ldsBytes());
    double occupancy = Math.min(1, (double) blocks * shape.threads() / target.threads().perProcessor());
    return new KernelReport(shape, kernel, matrix, code.size(), blocks, occupancy);
  }

  private static LlvmTarget processor(TargetInfo target) {
    return new LlvmTarget(target.llvm().triple(), target.llvm().cpu(), target.llvm().features());
  }
}
