package dev.tkc.passes.tile;

import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.num.Elementary;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import java.util.Optional;

/**
 * Elementwise ops on constants, with the numerics of {@code docs/numerics.md}: the same bits as the interpreter. Empty
 * where the interpreter would stop with an error (a division by zero), so that it still does.
 */
final class Fold {
  private Fold() {}

  static Optional<Literal> unary(UnaryKind kind, Literal x) {
    Element e = x.element();
    if (e.isBool()) {
      return kind == UnaryKind.NOT ? Optional.of(Literal.of(!x.asBool())) : Optional.empty();
    }
    return e.isFloat() ? unaryFloat(kind, e, x.asDouble()) : unaryInteger(kind, e, x.bits());
  }

  private static Optional<Literal> unaryInteger(UnaryKind kind, Element e, long x) {
    return switch (kind) {
      case NEG -> integer(e, -x);
      case ABS -> integer(e, x < 0 && e.isSigned() ? -x : x);
      case NOT -> integer(e, ~x);
      case FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID -> Optional.empty();
    };
  }

  private static Optional<Literal> unaryFloat(UnaryKind kind, Element e, double x) {
    double y = switch (kind) {
      case NEG -> -x;
      case ABS -> Math.abs(x);
      case FLOOR -> Math.floor(x);
      case CEIL -> Math.ceil(x);
      case ROUND -> Math.rint(x);
      case SQRT -> Math.sqrt(x);
      case RSQRT -> Elementary.rsqrt(x);
      case RCP -> 1 / x;
      case EXP -> Elementary.exp(x);
      case EXP2 -> Elementary.exp2(x);
      case LOG -> Elementary.log(x);
      case LOG2 -> Elementary.log2(x);
      case SIN -> Elementary.sin(x);
      case COS -> Elementary.cos(x);
      case TANH -> Elementary.tanh(x);
      case ERF -> Elementary.erf(x);
      case SIGMOID -> Elementary.sigmoid(x);
      case NOT -> throw new IllegalStateException("not of a float");
    };
    // One rounding of a correctly rounded f64 sum, product, quotient or root to f32 is the f32 operation itself.
    return floating(e, y);
  }

  static Optional<Literal> binary(BinaryKind kind, Literal x, Literal y) {
    Element e = x.element();
    if (e.isBool()) {
      return bool(kind, x.asBool(), y.asBool());
    }
    return e.isFloat() ? binaryFloat(kind, e, x.asDouble(), y.asDouble()) : binaryInteger(kind, e, x.bits(), y.bits());
  }

  private static Optional<Literal> bool(BinaryKind kind, boolean x, boolean y) {
    return switch (kind) {
      case AND -> Optional.of(Literal.of(x && y));
      case OR -> Optional.of(Literal.of(x || y));
      case XOR -> Optional.of(Literal.of(x != y));
      case ADD, SUB, MUL, DIV, REM, POW, MIN, MAX, SHL, SHR -> Optional.empty();
    };
  }

  private static Optional<Literal> binaryInteger(BinaryKind kind, Element e, long x, long y) {
    return switch (kind) {
      case ADD -> integer(e, x + y);
      case SUB -> integer(e, x - y);
      case MUL -> integer(e, x * y);
      case DIV -> y == 0 ? Optional.empty() : integer(e, Integers.floorDiv(e, x, y));
      case REM -> y == 0 ? Optional.empty() : integer(e, Integers.floorMod(e, x, y));
      case POW -> y < 0 && e != Element.U64 ? Optional.empty() : integer(e, Integers.pow(e, x, y));
      case MIN -> integer(e, Integers.min(e, x, y));
      case MAX -> integer(e, Integers.max(e, x, y));
      case AND -> integer(e, x & y);
      case OR -> integer(e, x | y);
      case XOR -> integer(e, x ^ y);
      case SHL -> integer(e, Integers.shl(e, x, y));
      case SHR -> integer(e, Integers.shr(e, x, y));
    };
  }

  private static Optional<Literal> binaryFloat(BinaryKind kind, Element e, double x, double y) {
    boolean nan = Double.isNaN(x) || Double.isNaN(y);
    return switch (kind) {
      case ADD -> floating(e, x + y);
      case SUB -> floating(e, x - y);
      case MUL -> floating(e, x * y);
      case DIV -> floating(e, x / y);
      case REM -> floating(e, e == Element.F32 ? Elementary.floorMod((float) x, (float) y) : Elementary.floorMod(x, y));
      case POW -> floating(e, Elementary.pow(x, y));
      case MIN -> floating(e, nan ? Double.NaN : Math.min(x, y));
      case MAX -> floating(e, nan ? Double.NaN : Math.max(x, y));
      case AND, OR, XOR, SHL, SHR -> Optional.empty();
    };
  }

  static Literal compare(CompareKind kind, Literal x, Literal y) {
    if (x.element().isFloat()) {
      double a = x.asDouble();
      double b = y.asDouble();
      return Literal.of(switch (kind) {
        case EQ -> a == b;
        case NE -> a != b;
        case LT -> a < b;
        case LE -> a <= b;
        case GT -> a > b;
        case GE -> a >= b;
      });
    }
    int c = x.element().isBool() ? Long.compare(x.bits(), y.bits()) : Integers.compare(x.element(), x.bits(), y.bits());
    return Literal.of(switch (kind) {
      case EQ -> c == 0;
      case NE -> c != 0;
      case LT -> c < 0;
      case LE -> c <= 0;
      case GT -> c > 0;
      case GE -> c >= 0;
    });
  }

  /** Empty where {@code FIT} would stop. */
  static Optional<Literal> cast(Literal x, Element to, CastKind kind) {
    Element from = x.element();
    boolean wrap = kind == CastKind.WRAP;
    if (to.isBool()) {
      return Optional.of(Literal.of(from.isFloat() ? Conversions.toBool(x.asDouble()) : Conversions.toBool(x.bits())));
    }
    if (from.isFloat()) {
      return to.isFloat() ? Optional.of(Literal.of(to, rounded(to, x.asDouble(), wrap)))
          : Optional.of(new Literal(to, Conversions.toInteger(to, x.asDouble())));
    }
    if (to == Element.F64) {
      return Optional.of(Literal.of(to, Conversions.toDouble(from, x.bits())));
    }
    if (to.isFloat()) {
      Element integer = from.isBool() ? Element.U8 : from;
      return Optional.of(Literal.of(to, (double) Conversions.toFloat(to, integer, x.bits(), wrap)));
    }
    if (kind == CastKind.FIT && !Integers.fits(to, x.bits())) {
      return Optional.empty();
    }
    return Optional.of(new Literal(to, Conversions.toInteger(to, x.bits())));
  }

  private static double rounded(Element to, double x, boolean wrap) {
    return to == Element.F64 ? x : Conversions.toFloat(to, x, wrap);
  }

  private static Optional<Literal> integer(Element e, long x) {
    return Optional.of(new Literal(e, Integers.wrap(e, x)));
  }

  private static Optional<Literal> floating(Element e, double y) {
    return Optional.of(Literal.of(e, rounded(e, y, false)));
  }
}
