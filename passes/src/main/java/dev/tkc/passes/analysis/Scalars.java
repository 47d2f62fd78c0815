package dev.tkc.passes.analysis;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

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

  /** Whether a scalar is the constant 0, or every element of a tile is; a negative zero is none. */
  public static boolean isZero(Value v) {
    return literal(v).filter(l -> l.bits() == 0).isPresent();
  }

  /** Whether a value is {@code source} or computed from it, regions and carried values apart. */
  public static boolean follows(Value v, Value source) {
    return follows(v, source, new HashSet<>());
  }

  private static boolean follows(Value v, Value source, Set<Value> seen) {
    return v == source || v.definition() != null && seen.add(v)
        && v.definition().operands().stream().anyMatch(o -> follows(o, source, seen));
  }
}
