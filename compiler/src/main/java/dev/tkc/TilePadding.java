package dev.tkc;

import dev.tkc.TileAxes.Axis;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.RangeType;
import java.util.Optional;

/**
 * What lanes that hold nothing do to sums and maxima over a loop's tiles: the last tile has more of them the larger
 * tiles are. They do no harm where they are 0 in a sum and −∞ in a maximum, and where the language refuses the program,
 * since padding is never silent: what arithmetic makes of a load's made-up 0 may not reach a result. What is left are
 * values that a program gives to such lanes itself.
 */
final class TilePadding {
  private final TileAxes axes;
  /** The position of the loop's tiles. */
  private final Value position;

  TilePadding(TileAxes axes, Value position) {
    this.axes = axes;
    this.position = position;
  }

  /** Whether lanes beyond the end change no sum along an axis that is the lanes of the loop's tiles. */
  boolean harmless(Value v, int axis) {
    if (!(axes.axis(v, axis) instanceof Axis.Lanes l) || l.position() != position) {
      return false;
    }
    if (v.definition() == null) {
      // As its loop begins and goes on, which is asked of the loop's result.
      return axes.isCarried(v);
    }
    return switch (v.definition().op()) {
      case MemoryOp.Load load -> load.pad().isEmpty() ? throughRange(load, axis) : literal(load.pad().get(), 0);
      case ShapeOp.Permute p -> harmless(p.x(), p.order().get(axis));
      case ShapeOp.Broadcast b -> harmless(b.x(), axis);
      case ShapeOp.Reshape r -> r.x().tile().rank() == v.tile().rank() - 1
          && r.x().tile().shape().stream().filter(n -> n > 1).count() == 1
          && harmless(r.x(), 0);
      case ElementwiseOp.Select s -> harmless(s.condition(), axis) && !isMask(s.condition(), axis)
          || (isMask(s.condition(), axis) || harmless(s.then(), axis) || literal(s.then(), 0))
          && (harmless(s.otherwise(), axis) || literal(s.otherwise(), 0));
      case Binary b -> switch (b.kind()) {
        case ADD, SUB -> harmless(b.lhs(), axis) && (harmless(b.rhs(), axis) || isUniform(b.rhs(), axis))
            || harmless(b.rhs(), axis) && isUniform(b.lhs(), axis) || vanishing(v, axis);
        case DIV -> harmless(b.lhs(), axis);
        case MUL, REM, POW, MIN, MAX, AND, OR, XOR, SHL, SHR -> harmless(b.lhs(), axis) || harmless(b.rhs(), axis);
      };
      case ElementwiseOp.Unary u when u.kind() == UnaryKind.EXP || u.kind() == UnaryKind.EXP2 ->
          vanishing(u.x(), axis) || harmless(u.x(), axis);
      case ElementwiseOp _ -> v.definition().operands().stream()
          .anyMatch(o -> o.tile().rank() == v.tile().rank() && harmless(o, axis));
      case MatrixOp.Dot d -> (literal(d.acc(), 0) || harmless(d.acc(), axis))
          && (axis == v.tile().rank() - 1 ? harmless(d.b(), axis) : axis == v.tile().rank() - 2
              && harmless(d.a(), axis));
      case ControlOp.For f -> {
        int number = v.definition().results().indexOf(v);
        yield (literal(f.inits().get(number), 0) || harmless(f.inits().get(number), axis))
            && harmless(f.body().terminator().operands().get(number), axis);
      }
      default -> false;
    };
  }

  /** The same for a maximum. */
  boolean harmlessToMaximum(Value v, int axis) {
    return vanishing(v, axis) || !chooses(v) && harmless(v, axis);
  }

  /** Whether a value is −∞ in lanes beyond the end. */
  private boolean vanishing(Value v, int axis) {
    return switch (v.definition() == null ? null : v.definition().op()) {
      case ElementwiseOp.Select s -> isMask(s.condition(), axis) && literal(s.otherwise(), Double.NEGATIVE_INFINITY);
      case MemoryOp.Load l -> l.pad().filter(p -> literal(p, Double.NEGATIVE_INFINITY)).isPresent();
      // By a number, or less one: the same for all lanes.
      case Binary b when b.kind() == BinaryKind.MUL || b.kind() == BinaryKind.SUB ->
          isUniform(b.rhs(), axis) && vanishing(b.lhs(), axis);
      case null, default -> false;
    };
  }

  /** Whether something says itself what a lane beyond the end holds. */
  private static boolean chooses(Value v) {
    return v.definition() != null && switch (v.definition().op()) {
      case ElementwiseOp.Select _ -> true;
      case MemoryOp.Load l -> l.pad().isPresent();
      case ElementwiseOp _, ShapeOp _ -> v.definition().operands().stream().anyMatch(TilePadding::chooses);
      default -> false;
    };
  }

  /** Whether a condition holds only in valid lanes. */
  private boolean isMask(Value c, int axis) {
    return c.definition() != null && switch (c.definition().op()) {
      case MemoryOp.Valid _ -> axes.axis(c, axis) instanceof Axis.Lanes l && l.position() == position;
      case ShapeOp.Broadcast b -> isMask(b.x(), axis);
      case ShapeOp.Reshape r -> r.x().tile().rank() == 1 && isMask(r.x(), 0);
      case Binary b when b.kind() == BinaryKind.AND -> isMask(b.lhs(), axis) || isMask(b.rhs(), axis);
      default -> false;
    };
  }

  private boolean isUniform(Value v, int axis) {
    return axes.axis(v, axis) instanceof Axis.Uniform;
  }

  /** Whether a load's lanes along the axis are a range's. */
  private static boolean throughRange(MemoryOp.Load load, int axis) {
    int dimension = 0;
    for (Value index : load.indices()) {
      boolean range = index.type() instanceof RangeType;
      if ((range || !index.tile().isScalar()) && dimension++ == axis) {
        return range;
      }
    }
    return false;
  }

  /** Whether one number is at every place. */
  static boolean literal(Value v, double wanted) {
    return scalar(v).filter(s -> s.definition() != null && s.definition().op() instanceof ElementwiseOp.Constant c
        && c.value().element().isFloat() && c.value().equals(Literal.of(s.tile().element(), wanted))).isPresent();
  }

  /** The one number that is at every place of a tile, if that is seen. */
  static Optional<Value> scalar(Value v) {
    return switch (v.definition() == null ? null : v.definition().op()) {
      case ShapeOp.Splat s -> Optional.of(s.scalar());
      case ShapeOp.Broadcast b -> scalar(b.x());
      case null, default -> v.tile().isScalar() ? Optional.of(v) : Optional.empty();
    };
  }
}
