package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Code that some warps run together: a function's body without its roles, for all warps of the block, or a role's. */
record Team(Region region, int warps) {

  /** The whole block first, then the roles in order. */
  static List<Team> of(Func func) {
    List<Team> teams = new ArrayList<>(List.of(new Team(func.body(), (int) func.annotation("warps", 4))));
    for (Inst inst : func.body().insts()) {
      if (inst.op() instanceof ControlOp.Role role) {
        teams.add(new Team(role.body(), role.warps()));
      }
    }
    return teams;
  }

  /** Throws if a tile comes into a role from outside: other warps hold it. */
  void requireOwnTiles(Func func) {
    if (region != func.body()) {
      for (Value v : Regions.freeValues(region)) {
        if (v.type() instanceof TileType t && t.rank() > 0) {
          throw new IllegalStateException("the tile " + v + " goes into a role of @" + func.name() + " from outside");
        }
      }
    }
  }

  /** Visits the team's instructions, outer before inner, in order. */
  void walk(Consumer<Inst> visit) {
    for (Inst inst : List.copyOf(region.insts())) {
      if (!(inst.op() instanceof ControlOp.Role)) {
        visit.accept(inst);
        inst.regions().forEach(r -> r.walk(visit));
      }
    }
  }
}
