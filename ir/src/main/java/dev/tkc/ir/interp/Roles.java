package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.ControlOp;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs the roles of a block side by side: one at a time, changing after every op that others may see, by choices that
 * follow from the seed. Some seeds prefer one role over another by far, so that each gets as far ahead as barriers let
 * it.
 */
final class Roles {
  private static final int[] WEIGHTS = {1, 1, 6, 36};

  private final BlockState block;
  private final List<Walker> walkers = new ArrayList<>();
  private final List<Integer> weights = new ArrayList<>();

  private Roles(Machine machine, List<Inst> roles, Frame frame) {
    this.block = frame.block().state();
    for (Inst inst : roles) {
      ControlOp.Role role = (ControlOp.Role) inst.op();
      Team team = new Team("role " + role.name(), role.warps(), block, block.team.all);
      walkers.add(new Walker(machine, role.body(), frame.ofTeam(team)));
      weights.add(machine.options().seed() == 0 ? 1 : WEIGHTS[block.random.nextInt(WEIGHTS.length)]);
    }
  }

  static void run(Machine machine, List<Inst> roles, Frame frame) {
    new Roles(machine, roles, frame).run();
  }

  private void run() {
    List<Walker> left = new ArrayList<>(walkers);
    while (!left.isEmpty()) {
      List<Walker> ready = left.stream().filter(w -> w.waiting() == null).toList();
      if (ready.isEmpty()) {
        List<Wait> waits = left.stream().map(Walker::waiting).toList();
        if (!block.landFor(waits)) {
          throw deadlock(block, left.stream().map(Walker::team).toList(), waits);
        }
        continue;
      }
      Walker w = choose(ready);
      w.run();
      if (w.isEnded()) {
        block.ended(w.team());
        left.remove(w);
      }
      block.landEarly();
    }
  }

  private Walker choose(List<Walker> ready) {
    if (ready.size() == 1) {
      return ready.getFirst();
    }
    int total = ready.stream().mapToInt(w -> weights.get(walkers.indexOf(w))).sum();
    int at = block.random.nextInt(total);
    for (Walker w : ready) {
      at -= weights.get(walkers.indexOf(w));
      if (at < 0) {
        return w;
      }
    }
    throw new IllegalStateException();
  }

  /** Everyone who is left waits, and no copy can help. */
  static DiagnosticException deadlock(BlockState block, List<Team> teams, List<Wait> waits) {
    waits.forEach(w -> w.slot().checkStarved());
    Fault fault = block.fault(Code.DEADLOCK, waits.size() == 1
        ? teams.getFirst().name + " waits for ever" : "all roles that have not ended wait for each other");
    for (int i = 0; i < waits.size(); i++) {
      Wait w = waits.get(i);
      fault = fault.at(w.inst(), teams.get(i).name + " waits here for phase " + w.phase() + " of " + w.slot().state());
    }
    return fault.exception();
  }
}
