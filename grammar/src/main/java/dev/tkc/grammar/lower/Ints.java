package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.type.Element;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;

/** The arithmetic of {@code int}: on known numbers at once, else as i64 instructions. */
final class Ints {
  private final Lowerer l;
  /** Run-time dimensions that were reported for being used in a shape: one report says it all. */
  private final Set<String> told = new HashSet<>();

  Ints(Lowerer l) {
    this.l = l;
  }

  Value value(Val.Int i, Span at) {
    return i.isKnown() ? l.constant(at, dev.tkc.ir.op.Literal.ofInt(i.known())) : i.value();
  }

  Val.Int add(Val.Int a, Val.Int b, Span at) {
    return b.is(0) ? a : a.is(0) ? b : orElse(binary(BinaryKind.ADD, a, b, at), a);
  }

  Val.Int sub(Val.Int a, Val.Int b, Span at) {
    return b.is(0) ? a : orElse(binary(BinaryKind.SUB, a, b, at), a);
  }

  Val.Int mul(Val.Int a, Val.Int b, Span at) {
    return b.is(1) ? a : a.is(1) ? b : orElse(binary(BinaryKind.MUL, a, b, at), a);
  }

  /** What is in error has been reported; anything goes on in its place. */
  private static Val.Int orElse(Val v, Val.Int instead) {
    return v instanceof Val.Int i ? i : instead;
  }

  Val.Int min(Val.Int a, Val.Int b, Span at) {
    return (Val.Int) binary(BinaryKind.MIN, a, b, at);
  }

  /** Failed only where a known divisor is 0, a known exponent negative, or a known result beyond 64 bits. */
  Val binary(BinaryKind kind, Val.Int a, Val.Int b, Span at) {
    if (a.isKnown() && b.isKnown()) {
      return fold(kind, a.known(), b.known(), at);
    }
    if (b.is(0) && (kind == BinaryKind.DIV || kind == BinaryKind.REM)) {
      return byZero(at);
    }
    if (b.is(1) && (kind == BinaryKind.DIV || kind == BinaryKind.MUL)) {
      return a;
    }
    return l.result(l.emit(at, new ElementwiseOp.Binary(kind, value(a, at), value(b, at))));
  }

  private Val fold(BinaryKind kind, long a, long b, Span at) {
    Element e = Element.I64;
    if (b == 0 && (kind == BinaryKind.DIV || kind == BinaryKind.REM)) {
      return byZero(at);
    }
    if (b < 0 && kind == BinaryKind.POW) {
      return l.error(Code.LITERAL_RANGE, at, "an integer power takes a non-negative exponent", "the exponent is " + b);
    }
    try {
      return Val.Int.of(switch (kind) {
        case ADD -> Math.addExact(a, b);
        case SUB -> Math.subtractExact(a, b);
        case MUL -> Math.multiplyExact(a, b);
        case DIV -> b == -1 ? Math.negateExact(a) : Integers.floorDiv(e, a, b);
        case REM -> Integers.floorMod(e, a, b);
        case POW -> power(a, b);
        case MIN -> Math.min(a, b);
        case MAX -> Math.max(a, b);
        case AND -> a & b;
        case OR -> a | b;
        case XOR -> a ^ b;
        case SHL -> Integers.shl(e, a, b);
        case SHR -> Integers.shr(e, a, b);
      });
    } catch (ArithmeticException beyond) {
      return tooLarge(at, (a < 0 ? "(" + a + ")" : a) + " " + sign(kind) + " " + (b < 0 ? "(" + b + ")" : b));
    }
  }

  private static String sign(BinaryKind kind) {
    return switch (kind) {
      case ADD -> "+";
      case SUB -> "-";
      case MUL -> "*";
      case DIV -> "/";
      case POW -> "**";
      case REM, MIN, MAX, AND, OR, XOR, SHL, SHR -> throw new IllegalStateException(kind + " cannot overflow");
    };
  }

