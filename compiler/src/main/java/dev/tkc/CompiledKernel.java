package dev.tkc;

import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.SharedType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.cost.Roofline;
import dev.tkc.passes.place.AllocateShared;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** One specialisation of a kernel as code for one target, and every form it passed through. */
public final class CompiledKernel {
  private final Kernel kernel;
  private final Target target;
  private final Specialisation specialisation;
  private final Module placed;
  private final Backends.Code code;
  private Backends.Binary binary;

  private CompiledKernel(Kernel kernel, Target target, Specialisation specialisation, Module placed,
      Backends.Code code) {
    this.kernel = kernel;
    this.target = target;
    this.specialisation = specialisation;
    this.placed = placed;
    this.code = code;
  }

  static CompiledKernel compile(
      Kernel kernel, Target target, Specialisation specialisation, CompileOptions options, Consumer<String> log) {
    Module placed = place(kernel, target, specialisation, options, log);
    return new CompiledKernel(kernel, target, specialisation, placed, target.backend().compile(
        placed, target.info(), options.lowering(kernel.syntax().span().source().name())));
  }

  /** The pipeline alone: IR as a backend reads it. */
  private static Module place(
      Kernel kernel, Target target, Specialisation specialisation, CompileOptions options, Consumer<String> log) {
    Module module = Cloner.clone(kernel.lower(specialisation));
    PassDriver.run(module,
        new PassContext(java.util.Optional.of(target.info()), options.passes(), log, PassContext.NONE));
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
    return report(Constants.none());
  }

  /** The same, with what it takes at least for these sizes; names among them that are no sizes are ignored. */
  public Report report(Constants sizes) {
    Backends.Binary b = assembled();
    return new Report(b.functions(), sharedBuffers(), bounds(sizes), b.warnings());
  }

  /** What each phase takes at least, if all sizes are given and the target's rates known; assembles nothing. */
  public List<Report.Bound> bounds(Constants sizes) {
    Map<String, Long> known = new HashMap<>();
    sizes.values().forEach((name, v) -> {
      if (v instanceof Long n) {
        known.put(name, n);
      }
    });
    boolean all = known.keySet().containsAll(kernel.sizes());
    if (target.info().rates().isEmpty() || !all) {
      return List.of();
    }
    Module module = Cloner.clone(kernel.lower(specialisation));
    // A grid of one block for each tile is easier to count; peeling has to be over, so that masks inside tensors are
    // gone.
    PassOptions counted = PassOptions.defaults().withDisabled(Set.of("persist-grid")).withStopAfter("clean-interior");
    PassDriver.run(module, PassContext.of(target.info(), counted));
    return Roofline.of(module, known, target.info()).stream().map(CompiledKernel::bound).toList();
  }

  private static Report.Bound bound(Roofline.Bound b) {
    Map<String, Double> parts = new LinkedHashMap<>();
    for (Roofline.Part p : Roofline.Part.values()) {
      parts.put(p.text(), b.micros().get(p));
    }
    return new Report.Bound(b.function(), b.part().text(), b.longest(), parts, b.flops(), b.bytes());
  }

  private List<Report.SharedBuffer> sharedBuffers() {
    List<Report.SharedBuffer> buffers = new ArrayList<>();
    for (Func func : placed.funcs()) {
      func.body().walk(inst -> {
        if (AllocateShared.bytes(inst) > 0) {
          buffers.add(buffer(func, inst));
        }
      });
    }
    return buffers;
  }

  private static Report.SharedBuffer buffer(Func func, Inst inst) {
    String name;
    String type;
    int slots;
    if (inst.op() instanceof AsyncOp.BarrierAlloc barriers) {
      name = barriers.name();
      slots = barriers.slots();
      type = "barrier × " + slots;
    } else {
      SharedOp.SharedAlloc alloc = (SharedOp.SharedAlloc) inst.op();
      name = alloc.name();
      SharedType t = alloc.type();
      slots = t.stages();
      type = t.element().text() + t.shape() + (slots > 1 ? " × " + slots : "");
    }
    return new Report.SharedBuffer(
        func.name(), name, type, slots, inst.annotation("offset", 0), AllocateShared.bytes(inst), inst.loc());
  }

  @Override
  public String toString() {
    return kernel.name() + " for " + target;
  }
}
