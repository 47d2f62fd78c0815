package dev.tkc.passes.analysis;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.Optional;

/** Recognises kinds of values that passes treat alike. */
public final class Scalars {
  private Scalars() {}

  /** The constant that a scalar is, or that every element of a tile is. */
  public static Optional<Literal> literal(Value v) {
    if (v.definition() == null) {
      return Optional.empty();
    }
    if (v.definition().op() instanceof ElementwiseOp.Constant c) {
      return Optional.of(c.value());
    }
    if (v.definition().op() instanceof ShapeOp.Splat s) {
      return literal(s.scalar());
    }
    return Optional.empty();
  }

  public static boolean isInt(Value v) {
    return v.type() instanceof TileType t && t.isScalar() && t.element() == Element.I64;
  }
}
