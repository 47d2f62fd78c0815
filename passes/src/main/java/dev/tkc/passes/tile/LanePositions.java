package dev.tkc.passes.tile;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Affine;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scalars;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The values of an integer tile as a scalar form plus an interval: every element lies in {@code [base + least, base +
 * most]}, and both ends occur. Made from positions of ranges, constants, and sums of them.
 */
record LanePositions(Affine base, long least, long most) {

  /** The tile's values, if they are of that kind. */
  static Optional<LanePositions> of(Value v, Bounds bounds) {
    if (!(v.type() instanceof TileType t) || !t.element().isInteger()) {
      return Optional.empty();
    }
    // As the bounds of ranges and loops are written; below, a number of 32 bits may have been made of one.
    if (Scalars.isInt(v)) {
      return Optional.of(exactly(bounds.form(v)));
    }
    if (v.definition() == null) {
      return t.isScalar() ? Optional.of(exactly(bounds.form(v))) : Optional.empty();
    }
    return switch (v.definition().op()) {
      case MemoryOp.Lanes l -> lanes(l, bounds);
      case ShapeOp.Iota i -> Optional.of(new LanePositions(Affine.zero(), 0, i.size() - 1));
      case ShapeOp.Splat s -> of(s.scalar(), bounds);
      case ShapeOp.Reshape r -> of(r.x(), bounds);
      case ShapeOp.Broadcast b -> of(b.x(), bounds);
      case ShapeOp.Permute p -> of(p.x(), bounds);
      case ElementwiseOp.Cast c when widensOrFits(c) -> of(c.x(), bounds);
      case Binary b when b.kind() == ElementwiseOp.BinaryKind.ADD -> sum(b, 1, bounds);
      case Binary b when b.kind() == ElementwiseOp.BinaryKind.SUB -> sum(b, -1, bounds);
      case ElementwiseOp.Constant c -> Optional.of(exactly(Affine.of(c.value().bits())));
      default -> t.isScalar() ? Optional.of(exactly(bounds.form(v))) : Optional.empty();
    };
  }

  private static LanePositions exactly(Affine form) {
    return new LanePositions(form, 0, 0);
  }

  private static boolean widensOrFits(ElementwiseOp.Cast c) {
    return c.kind() == ElementwiseOp.CastKind.FIT || Simplify.widens(c.x().tile().element(), c.to());
  }

  private static Optional<LanePositions> lanes(MemoryOp.Lanes l, Bounds bounds) {
    if (l.range().definition() == null || !(l.range().definition().op() instanceof MemoryOp.Range r)) {
      return Optional.empty();
    }
    OptionalLong stride = Regions.integer(r.stride());
    if (stride.isEmpty()) {
      return Optional.empty();
    }
    long far = (((RangeType) l.range().type()).size() - 1) * stride.getAsLong();
    return Optional.of(new LanePositions(bounds.form(r.start()), Math.min(0, far), Math.max(0, far)));
  }

  private static Optional<LanePositions> sum(Binary b, int sign, Bounds bounds) {
    return of(b.lhs(), bounds).flatMap(x -> of(b.rhs(), bounds).map(y -> x.plus(y, sign)));
  }

  LanePositions plus(LanePositions other, int sign) {
    return new LanePositions(base.plus(other.base, sign),
        least + (sign > 0 ? other.least : -other.most), most + (sign > 0 ? other.most : -other.least));
  }

  /** The difference that is at least 0 exactly where a comparison holds; empty for (in)equality. */
  static Optional<LanePositions> margin(ElementwiseOp.Compare c, Bounds bounds) {
    Optional<LanePositions> x = of(c.lhs(), bounds);
    Optional<LanePositions> y = of(c.rhs(), bounds);
    if (x.isEmpty() || y.isEmpty()) {
      return Optional.empty();
    }
    LanePositions up = x.get().plus(y.get(), -1);
    LanePositions down = y.get().plus(x.get(), -1);
    return switch (c.kind()) {
      case GE -> Optional.of(up);
      case GT -> Optional.of(up.plus(-1));
      case LE -> Optional.of(down);
      case LT -> Optional.of(down.plus(-1));
      case EQ, NE -> Optional.empty();
    };
  }

  private LanePositions plus(long c) {
    return new LanePositions(base.plus(c), least, most);
  }
}
