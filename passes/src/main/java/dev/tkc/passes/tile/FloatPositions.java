package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.Cast;
import dev.tkc.ir.op.ElementwiseOp.Unary;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Affine;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Slopes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Converts positions to floats once where a thread has many of them, as scores that depend on distances need.
 *
 * <pre>
 *   %d = sub %rows, %cols : i32[128, 128]             %d = sub %rows, %cols : i32[128, 128]
 *   %a = abs %d : i32[128, 128]                 →     %f = cast %d {to = f32} #{stepped = 0} : f32[128, 128]
 *   %x = cast %a {to = f32} : f32[128, 128]           %x = abs %f : f32[128, 128]
 * </pre>
 *
 * A conversion goes through what keeps the order of numbers or turns it around: magnitudes, negation, the lesser and
 * the greater of two. What is converted then is what all threads share plus lanes. {@value #STEPPED} says so: the
 * lowering converts the former once a round, less its low bits where it may have more than a float, and adds to it the
 * float of the rest, which rounds once as the conversion does. Scores at the same distance have one sum ({@link
 * Slopes}).
 *
 * <p>After what splits loops, where tiles have the sizes that stay; a matter of targets.
 */
public final class FloatPositions {
  /**
   * On a cast of integers to f32: no element wraps, but those past the largest size that a tensor may have. What they
   * share, less this constant, is a number of f32; −1 where that is not known.
   */
  public static final String STEPPED = "stepped";

  /** Multiples of it below 2^31 in size have 24 bits. */
  public static final long GRAIN = 128;

  private static final long MOST_LANES = 1L << 20;

  private final Bounds bounds;
  private final List<Runnable> changes = new ArrayList<>();

  private FloatPositions(Func func) {
    bounds = new Bounds(func).withLimitedSizes();
  }

  public static void run(Func func, PassContext context) {
    FloatPositions positions = new FloatPositions(func);
    func.body().walk(inst -> {
      if (inst.op() instanceof Cast c && c.to() == Element.F32 && !c.x().tile().isScalar()) {
        positions.cast(inst, c);
      }
    });
    // Only now: the bounds are asked of the function as it was.
    positions.changes.forEach(Runnable::run);
  }

  private void cast(Inst inst, Cast c) {
    Optional<Long> constant = steps(inst, c.x());
    if (constant.isPresent()) {
      inst.annotate(STEPPED, constant.get());
    } else if (isPassable(inst, c.x())) {
      List<Inst> insts = bounds.scopes().regionOf(inst).insts();
      Region news = new Region();
      Op last = passed(inst, c.x(), new Builder(news).at(inst.loc()));
      changes.add(() -> {
        insts.addAll(insts.indexOf(inst), news.insts());
        inst.setOp(last);
      });
    }
  }

  /** What {@link #STEPPED} says of a tile of positions, if it is one that does not wrap. */
  private Optional<Long> steps(Inst place, Value v) {
    return LanePositions.of(v, bounds)
        .filter(p -> isLane(p.least()) && isLane(p.most()) && isWithinInt(place, p.base()))
        .map(p -> shared(p.base()));
  }

  private static boolean isLane(long n) {
    return Math.abs(n) <= MOST_LANES;
  }

  private boolean isWithinInt(Inst place, Affine base) {
    return bounds.atMostZero(place, base.plus(-Integer.MAX_VALUE))
        && bounds.atMostZero(place, base.times(-1).plus(-Integer.MAX_VALUE));
  }

  private long shared(Affine base) {
    return bounds.divides(GRAIN, base.plus(-base.constant())) ? Math.floorMod(base.constant(), GRAIN) : -1;
  }

  /** Whether a conversion goes through what made the tile, to positions. */
  private boolean isPassable(Inst place, Value v) {
    return v.definition() != null && switch (v.definition().op()) {
      case Unary u when u.kind() == UnaryKind.ABS || u.kind() == UnaryKind.NEG -> isTaken(place, u.x());
      case Binary b when b.kind() == BinaryKind.MIN || b.kind() == BinaryKind.MAX ->
          isTaken(place, b.lhs()) || isTaken(place, b.rhs());
      default -> false;
    };
  }

  private boolean isTaken(Inst place, Value v) {
    return steps(place, v).isPresent() || isPassable(place, v);
  }

  /** What a passable tile is in floats, its last step not yet emitted. */
  private Op passed(Inst place, Value v, Builder b) {
    return switch (v.definition().op()) {
      // From 0, which keeps its sign.
      case Unary u when u.kind() == UnaryKind.NEG -> new Binary(BinaryKind.SUB,
          b.full(u.x().tile().withElement(Element.F32), Literal.of(Element.F32, 0.0)), converted(place, u.x(), b));
      case Unary u -> new Unary(u.kind(), converted(place, u.x(), b), false);
      case Binary o -> new Binary(o.kind(), converted(place, o.lhs(), b), converted(place, o.rhs(), b));
      case Op o -> throw new IllegalStateException(o + " does not let conversions through");
    };
  }

  private Value converted(Inst place, Value v, Builder b) {
    if (isPassable(place, v)) {
      return b.emit(passed(place, v, b));
    }
    Inst cast = b.append(new Cast(v, Element.F32));
    steps(place, v).ifPresent(c -> cast.annotate(STEPPED, c));
    return cast.result();
  }
}
