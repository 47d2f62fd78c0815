package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.tile.PersistGrid;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Has the groups of warps of a role that goes from tile to tile begin one after the other, so that they do not all reach
 * the ends of their tiles at once, where nobody would multiply.
 *
 * <pre>
 *                                        %some = …                                    there is a tile, and it has rounds enough
 *   for %block, %tiles [] {…} {          if %some {
 *     for … {                              barrier_wait %full, %0, %0 #{each = 2, apart = 1}     group n waits for slot n
 *       barrier_wait %full, …       →    }
 *       … dot_async …                    for %block, %tiles [] {…} {
 *     }                                    …
 *     … store …
 *   }
 * </pre>
 *
 * Groups with the same to do, beginning together, end together. The distance that they begin with stays: while one is on its way
 * to the next tile the other has the matrix unit to itself, and is that much earlier done. A slot that is waited for here is filled
 * before any is released, if the first tile has so many rounds; the group waits for it again when its turn comes.
 *
 * <p>For roles whose only products stand in one innermost loop, and which take no turns: those are apart anyway.
 */
public final class SpreadGroups {
  /** Warps that run an asynchronous product together. */
  private static final int GROUP = 4;

  /** Rounds from one group to the next: a round and a half of slots must be left for what is copied meanwhile. */
  private static final long DISTANCE = 1;

  private SpreadGroups() {}

  public static void run(Func func, PassContext context) {
    for (Inst inst : func.body().insts()) {
      if (inst.op() instanceof ControlOp.Role role && role.warps() % GROUP == 0 && role.warps() > GROUP) {
        spread(role);
      }
    }
  }

  private static void spread(ControlOp.Role role) {
    Region body = role.body();
    long groups = role.warps() / GROUP;
    for (Inst tiles : List.copyOf(body.insts())) {
      if (tiles.flag(PersistGrid.TILES) && tiles.op() instanceof ControlOp.For loop && !takesTurns(body)) {
        rounds(loop.body()).ifPresent(rounds -> begin(body, tiles, loop, rounds, groups));
      }
    }
  }

  private static boolean takesTurns(Region role) {
    boolean[] found = {false};
    role.walk(i -> found[0] |= i.op() instanceof AsyncOp.TurnTake);
    return found[0];
  }

  /** The only loop with products, if it is innermost and starts from values that are the same for all tiles. */
  private static Optional<ControlOp.For> rounds(Region tile) {
    List<ControlOp.For> loops = new ArrayList<>();
    int[] products = {0, 0};
    tile.walk(i -> {
      products[0] += i.op() instanceof AsyncOp.DotAsync ? 1 : 0;
      if (i.op() instanceof ControlOp.For f && f.body().insts().stream().anyMatch(d -> d.op() instanceof AsyncOp.DotAsync)) {
        loops.add(f);
        products[1] += (int) f.body().insts().stream().filter(d -> d.op() instanceof AsyncOp.DotAsync).count();
      }
    });
    Set<Value> inside = Regions.defined(tile);
    return loops.size() == 1 && products[0] == products[1] && !inside.contains(loops.getFirst().lo())
        && !inside.contains(loops.getFirst().hi()) && !loops.getFirst().reversed()
            ? Optional.of(loops.getFirst()) : Optional.empty();
  }

  private static void begin(Region body, Inst tiles, ControlOp.For loop, ControlOp.For rounds, long groups) {
    Optional<AsyncOp.BarrierWait> wait = rounds.body().insts().stream()
        .filter(i -> i.op() instanceof AsyncOp.BarrierWait).map(i -> (AsyncOp.BarrierWait) i.op()).findFirst();
    long last = DISTANCE * (groups - 1);
    if (wait.isEmpty() || !(wait.get().barrier().definition().op() instanceof AsyncOp.BarrierAlloc full)
        || full.arrivals() != 1 || full.slots() <= last + 1) {
      return;
    }
    Builder b = new Builder(body, body.insts().indexOf(tiles)).at(tiles.loc());
    Value tile = b.compare(CompareKind.LT, loop.lo(), loop.hi());
    Value enough =
        b.compare(CompareKind.LT, b.add(rounds.lo(), b.constant(last * rounds.step())), rounds.hi());
    b.branch(b.binary(BinaryKind.AND, tile, enough), () -> {
      Value zero = b.constant(0);
      b.append(new AsyncOp.BarrierWait(wait.get().barrier(), zero, zero)).annotate(AsyncOp.EACH, groups)
          .annotate(AsyncOp.APART, DISTANCE);
      b.yield(List.of());
    }, () -> b.yield(List.of()));
  }
}
