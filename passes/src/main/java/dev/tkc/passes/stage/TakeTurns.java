package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.cost.CostModel;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Lets the groups of warps that compute start their products in turn, so that one group's arithmetic runs beside the
 * other's products and they do not fall into step.
 *
 * <pre>
 *   barrier_wait %full …                       barrier_wait %full …
 *   dot_fence                                  turn_take
 *   %s = dot_async …  dot_commit               dot_fence
 *   dot_fence                             →    %s = dot_async …  dot_commit
 *   %o = dot_async …  dot_commit               dot_fence
 *   %t = dot_wait {pending = 1} %s             %o = dot_async …  dot_commit
 *   …                                          turn_pass
 *                                              %t = dot_wait {pending = 1} %s
 * </pre>
 *
 * A turn is a stretch from a fence to the last commit before anything is waited for or released; slots that copies fill
 * may be waited for inside. That cannot stand still: what a group waits for inside its turn is copied once every group
 * has released an earlier slot, and those releases stand before this turn in every group's text.
 *
 * <p>Where loops hardly compute, there is nothing to put beside the products: a role takes turns if arithmetic weighs
 * at least {@link #SHARE} of the products in one of its innermost loops (figures in docs/performance/hopper.md).
 * Where a round starts products at several places, what lies between two of them would have to fit in beside one
 * product of each other group, though there is time beside all: no turns there. Groups that wait for tiles of each
 * other's are left alone: they keep in step by that, and cannot take turns besides. The annotation {@code turns} of the
 * function, true or false, decides otherwise.
 */
public final class TakeTurns {
  /** Warps that run an asynchronous product together. */
  private static final int GROUP = 4;

  /** Barriers that a processor has for turns. */
  private static final int MOST_GROUPS = 4;

  private static final double SHARE = 0.5;

  private TakeTurns() {}

  public static void run(Func func, PassContext context) {
    for (Inst inst : func.body().insts()) {
      if (inst.op() instanceof ControlOp.Role role && role.warps() >= 2 * GROUP && role.warps() <= MOST_GROUPS * GROUP
          && isWanted(func, role.body(), context.target())) {
        turns(role.body());
      }
    }
  }

  private static boolean isWanted(Func func, Region role, TargetInfo target) {
    if (func.annotations().get("turns") instanceof Boolean wanted) {
      return wanted;
    }
    return !role.anyMatch(TakeTurns::isForGroups) && role.anyMatch(
        i -> i.op() instanceof ControlOp.For f && isInnermost(f.body()) && stretches(f.body()).size() == 1
            && weighs(f.body(), target));
  }

  private static boolean isInnermost(Region body) {
    return body.insts().stream().anyMatch(i -> i.op() instanceof AsyncOp.DotAsync)
        && body.insts().stream().allMatch(i -> i.regions().stream().noneMatch(TakeTurns::starts));
  }

  private static boolean starts(Region region) {
    return region.anyMatch(i -> i.op() instanceof AsyncOp.DotAsync);
  }

  private static boolean weighs(Region body, TargetInfo target) {
    return target.rates().isPresent()
        && CostModel.arithmetic(body, target) >= SHARE * CostModel.products(body, target);
  }

  private static void turns(Region region) {
    region.insts().forEach(i -> i.regions().forEach(TakeTurns::turns));
    for (Turn turn : stretches(region)) {
      region.insts()
          .add(region.insts().indexOf(turn.first), new Inst(new AsyncOp.TurnTake(), List.of(), turn.first.loc()));
      region.insts()
          .add(region.insts().indexOf(turn.last) + 1, new Inst(new AsyncOp.TurnPass(), List.of(), turn.last.loc()));
    }
  }

  private record Turn(Inst first, Inst last) {}

  private static List<Turn> stretches(Region region) {
    List<Turn> found = new ArrayList<>();
    Inst first = null;
    Inst last = null;
    for (Inst inst : region.insts()) {
      if (first == null && inst.op() instanceof AsyncOp.DotFence) {
        first = inst;
      } else if (first != null && inst.op() instanceof AsyncOp.DotCommit) {
        last = inst;
      } else if (ends(inst)) {
        if (first != null && last != null) {
          found.add(new Turn(first, last));
        }
        first = null;
        last = null;
      }
    }
    return found;
  }

  private static boolean ends(Inst inst) {
    return inst.op() instanceof ControlOp.Yield || inst.op() instanceof AsyncOp.DotWait
        || inst.op() instanceof AsyncOp.BarrierArrive || isForGroups(inst)
            || inst.anyInside(i -> i.op() instanceof AsyncOp);
  }

  /** Whether the instruction waits for the other groups, which may be waiting for their turn. */
  private static boolean isForGroups(Inst inst) {
    return inst.op() instanceof AsyncOp.BarrierWait w && w.barrier().definition() != null
        && w.barrier().definition().op() instanceof AsyncOp.BarrierAlloc made && made.arrivals() > 1;
  }
}
