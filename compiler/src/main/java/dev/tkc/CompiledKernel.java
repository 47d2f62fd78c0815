package dev.tkc;

import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.SharedType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** One specialisation of a kernel as code for one target, and every form it passed through. */
public final class CompiledKernel {
  private final Kernel kernel;
  private final Target target;
  private final Module placed;
  private final Backends.Code code;
  private Backends.Binary binary;

  private CompiledKernel(Kernel kernel, Target target, Module placed, Backends.Code code) {
    this.kernel = kernel;
    this.target = target;
    this.placed = placed;
    this.code = code;
  }

  static CompiledKernel compile(
      Kernel kernel, Target target, Specialisation specialisation, CompileOptions options, Consumer<String> log) {
    Module placed = place(kernel, target, specialisation, options, log);
    return new CompiledKernel(kernel, target, placed, target.backend().compile(placed, target.info(), options));
  }

  /** The pipeline alone: IR as a backend reads it. */
  private static Module place(
      Kernel kernel, Target target, Specialisation specialisation, CompileOptions options, Consumer<String> log) {
    Module module = Cloner.clone(kernel.lower(specialisation));
    PassDriver.run(module, new PassContext(java.util.Optional.of(target.info()), options.passes(), log, PassContext.NONE));
    return module;
  }

  public Kernel kernel() {
    return kernel;
  }

  public Target target() {
    return target;
  }

  /** The IR as the backend got it: its kernel function is the plan of a launch. */
  Module placed() {
    return placed;
  }

  List<OpLowering.KernelShape> shapes() {
    return code.kernels();
  }

  /** The IR after the whole pipeline, as text. */
  public String tir() {
    return IrPrinter.print(placed);
  }

  /** The LLVM IR, before LLVM optimises it. */
  public String llvm() {
    return code.llvm();
  }

  /** The target's assembly: PTX, or AMDGCN text. */
  public String assembly() {
    return code.assembly();
  }

  /** The PTX text of a kernel for an NVIDIA target. */
  public String ptx() {
    if (target.backend() != Backends.PTX) {
      throw new IllegalStateException(target + " has no PTX");
    }
    return code.assembly();
  }

  /** The machine code: a cubin, or an AMD code object. */
  public byte[] binary() {
    return assembled().image().clone();
  }

  private synchronized Backends.Binary assembled() {
    if (binary == null) {
      binary = code.binary().get();
    }
    return binary;
  }

  /** Registers, spills, shared memory and occupancy; assembles if that has not been done. */
  public Report report() {
    Backends.Binary b = assembled();
    return new Report(b.functions(), sharedBuffers(), b.warnings());
  }

  private List<Report.SharedBuffer> sharedBuffers() {
    List<Report.SharedBuffer> buffers = new ArrayList<>();
    for (Func func : placed.funcs()) {
      func.body().walk(inst -> {
        if (inst.op() instanceof SharedOp.SharedAlloc alloc) {
          buffers.add(buffer(func, inst, alloc));
        }
      });
    }
    return buffers;
  }

  private static Report.SharedBuffer buffer(Func func, Inst inst, SharedOp.SharedAlloc alloc) {
    SharedType type = alloc.type();
    long slot = 1;
    for (int d : type.shape()) {
      slot *= d <= 1 ? 1 : 2L * Integer.highestOneBit(d - 1);
    }
    String text = type.element().text() + type.shape() + (type.stages() > 1 ? " × " + type.stages() : "");
    return new Report.SharedBuffer(
        func.name(), alloc.name(), text, inst.annotation("offset", 0), type.element().bytes(slot * type.stages()), inst.loc());
  }

  @Override
  public String toString() {
    return kernel.name() + " for " + target;
  }
}
