package dev.tkc.ir.rules;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import java.util.Optional;

/**
 * Whether all groups of a role's warps take as many turns as they pass on, whichever way the role's code goes: takes
 * and passes alternate in every region by itself.
 */
final class Turns {
  private static final int GROUP = 4;

  private Turns() {}

  /** What is wrong with a role's turns. */
  static Optional<String> obstacle(ControlOp.Role role) {
    if (!hasTurns(role.body())) {
      return Optional.empty();
    }
    if (role.warps() % GROUP != 0 || role.warps() < 2 * GROUP) {
      return Optional.of("turns in a role of " + role.warps() + " warps, which are no two groups of four");
    }
    return alternates(role.body()) ? Optional.empty()
        : Optional.of("a turn that is not passed on in the region where it was taken");
  }

  private static boolean alternates(Region region) {
    boolean taken = false;
    for (Inst inst : region.insts()) {
      boolean nested = inst.regions().stream().anyMatch(Turns::hasTurns);
      if (inst.op() instanceof AsyncOp.TurnTake && taken || inst.op() instanceof AsyncOp.TurnPass && !taken || nested
          && taken
          || !inst.regions().stream().allMatch(Turns::alternates)) {
        return false;
      }
      taken = inst.op() instanceof AsyncOp.TurnTake || taken && !(inst.op() instanceof AsyncOp.TurnPass);
    }
    return !taken;
  }

  private static boolean hasTurns(Region region) {
    return region.anyMatch(i -> i.op() instanceof AsyncOp.TurnTake || i.op() instanceof AsyncOp.TurnPass);
  }
}
