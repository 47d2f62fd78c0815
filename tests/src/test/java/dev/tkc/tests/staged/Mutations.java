package dev.tkc.tests.staged;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrPrinter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/** Every way to remove or weaken one wait, arrival, expectation, fence or barrier of a module's device functions. */
final class Mutations {
  /** A changed copy of a module. {@code what} names the change and the line of the original. */
  record Mutation(String what, Module module) {}

  /** What is done to one instruction of a region. */
  private record Change(String name, BiConsumer<Region, Inst> apply) {}

  private Mutations() {}

  /**
   * The mutations of all instructions that a run comes to and whose text is {@code meant}; {@code passes} says whether
   * a run of a module ends well.
   */
  static List<Mutation> of(Module original, Predicate<Module> passes, Predicate<String> meant) {
    List<Mutation> out = new ArrayList<>();
    List<Inst> all = instructions(original);
    for (int at = 0; at < all.size(); at++) {
      Inst inst = all.get(at);
      List<Change> changes = changes(inst);
      if (changes.isEmpty() || !meant.test(IrPrinter.line(original, inst).text())
          || passes.test(trapped(original, at))) {
        continue;
      }
      String once = runsOnce(original, inst) ? " of a loop of one round" : "";
      for (Change change : changes) {
        Module copy = Cloner.clone(original);
        Inst copied = instructions(copy).get(at);
        change.apply.accept(regionOf(copy, copied), copied);
        if (Verifier.verify(copy).isEmpty()) {
          IrPrinter.Line line = IrPrinter.line(original, inst);
          out.add(new Mutation(change.name + " in line " + line.number() + once + ": " + line.text(), copy));
        }
      }
    }
    return out;
  }

  /** A copy that stops where it comes to an instruction. */
  private static Module trapped(Module original, int at) {
    Module copy = Cloner.clone(original);
    Inst inst = instructions(copy).get(at);
    Region region = regionOf(copy, inst);
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value no = b.emit(new ElementwiseOp.Constant(Literal.of(false)));
    b.append(new ControlOp.Assert(no, "come to"));
    return copy;
  }

  private static List<Inst> instructions(Module module) {
    List<Inst> out = new ArrayList<>();
    module.funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE).forEach(f -> f.body().walk(out::add));
    return out;
  }

  private static boolean runsOnce(Module module, Inst inst) {
    boolean[] found = new boolean[1];
    instructions(module).stream().filter(i -> i.flag("once"))
        .forEach(loop -> loop.regions().forEach(r -> r.walk(i -> found[0] |= i == inst)));
    return found[0];
  }

  private static Region regionOf(Module module, Inst inst) {
    Region[] found = new Region[1];
    for (Func f : module.funcs()) {
      found[0] = f.body().insts().contains(inst) ? f.body() : found[0];
      f.body().walk(i -> i.regions().forEach(r -> found[0] = r.insts().contains(inst) ? r : found[0]));
    }
    return found[0];
  }

  private static List<Change> changes(Inst inst) {
    List<Change> out = new ArrayList<>();
    switch (inst.op()) {
      case AsyncOp.BarrierAlloc o -> {
        if (o.arrivals() > 1) {
          out.add(set("fewer arrivals", new AsyncOp.BarrierAlloc(o.slots(), o.arrivals() - 1, o.name())));
        }
        out.add(set("more arrivals", new AsyncOp.BarrierAlloc(o.slots(), o.arrivals() + 1, o.name())));
      }
      case AsyncOp.BarrierExpect o -> {
        out.add(removal());
        out.add(set("fewer bytes", new AsyncOp.BarrierExpect(o.barrier(), o.slot(), o.bytes() / 2)));
        out.add(set("no bytes", new AsyncOp.BarrierExpect(o.barrier(), o.slot(), 0)));
        out.add(set("more bytes", new AsyncOp.BarrierExpect(o.barrier(), o.slot(), o.bytes() * 2)));
      }
      case AsyncOp.BarrierArrive o -> {
        out.add(removal());
        out.add(new Change("before the waits", Mutations::early));
        if (o.condition().isPresent()) {
          out.add(set("no condition", new AsyncOp.BarrierArrive(o.barrier(), o.slot(), Optional.empty())));
        }
      }
      case AsyncOp.BarrierWait _ -> {
        out.add(removal());
        out.add(new Change("other parity", Mutations::flip));
      }
      case AsyncOp.StoreWait o -> {
        out.add(removal());
        out.add(set("one more pending", new AsyncOp.StoreWait(o.pending() + 1, o.read())));
      }
      case AsyncOp.DotWait o -> {
        out.add(removal());
        out.add(set("one more pending", new AsyncOp.DotWait(o.pending() + 1, o.values())));
      }
      case SharedOp.CopyWait o -> {
        out.add(removal());
        out.add(set("one more pending", new SharedOp.CopyWait(o.pending() + 1)));
      }
      case AsyncOp.NumberPost _, AsyncOp.StoreCommit _, AsyncOp.DotCommit _, AsyncOp.DotFence _, AsyncOp.ProxyFence _,
          SharedOp.Barrier _, SharedOp.CopyCommit _ -> out.add(removal());
      case Op _ -> { }
    }
    return out;
  }

  private static Change set(String name, Op op) {
    // The operands are the original's, so they are renamed by place.
    return new Change(name, (_, inst) -> {
      Map<Value, Value> operands = new HashMap<>();
      List<Value> theirs = dev.tkc.ir.op.OpShape.operands(op);
      for (int i = 0; i < theirs.size(); i++) {
        operands.put(theirs.get(i), inst.operands().get(i));
      }
      inst.setOp(op);
      inst.mapOperands(operands);
    });
  }

  private static Change removal() {
    return new Change("removed", (region, inst) -> {
      Map<Value, Value> uses = new HashMap<>();
      for (int i = 0; i < inst.results().size(); i++) {
        uses.put(inst.results().get(i), inst.operands().get(i));
      }
      region.replaceUses(uses);
      region.insts().remove(inst);
    });
  }

  /** An arrival before the nearest wait for products that stands in front of it. */
  private static void early(Region region, Inst arrival) {
    int at = region.insts().indexOf(arrival);
    for (int i = at - 1; i >= 0; i--) {
      if (region.insts().get(i).op() instanceof AsyncOp.DotWait
          || region.insts().get(i).op() instanceof AsyncOp.BarrierWait) {
        region.insts().remove(at);
        region.insts().add(i, arrival);
        return;
      }
    }
    region.insts().remove(at);
  }

  private static void flip(Region region, Inst inst) {
    AsyncOp.BarrierWait wait = (AsyncOp.BarrierWait) inst.op();
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value one = b.constant(Literal.of(wait.parity().tile().element(), 1L));
    Value other = b.emit(new ElementwiseOp.Binary(ElementwiseOp.BinaryKind.SUB, one, wait.parity()));
    inst.setOp(new AsyncOp.BarrierWait(wait.barrier(), wait.slot(), other));
  }
}
