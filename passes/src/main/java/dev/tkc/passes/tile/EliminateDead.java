package dev.tkc.passes.tile;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.PassContext;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Drops what nothing needs: instructions whose results are unused and that have no effect, loops and branches without
 * either, and single carried values or results of those that stay.
 *
 * <pre>
 *   %0, %1 = for %lo, %hi, [%a, %b] {step = 1} (%i: i64, %x: f32, %y: f32) {
 *     %2 = add %x, %x : f32                            // only %1 is used below
 *     yield [%2, %y]                            →      %1 = for %lo, %hi, [%b] {step = 1} (%i: i64, %y: f32) {
 *   } : f32, f32                                         yield [%y]
 * </pre>
 *
 * Liveness is found from the effects backward, so values that only feed each other around a loop are dead. A kernel
 * keeps its tensors: the interpreter and the runtime know arguments by them. Loads have no effect here.
 */
public final class EliminateDead {
  private final Set<Value> live = new HashSet<>();
  private final Set<Inst> kept = new HashSet<>();
  private final Deque<Value> work = new ArrayDeque<>();
  private final Map<Value, Inst> binder = new HashMap<>();
  private final Map<Inst, Inst> around = new HashMap<>();

  private EliminateDead() {}

  public static void run(Func func, PassContext cx) {
    new EliminateDead().all(func);
  }

  private void all(Func func) {
    index(func.body(), null);
    func.body().walk(i -> {
      if (hasEffect(i) || func.kind() == Func.Kind.KERNEL && i.op() instanceof MemoryOp.MakeTensor) {
        keep(i);
      }
    });
    while (!work.isEmpty()) {
      reach(work.pop());
    }
    sweep(func.body());
  }

  private void index(Region region, Inst owner) {
    region.params().forEach(p -> binder.put(p, owner));
    for (Inst i : region.insts()) {
      if (owner != null) {
        around.put(i, owner);
      }
      i.regions().forEach(r -> index(r, i));
    }
  }

  private static boolean hasEffect(Inst inst) {
    Set<Effects> e = Effects.of(inst.op());
    return !(inst.op() instanceof ControlOp.Yield)
        && (e.contains(Effects.WRITES_GLOBAL) || e.contains(Effects.WRITES_SHARED) || e.contains(Effects.SYNCHRONISES));
  }

  /** An instruction that stays needs its operands, but a loop or branch needs a carried value only if that is live. */
  private void keep(Inst inst) {
    if (!kept.add(inst)) {
      return;
    }
    switch (inst.op()) {
      case ControlOp.For f -> {
        use(f.lo());
        use(f.hi());
      }
      case ControlOp.If i -> use(i.condition());
      case ControlOp.Yield _ -> { }
      default -> inst.operands().forEach(this::use);
    }
    for (Region r : inst.regions()) {
      kept.add(r.terminator());
      // Regions of reductions yield tuples of fixed size; what a while yields decides on its rounds.
      if (!(inst.op() instanceof ControlOp) || inst.op() instanceof ControlOp.While) {
        r.terminator().operands().forEach(this::use);
      }
    }
    Inst owner = around.get(inst);
    if (owner != null) {
      keep(owner);
    }
  }

  private void use(Value v) {
    if (live.add(v)) {
      work.push(v);
    }
  }

  private void reach(Value v) {
    Inst def = v.definition() != null ? v.definition() : binder.get(v);
    if (def == null) {
      return;
    }
    keep(def);
    switch (def.op()) {
      case ControlOp.For f -> {
        int n = v.definition() != null ? def.results().indexOf(v) : f.body().params().indexOf(v) - 1;
        if (n >= 0) {
          use(f.inits().get(n));
          use(f.body().terminator().operands().get(n));
          use(f.body().params().get(n + 1));
          live.add(def.results().get(n));
        }
      }
      case ControlOp.If i -> {
        int n = def.results().indexOf(v);
        use(i.then().terminator().operands().get(n));
        use(i.otherwise().terminator().operands().get(n));
      }
      default -> { }
    }
  }

  private void sweep(Region region) {
    region.insts().removeIf(i -> !kept.contains(i) && !(i.op() instanceof ControlOp.Yield));
    for (Inst inst : region.insts()) {
      switch (inst.op()) {
        case ControlOp.For f -> narrow(inst, f);
        case ControlOp.If i -> narrow(inst, i);
        default -> { }
      }
      inst.regions().forEach(this::sweep);
    }
  }

  private void narrow(Inst inst, ControlOp.For f) {
    List<Boolean> keep = inst.results().stream().map(live::contains).toList();
    if (!keep.contains(false)) {
      return;
    }
    Region body = f.body();
    List<Value> params = new ArrayList<>(List.of(body.params().get(0)));
    params.addAll(chosen(body.params().subList(1, body.params().size()), keep));
    body.params().clear();
    body.params().addAll(params);
    yieldOnly(body, keep);
    inst.setOp(new ControlOp.For(f.lo(), f.hi(), f.step(), chosen(f.inits(), keep), f.reversed(), body));
    inst.retainResults(keep);
  }

  private void narrow(Inst inst, ControlOp.If i) {
    List<Boolean> keep = inst.results().stream().map(live::contains).toList();
    if (keep.contains(false)) {
      yieldOnly(i.then(), keep);
      yieldOnly(i.otherwise(), keep);
      inst.retainResults(keep);
    }
  }

  private static void yieldOnly(Region region, List<Boolean> keep) {
    Inst last = region.terminator();
    if (!(last.op() instanceof ControlOp.Yield y)) {
      throw new IllegalStateException("a region ends in " + OpShape.mnemonic(last.op()));
    }
    last.setOp(new ControlOp.Yield(chosen(y.values(), keep)));
  }

  private static List<Value> chosen(List<Value> all, List<Boolean> keep) {
    List<Value> some = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      if (keep.get(i)) {
        some.add(all.get(i));
      }
    }
    return some;
  }
}
