package dev.tkc.passes.tile;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Drops what nobody uses: instructions without lasting effect, and values that a loop carries to no end.
 *
 * <pre>
 *   %0 = load %a, [%r], _ : f32[64]        →   (nothing, if %0 is not used)
 *   %1, %2 = for … [%x, %y] (…) {…}        →   %1 = for … [%x] (…) {…}
 * </pre>
 *
 * A load may go: reading never fails by itself, and an index outside its tensor is the interpreter's finding on the
 * program as written.
 */
public final class EliminateDead {
  private EliminateDead() {}

  public static void run(Module module, PassContext context) {
    module.funcs().forEach(EliminateDead::run);
  }

  static void run(Func func) {
    boolean changed = true;
    while (changed) {
      Uses uses = new Uses(func.body());
      changed = sweep(func.body(), uses);
    }
  }

  private static boolean sweep(Region region, Uses uses) {
    boolean changed = false;
    List<Inst> kept = new ArrayList<>();
    for (Inst inst : region.insts()) {
      if (isDead(inst, uses)) {
        changed = true;
        continue;
      }
      kept.add(inst);
      for (Region r : inst.regions()) {
        changed |= sweep(r, uses);
      }
      if (inst.op() instanceof ControlOp.For loop) {
        changed |= dropCarried(inst, loop, uses);
      }
    }
    if (kept.size() != region.insts().size()) {
      region.insts().clear();
      region.insts().addAll(kept);
    }
    return changed;
  }

  private static boolean isDead(Inst inst, Uses uses) {
    if (inst.op() instanceof ControlOp.Yield || inst.op() instanceof ControlOp.Parallel) {
      return false;
    }
    if (inst.op() instanceof SharedOp.SharedAlloc || inst.op() instanceof MemoryOp.Temp) {
      return inst.results().stream().noneMatch(uses::isUsed);
    }
    Set<Effects> effects = Effects.of(inst);
    effects.remove(Effects.READS_GLOBAL);
    effects.remove(Effects.READS_SHARED);
    return effects.isEmpty() && inst.results().stream().noneMatch(uses::isUsed);
  }

  /** Carried values that no one but the loop's own circle of them needs: the result and the parameter are unused. */
  private static boolean dropCarried(Inst inst, ControlOp.For loop, Uses uses) {
    ControlOp.Yield yield = (ControlOp.Yield) loop.body().terminator().op();
    List<Boolean> keep = new ArrayList<>();
    for (int i = 0; i < loop.inits().size(); i++) {
      Value param = loop.body().params().get(i + 1);
      boolean passedOnOnly = !uses.isUsed(param)
          || yield.values().get(i) == param && uses.of(param).equals(List.of(loop.body().terminator()))
          && yield.values().indexOf(param) == yield.values().lastIndexOf(param);
      keep.add(uses.isUsed(inst.results().get(i)) || !passedOnOnly);
    }
    if (!keep.contains(false)) {
      return false;
    }
    retain(inst, loop, yield, keep);
    return true;
  }

  private static void retain(Inst inst, ControlOp.For loop, ControlOp.Yield yield, List<Boolean> keep) {
    List<Value> inits = new ArrayList<>();
    List<Value> yielded = new ArrayList<>();
    List<Value> params = new ArrayList<>(List.of(loop.body().params().getFirst()));
    for (int i = 0; i < keep.size(); i++) {
      if (keep.get(i)) {
        inits.add(loop.inits().get(i));
        yielded.add(yield.values().get(i));
        params.add(loop.body().params().get(i + 1));
      }
    }
    loop.body().params().clear();
    loop.body().params().addAll(params);
    loop.body().terminator().setOp(new ControlOp.Yield(yielded));
    inst.retainResults(keep);
    inst.setOp(new ControlOp.For(loop.lo(), loop.hi(), loop.step(), inits, loop.reversed(), loop.body()));
  }
}
