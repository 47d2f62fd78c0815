package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses a matrix instruction for each dot that one fits, and how many warps a block has.
 *
 * <pre>
 *   %d = dot %x, %y, %s {…}   →   %d = dot %x, %y, %s {…} #{instruction = "…"}      (and {warps = 4} on the function)
 * </pre>
 *
 * The first instruction of the target's table that computes the product and is no larger than the tiles is taken. A dot
 * without one is done by multiply-adds. Warps are what the schedule says, else enough that accumulators leave half of
 * the registers free, or, without dots, that each thread has about {@link #ELEMENTS} elements of the largest tile.
 */
public final class ChooseInstructions {
  /** Elements of a tile per thread: several vectors in flight, and few enough for full occupancy. */
  private static final int ELEMENTS = 16;

  /** Accumulator registers per thread to aim at. */
  private static final int ACCUMULATORS = 128;

  private ChooseInstructions() {}

  public static void run(Func func, PassContext context) {
    TargetInfo target = context.target();
    List<Inst> dots = new ArrayList<>();
    func.body().walk(i -> DotLayouts.dot(i).ifPresent(_ -> dots.add(i)));
    for (Inst inst : dots) {
      MatrixOp.Dot dot = (MatrixOp.Dot) inst.op();
      target.instructionsFor(dot.a().tile().element(), dot.b().tile().element(), dot.acc().tile().element(),
              dot.precision()).stream()
          .filter(i -> DotLayouts.fits(inst, i.fragments())).findFirst()
          .ifPresent(i -> inst.annotate("instruction", i.name()));
    }
    long warps = func.annotation("warps", dots.isEmpty() ? forTiles(func, target) : forDots(func, dots, target));
    func.annotations().put("warps", warps);
    func.annotations().put("lanes", (long) target.lanes());
  }

  private static long forTiles(Func func, TargetInfo target) {
    long[] largest = {1};
    func.body().walk(i -> i.results().forEach(r -> {
      if (r.type() instanceof TileType t) {
        largest[0] = Math.max(largest[0], LinearLayout.cover(t.shape()).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b));
      }
    }));
    return clamp(largest[0] / ((long) target.lanes() * ELEMENTS), 1, Math.min(16, mostWarps(target)));
  }

  private static long forDots(Func func, List<Inst> dots, TargetInfo target) {
    long live = 0;
    boolean chained = DotChains.needWholeRows(func, dots);
    for (Inst dot : dots) {
      long count = LinearLayout.cover(dot.result().tile().shape()).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
      live = chained ? live + count : Math.max(live, count);
    }
    return clamp(live / ((long) target.lanes() * ACCUMULATORS), 4, Math.min(8, mostWarps(target)));
  }

  private static int mostWarps(TargetInfo target) {
    return target.threads().perBlock() / target.lanes();
  }

  private static long clamp(long value, long least, long most) {
    return Long.highestOneBit(Math.max(least, Math.min(most, Math.max(1, value))));
  }
}
