package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.InFlight;
import dev.tkc.passes.analysis.Uses;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds a ring through which a role's results can leave, since nothing is copied or read in it any more: that of the
 * left operand, whose rows are the result's.
 *
 * <pre>
 *   role consumer {
 *     for … { barrier_wait %full …  %x = shared_view %a …  dot_async %x … }  every filled slot is waited for here
 *     %sum = dot_wait … {pending = 0}                                        and read here
 *     store …                                                                from here on slots of %a are free
 *   }
 * </pre>
 *
 * The store stands in the role's body itself, so that there is no other round: a block that goes on to another tile has
 * the next one's copies under way. Only views that products multiply from the left read the ring, all in front of the
 * store, and no product is in flight there. Roles walk the same loops, so what was copied has been waited for. As many
 * slots as the tile has slices are wanted: with fewer, slices would wait for each other.
 */
final class DeadRing {
  private final Func func;
  private final Uses uses;

  DeadRing(Func func) {
    this.func = func;
    this.uses = new Uses(func.body());
  }

  /** The buffer whose slots have this tile's rows and divide its columns; that with the narrowest slots. */
  Optional<Value> of(Region region, Inst store, TileType tile) {
    boolean once = func.body().insts().stream().anyMatch(i -> i.op() instanceof ControlOp.Role r && r.body() == region);
    List<Inst> before = region.insts().subList(0, region.insts().indexOf(store));
    if (!once || tile.rank() != 2 || InFlight.behind(before) > 0) {
      return Optional.empty();
    }
    return func.body().insts().stream()
        .filter(i -> i.op() instanceof SharedOp.SharedAlloc a && fits(a.type(), tile))
        .map(Inst::result).filter(ring -> isOver(ring, region, before))
        .min(Comparator.comparingInt(v -> ((SharedType) v.type()).shape().getLast()));
  }

  private static boolean fits(SharedType slot, TileType tile) {
    return slot.element() == tile.element() && slot.shape().size() == 2
        && slot.shape().getFirst().equals(tile.shape().getFirst())
        && tile.shape().getLast() % slot.shape().getLast() == 0
        && tile.shape().getLast() / slot.shape().getLast() <= slot.stages();
  }

  private boolean isOver(Value ring, Region role, List<Inst> before) {
    Set<Inst> here = all(role.insts());
    Set<Inst> over = all(before);
    List<Inst> users = uses.of(ring);
    return users.stream().anyMatch(u -> u.op() instanceof AsyncOp.SharedView && here.contains(u))
        && users.stream().allMatch(u -> switch (u.op()) {
          case AsyncOp.CopyBulk _ -> !here.contains(u);
          case AsyncOp.SharedView v -> over.contains(u) && v.order().equals(List.of(0, 1))
              && uses.of(u.result()).stream().allMatch(d -> over.contains(d)
                  && d.op() instanceof AsyncOp.DotAsync dot && dot.a() == u.result() && dot.b() != u.result());
          default -> false;
        });
  }

  private static Set<Inst> all(List<Inst> insts) {
    Set<Inst> found = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Inst i : insts) {
      found.add(i);
      i.regions().forEach(r -> r.walk(found::add));
    }
    return found;
  }
}
