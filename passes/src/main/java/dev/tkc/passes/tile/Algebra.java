package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Value;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import java.util.Optional;

/**
 * Identities of wrapping integer arithmetic. Sums with constants are brought to {@code x + c}, so that
 * {@code (x + a) + b} and {@code (x + a) - x} fold.
 */
final class Algebra {
  private Algebra() {}

  static Value integer(Binary o, Optional<Literal> x, Optional<Literal> y, Builder b) {
    if (x.isPresent() && y.isEmpty() && Simplify.commutes(o.kind())) {
      return b.emit(new Binary(o.kind(), o.rhs(), o.lhs(), o.exact()));
    }
    if (y.isPresent()) {
      return withConstant(o, y.get(), b);
    }
    return switch (o.kind()) {
      case SUB -> difference(o, b);
      case ADD -> sum(o, b);
      case MIN, MAX, AND, OR -> o.lhs() == o.rhs() ? o.lhs() : null;
      case XOR -> o.lhs() == o.rhs() ? zero(o, b) : null;
      case MUL, DIV, REM, POW, SHL, SHR -> null;
    };
  }

  private static Value withConstant(Binary o, Literal y, Builder b) {
    long c = y.bits();
    Element e = y.element();
    Value x = o.lhs();
    return switch (o.kind()) {
      case ADD -> {
        if (c == 0) {
          yield x;
        }
        Optional<Literal> inner = constantOf(x, BinaryKind.ADD);
        yield inner.isEmpty() ? null : plus(((Binary) x.definition().op()).lhs(), e, inner.get().bits() + c, o, b);
      }
      case SUB -> c == 0 ? x : plus(x, e, -c, o, b);
      case MUL -> {
        if (c == 1) {
          yield x;
        }
        if (c == 0) {
          yield o.rhs();
        }
        Optional<Literal> inner = constantOf(x, BinaryKind.MUL);
        yield inner.isEmpty() ? null : b.emit(new Binary(BinaryKind.MUL, ((Binary) x.definition().op()).lhs(),
            b.full(x.tile(), new Literal(e, Integers.wrap(e, inner.get().bits() * c)))));
      }
      case DIV -> c == 1 ? x : quotient(o, c, b);
      case REM -> c == 1 ? zero(o, b) : remainder(o, c, b);
      case SHL, SHR -> c == 0 ? x : null;
      case POW -> c == 1 ? x : null;
      case AND -> c == 0 ? o.rhs() : null;
      case OR, XOR -> c == 0 ? x : null;
      case MIN -> c == Integers.highest(e) ? x : null;
      case MAX -> c == Integers.lowest(e) ? x : null;
    };
  }

  /** {@code (x * k) / c} where c divides k. Only i64, where sizes and positions live and nothing wraps. */
  private static Value quotient(Binary o, long c, Builder b) {
    Optional<Literal> k = constantOf(o.lhs(), BinaryKind.MUL);
    if (k.isEmpty() || !isIndex(o) || c <= 0 || k.get().bits() % c != 0) {
      return null;
    }
    Value x = ((Binary) o.lhs().definition().op()).lhs();
    return b.emit(new Binary(BinaryKind.MUL, x, b.full(x.tile(), Literal.ofInt(k.get().bits() / c))));
  }

  private static Value remainder(Binary o, long c, Builder b) {
    Optional<Literal> k = constantOf(o.lhs(), BinaryKind.MUL);
    return k.isPresent() && isIndex(o) && c > 0 && k.get().bits() % c == 0 ? zero(o, b) : null;
  }

  private static boolean isIndex(Binary o) {
    return o.lhs().tile().isScalar() && o.lhs().tile().element() == Element.I64;
  }

  private static Value difference(Binary o, Builder b) {
    if (o.lhs() == o.rhs()) {
      return zero(o, b);
    }
    Optional<Literal> left = constantOf(o.lhs(), BinaryKind.ADD);
    Optional<Literal> right = constantOf(o.rhs(), BinaryKind.ADD);
    Value x = left.isPresent() ? ((Binary) o.lhs().definition().op()).lhs() : o.lhs();
    Value y = right.isPresent() ? ((Binary) o.rhs().definition().op()).lhs() : o.rhs();
    long c = left.map(Literal::bits).orElse(0L) - right.map(Literal::bits).orElse(0L);
    Element e = o.lhs().tile().element();
    if (x == y) {
      return b.full(o.lhs().tile(), new Literal(e, Integers.wrap(e, c)));
    }
    // (a + b) - a, and a - (a + b) is left.
    if (definition(x, BinaryKind.ADD) instanceof Binary s && c == 0 && left.isEmpty()) {
      if (s.lhs() == y) {
        return s.rhs();
      }
      if (s.rhs() == y) {
        return s.lhs();
      }
    }
    if (left.isEmpty() && right.isEmpty()) {
      return null;
    }
    return plus(b.emit(new Binary(BinaryKind.SUB, x, y)), e, c, o, b);
  }

  private static Value sum(Binary o, Builder b) {
    if (definition(o.rhs(), BinaryKind.SUB) instanceof Binary s && s.rhs() == o.lhs()) {
      return s.lhs();
    }
    if (definition(o.lhs(), BinaryKind.SUB) instanceof Binary s && s.rhs() == o.rhs()) {
      return s.lhs();
    }
    Optional<Literal> left = constantOf(o.lhs(), BinaryKind.ADD);
    Optional<Literal> right = constantOf(o.rhs(), BinaryKind.ADD);
    if (left.isEmpty() && right.isEmpty()) {
      return null;
    }
    Value x = left.isPresent() ? ((Binary) o.lhs().definition().op()).lhs() : o.lhs();
    Value y = right.isPresent() ? ((Binary) o.rhs().definition().op()).lhs() : o.rhs();
    long c = left.map(Literal::bits).orElse(0L) + right.map(Literal::bits).orElse(0L);
    return plus(b.emit(new Binary(BinaryKind.ADD, x, y)), o.lhs().tile().element(), c, o, b);
  }

  private static Value plus(Value x, Element e, long c, Binary o, Builder b) {
    long wrapped = Integers.wrap(e, c);
    return wrapped == 0 ? x
        : b.emit(new Binary(BinaryKind.ADD, x, b.full(o.lhs().tile(), new Literal(e, wrapped))));
  }

  private static Value zero(Binary o, Builder b) {
    return b.full(o.lhs().tile(), new Literal(o.lhs().tile().element(), 0));
  }

  private static Optional<Literal> constantOf(Value v, BinaryKind kind) {
    return definition(v, kind) instanceof Binary inner
        ? dev.tkc.passes.analysis.Scalars.literal(inner.rhs()) : Optional.empty();
  }

  private static Binary definition(Value v, BinaryKind kind) {
    return Simplify.definition(v) instanceof Binary o && o.kind() == kind ? o : null;
  }
}
