package dev.tkc.backend.amdgcn;

import dev.tkc.backend.llvm.LlvmTarget;
import dev.tkc.backend.llvm.LlvmToolchain;
import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.ir.Module;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;

/** A placed module to a linked AMD code object, with what each kernel takes of the hardware read back from it. */
public final class AmdgcnCompiler {
  private static final String PIPELINE = "default<O3>";

  private AmdgcnCompiler() {}

  /**
   * Every form that the compilation passed through.
   *
   * @param llvm the module before LLVM's optimiser
   * @param assembly AMDGCN text
   * @param codeObject the {@code .hsaco} file
   * @param shapes the launch facts, in the order of the device functions
   */
  public record Compiled(
      String llvm, String assembly, byte[] codeObject, List<OpLowering.KernelShape> shapes, List<Report> reports) {
    public Compiled {
      shapes = List.copyOf(shapes);
      reports = List.copyOf(reports);
    }

    public Report report(String kernel) {
      return reports.stream().filter(r -> r.kernel().name().equals(kernel)).findFirst()
          .orElseThrow(() -> new IllegalArgumentException("no kernel " + kernel));
    }
  }

  /** What was found in the code object: resources, and how many matrix instructions stand in the text of the kernel. */
  public record Report(CodeObject.Kernel kernel, long matrixInstructions, long instructions) {
    public boolean hasScratch() {
      return kernel.scratchBytes() > 0 || kernel.hasSpills();
    }
  }

  public static Compiled compile(Module placed, TargetInfo target, OpLowering.Options options) {
    OpLowering.Result lowered = OpLowering.lower(placed, new AmdgcnLowering(target), options);
    String text = lowered.module().text();
    LlvmTarget llvm = new LlvmTarget(target.llvm().triple(), target.llvm().cpu(), target.llvm().features());
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(text)) {
      unit.optimise(llvm, PIPELINE);
      byte[] image = AmdgcnLinker.link(unit.object(llvm));
      CodeObject object = CodeObject.read(image);
      List<Report> reports = object.kernels().stream().map(k -> report(object, k, llvm)).toList();
      return new Compiled(text, unit.assembly(llvm), image, lowered.kernels(), reports);
    }
  }

  private static Report report(CodeObject object, CodeObject.Kernel kernel, LlvmTarget target) {
    List<LlvmToolchain.Decoded> code = object.disassemble(kernel.name(), target);
    long matrix = code.stream().filter(d -> d.text().startsWith("v_mfma") || d.text().startsWith("v_wmma")).count();
    return new Report(kernel, matrix, code.size());
  }
}
