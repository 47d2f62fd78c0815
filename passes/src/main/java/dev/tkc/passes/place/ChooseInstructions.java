package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Chooses a matrix instruction for each dot that one fits, and how many warps a block has.
 *
 * <pre>
 *   %d = dot %x, %y, %s {…}   →   %d = dot %x, %y, %s {…} #{instruction = "…"}      (and {warps = 4} on the function)
 * </pre>
 *
 * The first instruction of the target's table that computes the product and is no larger than the tiles is taken. A dot
 * without one is done by multiply-adds. Warps are what the schedule says, else enough, rounded up, that accumulators
 * leave half of the registers free, and still a third where a loop's operands wait there too, since nothing copies them
 * to shared memory; or, without dots, that each thread moves about {@link #BYTES} bytes of the largest tile in memory
 * and holds at most {@link #ELEMENTS} elements of any.
 */
public final class ChooseInstructions {
  /**
   * Bytes of a tile that a thread moves: enough vectors in flight to cover the way to memory. Measured in
   * {@code docs/performance/baseline.md}: half as many lose 11 % on softmax, 3 % on layernorm and
   * gelu, and win 2 % on rmsnorm.
   */
  private static final int BYTES = 64;

  /** Elements of a tile that a thread holds, at most where there are warps enough. */
  private static final int ELEMENTS = 64;

  /** Accumulator registers per thread to aim at. */
  private static final int ACCUMULATORS = 128;

  /**
   * Registers per thread to aim at for accumulators and the next round's operands. An element that is loaded by itself
   * has a register to itself.
   */
  private static final int HELD = 160;

  private ChooseInstructions() {}

  public static void run(Func func, PassContext context) {
    TargetInfo target = context.target();
    List<Inst> dots = new ArrayList<>();
    func.body().walk(i -> DotLayouts.dot(i).ifPresent(_ -> dots.add(i)));
    for (Inst inst : dots) {
      if (inst.annotations().containsKey("instruction")) {
        continue;
      }
      MatrixOp.Dot dot = (MatrixOp.Dot) inst.op();
      target.instructionsFor(dot.a().tile().element(), dot.b().tile().element(), dot.acc().tile().element(),
              dot.precision()).stream()
          .filter(i -> DotLayouts.fits(inst, i.fragments())).findFirst()
          .ifPresent(i -> inst.annotate("instruction", i.name()));
    }
    long warps = func.annotation("warps", dots.isEmpty() ? forTiles(func, target) : forDots(func, dots, target));
    if (warps > mostWarps(target)) {
      throw new DiagnosticException(Diagnostic.error(Code.SETTING_VALUE, "`warps = " + warps + "` is "
          + warps * target.lanes() + " threads; a block of " + target.name() + " has at most "
          + target.threads().perBlock()).help("set `warps` to " + mostWarps(target) + " at most"));
    }
    func.annotations().put("warps", warps);
    func.annotations().put("lanes", (long) target.lanes());
  }

  private static long forTiles(Func func, TargetInfo target) {
    long[] moved = {1};
    long[] held = {1};
    func.body().walk(i -> {
      for (Value v : i.op() instanceof MemoryOp.Store ? i.operands() : i.results()) {
        if (v.type() instanceof TileType t) {
          held[0] = Math.max(held[0], elements(t));
          if (i.op() instanceof MemoryOp.Load || i.op() instanceof MemoryOp.Store) {
            moved[0] = Math.max(moved[0], t.element().bytes(elements(t)));
          }
        }
      }
    });
    long lanes = target.lanes();
    long warps = Math.max(moved[0] / (lanes * BYTES), held[0] / (lanes * ELEMENTS));
    return clamp(warps, 1, Math.min(16, mostWarps(target)));
  }

  private static long elements(TileType tile) {
    return LinearLayout.cover(tile.shape()).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
  }

  private static long forDots(Func func, List<Inst> dots, TargetInfo target) {
    long live = 0;
    boolean chained = DotChains.needWholeRows(func.body(), dots);
    for (Inst dot : dots) {
      long count = elements(dot.result().tile());
      live = chained ? live + count : Math.max(live, count);
    }
    live = Math.max(live, carried(func, dots));
    // One warp more than fit would spill what the loops use most.
    long warps = powerFrom(Math.ceilDiv(live, (long) target.lanes() * ACCUMULATORS));
    long waiting = waiting(func, dots, target);
    if (waiting > 0) {
      long both = Math.ceilDiv(live + waiting, (long) target.lanes() * HELD);
      warps = Math.max(warps, powerFrom(both));
    }
    return clamp(warps, 4, Math.min(8, mostWarps(target)));
  }

  /** Elements of the accumulators that one loop carries. */
  private static long carried(Func func, List<Inst> dots) {
    long[] most = {0};
    func.body().walk(loop -> {
      if (loop.op() instanceof ControlOp.For f) {
        most[0] = Math.max(most[0], dots.stream().filter(f.body().insts()::contains)
            .map(d -> ((MatrixOp.Dot) d.op()).acc()).filter(a -> f.body().params().contains(a)).distinct()
            .mapToLong(a -> elements(a.tile())).sum());
      }
    });
    return most[0];
  }

  /** Elements that go from memory to a loop's products through registers: the next round's are loaded beside this. */
  private static long waiting(Func func, List<Inst> dots, TargetInfo target) {
    AccessPattern.Finder patterns = new AccessPattern.Finder(func);
    long[] most = {0};
    func.body().walk(loop -> {
      if (loop.op() instanceof ControlOp.For f) {
        most[0] = Math.max(most[0], dots.stream().filter(f.body().insts()::contains)
            .flatMap(d -> Stream.of(((MatrixOp.Dot) d.op()).a(), ((MatrixOp.Dot) d.op()).b())).distinct()
            .map(ChooseInstructions::loaded).flatMap(Optional::stream).filter(f.body().insts()::contains)
            .filter(load -> !CopyWidth.isAsync(load, patterns, target))
            .mapToLong(load -> elements(load.result().tile())).sum());
      }
    });
    return most[0];
  }

  /** The load that an operand comes from, turned and converted or not. */
  private static Optional<Inst> loaded(Value operand) {
    Inst inst = operand.definition();
    return inst == null ? Optional.empty()
        : inst.op() instanceof MemoryOp.Load ? Optional.of(inst)
        : inst.op() instanceof ShapeOp.Permute p ? loaded(p.x())
        : inst.op() instanceof ElementwiseOp.Cast c ? loaded(c.x()) : Optional.empty();
  }

  private static int mostWarps(TargetInfo target) {
    return target.threads().perBlock() / target.lanes();
  }

  /** The least power of two that is no smaller. */
  private static long powerFrom(long n) {
    return Long.highestOneBit(Math.max(1, 2 * n - 1));
  }

  private static long clamp(long value, long least, long most) {
    return Long.highestOneBit(Math.max(least, Math.min(most, Math.max(1, value))));
  }
}
