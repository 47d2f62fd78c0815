package dev.tkc.grammar.lower;

import dev.tkc.ir.op.ElementwiseOp;
import java.util.Optional;

/** Values that are known, as {@code Long}, {@code Double} or {@code Boolean}. */
final class ConstantValue {
  private ConstantValue() {}

  static Optional<Object> of(Val v) {
    return switch (v) {
      case Val.Int i -> Optional.ofNullable(i.known());
      case Val.Num n -> Optional.of(n.value());
      case Val.Bool b -> Optional.of(b.value());
      case Val.Tile t when t.value().definition() != null
          && t.value().definition().op() instanceof ElementwiseOp.Constant c ->
          c.value().element().isFloat() ? Optional.of(c.value().asDouble())
              : c.value().element().isBool() ? Optional.of(c.value().asBool()) : Optional.of(c.value().bits());
      case Val.Failed _, Val.Tile _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> Optional.empty();
    };
  }

  static Val val(Object value) {
    return switch (value) {
      case Long n -> Val.Int.of(n);
      case Integer n -> Val.Int.of(n.longValue());
      case Double x -> new Val.Num(x);
      case Boolean b -> new Val.Bool(b);
      case null, default -> throw new IllegalStateException("no constant: " + value);
    };
  }
}
