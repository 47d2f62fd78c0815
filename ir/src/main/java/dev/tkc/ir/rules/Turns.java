package dev.tkc.ir.rules;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import java.util.Optional;

/**
 * Whether all groups of a role's warps take as many turns as they pass on, whichever way the role's code goes: takes
 * and passes alternate, and a region leaves off as it began. A loop in front of which a turn was taken may pass it on
 * and take the next one in each round.
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
    return alternates(role.body(), false) ? Optional.empty()
        : Optional.of("a turn that is not passed on, or taken twice, on some way through the role");
  }

  /** Whether takes and passes alternate, and it is the group's turn behind the region if it is in front of it. */
  private static boolean alternates(Region region, boolean before) {
    boolean taken = before;
    for (Inst inst : region.insts()) {
      boolean here = taken;
      if (inst.op() instanceof AsyncOp.TurnTake && taken || inst.op() instanceof AsyncOp.TurnPass && !taken
          || !inst.regions().stream().allMatch(r -> alternates(r, here))) {
        return false;
      }
      taken = inst.op() instanceof AsyncOp.TurnTake || taken && !(inst.op() instanceof AsyncOp.TurnPass);
    }
    return taken == before;
  }

  private static boolean hasTurns(Region region) {
    return region.anyMatch(i -> i.op() instanceof AsyncOp.TurnTake || i.op() instanceof AsyncOp.TurnPass);
  }
}
