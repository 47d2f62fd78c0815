package dev.tkc.passes.stage;

import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Scopes;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.PersistGrid;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Moves single products of a round into the round beside it, where a whole half would not fit the registers
 * ({@link RotateLoops}).
 *
 * <pre>
 *   for i [%k] {                          if any round {
 *     s = a @ x[i].T                        s = a @ x[lo].T
 *     d = f(s)                              for i from the second on [%k, %s, …] {
 *     k += d @ x[i]                  →        d = f(s)
 *     atomic y[i] += a.T @ d                  t = a.T @ d before           one round late: its operand waits in a slot
 *   }                                         s' = a @ x[i].T              one round ahead: needs nothing of this round
 *                                             k += d @ x[i - step]
 *                                             atomic y[…] += t
 *                                           }  …
 *                                         }
 * </pre>
 *
 * <p><em>Late</em>: a product whose result only goes to memory, by atomic additions, and whose operands of this round
 * are handed over through shared memory, so that waiting costs no registers. <em>Ahead</em>: the round's first product,
 * if it follows from the position alone and others of the round wait for it. Both are started right before the round's
 * last product, so that the matrix unit has work while results are reduced, and while the next round's arithmetic
 * begins; {@link Stagger} is the rewriting.
 *
 * <p>Before that, products that the program has behind arithmetic they do not need are moved up beside it.
 *
 * <p>Each value is computed by the same operations as before, and additions to one place of memory stay in their order.
 * Only loops in which some product depends on another of its round, and where the registers suffice
 * ({@link RegisterPressure}).
 */
public final class StaggerLoops {
  /** On the condition that there are rounds, around those that were moved. */
  public static final String STAGGERED = "staggered";

  private final TargetInfo target;

  private StaggerLoops(TargetInfo target) {
    this.target = target;
  }

  public static void run(Func func, PassContext context) {
    if (!Boolean.TRUE.equals(func.annotations().get("asynchronous"))) {
      return;
    }
    StaggerLoops pass = new StaggerLoops(context.target());
    pass.early(func);
    pass.each(func, false);
    pass.each(func, true);
  }

  /** Moves products up beside the arithmetic in front of them ({@link EarlyProducts}), on a copy first. */
  private void early(Func func) {
    for (int n = 0; n < loops(func).size(); n++) {
      Inst loop = loops(func).get(n);
      if (isInRotated(func, loop)) {
        continue;
      }
      for (int k = 0; k < products(loop).size(); k++) {
        Func trial = new Cloner().clone(func);
        Inst copy = loops(trial).get(n);
        if (EarlyProducts.move(body(copy), products(copy).get(k)) && fits(trial)) {
          EarlyProducts.move(body(loop), products(loop).get(k));
        }
      }
    }
  }

  private static Region body(Inst loop) {
    return ((ControlOp.For) loop.op()).body();
  }

  /** The asynchronous products of a round, in order. */
  private List<Inst> products(Inst loop) {
    return body(loop).insts().stream().filter(i -> RotateLoops.isAsynchronous(i, target)).toList();
  }

  /** Staggers every loop that can be, on a copy first. */
  private void each(Func func, boolean ahead) {
    for (int n = loops(func).size() - 1; n >= 0; n--) {
      Func trial = new Cloner().clone(func);
      boolean done = apply(trial, n, ahead);
      if (done && fits(trial)) {
        apply(func, n, ahead);
      }
    }
  }

  /** The loops, from the outside in. */
  private static List<Inst> loops(Func func) {
    List<Inst> loops = new ArrayList<>();
    func.body().walk(i -> {
      if (i.op() instanceof ControlOp.For) {
        loops.add(i);
      }
    });
    return loops;
  }

  private boolean apply(Func func, int index, boolean ahead) {
    Inst inst = loops(func).get(index);
    ControlOp.For loop = (ControlOp.For) inst.op();
    Bounds bounds = new Bounds(func);
    if (loop.reversed() || inst.flag("boundary") || inst.flag("once") || PersistGrid.isDrawn(func, inst)
        || isInRotated(func, inst)
        || bounds.atMost(inst, loop.hi(), loop.lo(), loop.step())) {
      return false;
    }
    Predicate<Inst> asynchronous = i -> RotateLoops.isAsynchronous(i, target);
    ReadOnly readOnly = new ReadOnly(func);
    Optional<Stagger> found = ahead ? Stagger.ahead(inst, readOnly, asynchronous)
        : Stagger.late(inst, readOnly, asynchronous, shared(func));
    found.ifPresent(s -> s.rewrite(bounds));
    return found.isPresent();
  }

  private static boolean isInRotated(Func func, Inst inst) {
    return new Scopes(func).around(inst).anyMatch(i -> i.flag(RotateLoops.ROTATED));
  }

  private SharedOperands shared(Func func) {
    return new RingPlan(func.body(), target).shared();
  }

  private boolean fits(Func func) {
    int warps = (int) func.annotation("warps", 8);
    long threads = (long) target.lanes() * warps;
    RingPlan plan = new RingPlan(func.body(), target);
    RegisterPressure pressure =
        new RegisterPressure(func.body(), threads, i -> RotateLoops.isAsynchronous(i, target), plan::isInMemory);
    return pressure.most(func.body()) <= RoleRegisters.forTiles(target, warps)
        && new RingRoom(func, plan, target).keepsInner();
  }
}
