package dev.tkc.passes.analysis;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.Optional;
import java.util.OptionalLong;

/** Recognises constants: scalars, and tiles that hold one constant everywhere. */
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

  /** The value of an integer scalar constant. */
  public static OptionalLong constant(Value v) {
    if (v.definition() != null && v.definition().op() instanceof ElementwiseOp.Constant c && c.value().element().isInteger()) {
      return OptionalLong.of(c.value().bits());
    }
    return OptionalLong.empty();
  }

  public static boolean isConstant(Value v, long value) {
    OptionalLong c = constant(v);
    return c.isPresent() && c.getAsLong() == value;
  }

  public static boolean isInt(Value v) {
    return v.type() instanceof TileType t && t.isScalar() && t.element() == Element.I64;
  }
}