  private static long power(long base, long exponent) {
    if (base >= -1 && base <= 1) {
      return base == -1 ? 1 - 2 * (exponent & 1) : exponent == 0 ? 1 : base;
    }
    long result = 1;
    // Ends after 63 rounds at most, by the result or by the exception.
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  Val tooLarge(Span at, String what) {
    return l.error(Code.INT_OVERFLOW, at, "an `int` overflows", "`" + what + "` does not fit in 64 bits");
  }

  Val byZero(Span at) {
    return l.error(Code.LITERAL_RANGE, at, "division by zero", "the divisor is 0");
  }

  Val compare(CompareKind kind, Val.Int a, Val.Int b, Span at) {
    if (a.isKnown() && b.isKnown()) {
      int c = Long.compare(a.known(), b.known());
      return new Val.Bool(holds(kind, c));
    }
    return l.result(l.emit(at, new ElementwiseOp.Compare(kind, value(a, at), value(b, at))));
  }

  static boolean holds(CompareKind kind, int order) {
    return switch (kind) {
      case EQ -> order == 0;
      case NE -> order != 0;
      case LT -> order < 0;
      case LE -> order <= 0;
      case GT -> order > 0;
      case GE -> order >= 0;
    };
  }

  /** {@code a / b} rounded up; {@code b} is positive. */
  Val cdiv(Val.Int a, Val.Int b, Span at) {
    if (a.isKnown() && b.isKnown() && b.known() > 0) {
      return Val.Int.of(Math.ceilDiv(a.known(), b.known()));
    }
    Val.Int less = sub(b, Val.Int.of(1), at);
    return binary(BinaryKind.DIV, add(a, less, at), b, at);
  }

  /** The value of an expression as an {@code int}, or null after a report. */
  Val.Int of(Expr e) {
    return of(l.exprs.operand(e));
  }

  Val.Int of(Operand o) {
    return switch (o.val()) {
      case Val.Int i -> i;
      case Val.Tile t when t.rank() == 0 && t.element().isInteger() ->
          (Val.Int) l.result(l.promotion.cast(o.span(), t.value(), Element.I64, CastKind.SATURATE));
      case Val.Failed _ -> null;
      case Val.Num _, Val.Bool _, Val.Tile _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> {
        Diagnostic d = Diagnostic.error(Code.WRONG_KIND, "an `int` is expected here")
            .label(o.span(), "this is " + o.val().describe());
        String text = Suggest.grouped(o.span().text());
        l.error(o.val() instanceof Val.Range ? d.help("`" + text + ".start` is its first index; as an index, `" + text
            + "` alone takes all its lanes") : d);
        yield null;
      }
    };
  }

  /** The value of an expression that must be known at compile time; empty after a report. */
  OptionalLong known(Expr e, String what) {
    Val.Int i = of(e);
    return i == null ? OptionalLong.empty() : known(i, e.span(), what);
  }

  OptionalLong known(Val.Int i, Span at, String what) {
    if (i.isKnown()) {
      return OptionalLong.of(i.known());
    }
    if (i.dim() != null && !told.add(i.dim())) {
      return OptionalLong.empty();
    }
    Diagnostic d = Diagnostic.error(Code.NOT_CONSTANT, what + " must be known at compile time")
        .label(at, i.dim() == null ? "this is known only at run time" : "`" + i.dim() + "` is a run-time dimension");
    if (i.dim() != null) {
      d = d.note(
          "a dimension that a tile's shape uses must be one of the kernel's constants; the tensors still bind it")
          .help("list it: `<…, " + i.dim() + ">`, or walk it with a range: `for j in " + i.dim() + " by …`");
    } else {
      d = d.note("known are literals, `const`s, the kernel's constants `<…>`, and what is computed of them")
          .help("make it one of the kernel's constants, or give a tile a fixed size and mask what is too much with "
              + "`where`");
    }
    l.error(d);
    return OptionalLong.empty();
  }

  /** A size that must be known, as an int; -1 after a report. */
  int size(Expr e, String what) {
    OptionalLong n = known(e, what);
    if (n.isEmpty()) {
      return -1;
    }
    long least = l.isHost() ? 0 : 1;
    if (n.getAsLong() < least || n.getAsLong() > Integer.MAX_VALUE) {
      l.error(Code.TILE_SIZE, e.span(), what + " must be at least " + least + " and below 2^31",
          "this is " + n.getAsLong());
      return -1;
    }
    return (int) n.getAsLong();
  }
}
