package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Promotion.Rule;
import dev.tkc.grammar.syntax.Expr.BinaryOp;
import dev.tkc.grammar.syntax.Expr.UnaryOp;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Operators and elementwise functions: types meet, shapes meet, one instruction. */
final class Operators {
  private final Lowerer l;

  Operators(Lowerer l) {
    this.l = l;
  }

  /** What {@link #elementwise} needs to know of an operation. */
  record Kind(String what, Rule rule, boolean floats, boolean integers, boolean bools) {}

  Val binary(BinaryOp op, Operand a, Operand b, Span at) {
    if (a.val().failed() || b.val().failed()) {
      return Val.FAILED;
    }
    return switch (op) {
      case MATMUL -> l.products.product(a, b, null, at);
      case EQ, NE, LT, LE, GT, GE -> compare(compareKind(op), op.text(), a, b, at);
      case AND, OR -> logical(op == BinaryOp.AND, a, b, at);
      case POW -> arithmetic(BinaryKind.POW, op.text(), a, b, at);
      case MUL -> arithmetic(BinaryKind.MUL, op.text(), a, b, at);
      case DIV -> arithmetic(BinaryKind.DIV, op.text(), a, b, at);
      case MOD -> arithmetic(BinaryKind.REM, op.text(), a, b, at);
      case ADD -> arithmetic(BinaryKind.ADD, op.text(), a, b, at);
      case SUB -> arithmetic(BinaryKind.SUB, op.text(), a, b, at);
      case SHL -> shift(BinaryKind.SHL, op.text(), a, b, at);
      case SHR -> shift(BinaryKind.SHR, op.text(), a, b, at);
      case BIT_AND -> bits(BinaryKind.AND, op.text(), a, b, at);
      case BIT_XOR -> bits(BinaryKind.XOR, op.text(), a, b, at);
      case BIT_OR -> bits(BinaryKind.OR, op.text(), a, b, at);
    };
  }

  Val arithmetic(BinaryKind kind, String text, Operand a, Operand b, Span at) {
    if (a.val() instanceof Val.Int x && b.val() instanceof Val.Int y) {
      return l.ints.binary(kind, x, y, at);
    }
    if (a.val() instanceof Val.Range || b.val() instanceof Val.Range) {
      return l.ranges.affine(kind, a, b, at);
    }
    boolean divides = kind == BinaryKind.DIV || kind == BinaryKind.REM;
    if (divides && b.val() instanceof Val.Int zero && zero.isKnown() && zero.known() == 0
        && a.val() instanceof Val.Tile t && t.element().isInteger()) {
      return l.ints.byZero(b.span());
    }
    if (isConstant(a) && isConstant(b)) {
      Val folded = fold(kind, number(a), number(b));
      if (folded != null) {
        return folded;
      }
    }
    return elementwise(new Kind("`" + text + "`", Rule.WIDEN, true, true, false), List.of(a, b), at,
        v -> new ElementwiseOp.Binary(kind, v.get(0), v.get(1), l.exact()));
  }

  private static boolean isConstant(Operand o) {
    return o.val() instanceof Val.Num || o.val() instanceof Val.Int i && i.isKnown();
  }

  private static float number(Operand o) {
    return o.val() instanceof Val.Num n ? (float) n.value() : (float) (long) ((Val.Int) o.val()).known();
  }

  /** Two literals alone are f32. */
  private static Val fold(BinaryKind kind, float a, float b) {
    return switch (kind) {
      case ADD -> new Val.Num(a + b);
      case SUB -> new Val.Num(a - b);
      case MUL -> new Val.Num(a * b);
      case DIV -> new Val.Num(a / b);
      case MIN -> new Val.Num(Math.min(a, b));
      case MAX -> new Val.Num(Math.max(a, b));
      case REM, POW, AND, OR, XOR, SHL, SHR -> null;
    };
  }

  private Val bits(BinaryKind kind, String text, Operand a, Operand b, Span at) {
    if (a.val() instanceof Val.Int x && b.val() instanceof Val.Int y) {
      return l.ints.binary(kind, x, y, at);
    }
    return elementwise(new Kind("`" + text + "`", Rule.KEEP, false, true, true), List.of(a, b), at,
        v -> new ElementwiseOp.Binary(kind, v.get(0), v.get(1)));
  }

  /** The left operand's type stays. */
  private Val shift(BinaryKind kind, String text, Operand a, Operand b, Span at) {
    if (a.val() instanceof Val.Int x && b.val() instanceof Val.Int y) {
      return l.ints.binary(kind, x, y, at);
    }
    Kind k = new Kind("`" + text + "`", Rule.KEEP, false, true, false);
    return elementwise(k, List.of(a, b), at, v -> new ElementwiseOp.Binary(kind, v.get(0), v.get(1)));
  }

  Val minMax(BinaryKind kind, String text, Operand a, Operand b, Span at) {
    if (a.val() instanceof Val.Int x && b.val() instanceof Val.Int y) {
      return l.ints.binary(kind, x, y, at);
    }
    if (isConstant(a) && isConstant(b)) {
      return fold(kind, number(a), number(b));
    }
    return elementwise(new Kind("`" + text + "`", Rule.KEEP, true, true, false), List.of(a, b), at,
        v -> new ElementwiseOp.Binary(kind, v.get(0), v.get(1)));
  }

  private static CompareKind compareKind(BinaryOp op) {
    return switch (op) {
      case EQ -> CompareKind.EQ;
      case NE -> CompareKind.NE;
      case LT -> CompareKind.LT;
      case LE -> CompareKind.LE;
      case GT -> CompareKind.GT;
      case GE -> CompareKind.GE;
      case POW, MUL, DIV, MOD, MATMUL, ADD, SUB, SHL, SHR, BIT_AND, BIT_XOR, BIT_OR, AND, OR ->
          throw new IllegalStateException(op.text() + " compares nothing");
    };
  }

  private Val compare(CompareKind kind, String text, Operand a, Operand b, Span at) {
    if (a.val() instanceof Val.Int x && b.val() instanceof Val.Int y) {
      return l.ints.compare(kind, x, y, at);
    }
    if (a.val() instanceof Val.Bool x && b.val() instanceof Val.Bool y && kind.ordinal() < 2) {
      return new Val.Bool((x.value() == y.value()) == (kind == CompareKind.EQ));
    }
    if (isConstant(a) && isConstant(b)) {
      float x = number(a);
      float y = number(b);
      boolean unordered = Float.isNaN(x) || Float.isNaN(y);
      return new Val.Bool(unordered ? kind == CompareKind.NE : Ints.holds(kind, x < y ? -1 : x > y ? 1 : 0));
    }
    boolean equality = kind == CompareKind.EQ || kind == CompareKind.NE;
    return elementwise(new Kind("`" + text + "`", Rule.WIDEN, true, true, equality), List.of(a, b), at,
        v -> new ElementwiseOp.Compare(kind, v.get(0), v.get(1)));
  }

  private Val logical(boolean and, Operand a, Operand b, Span at) {
    if (a.val() instanceof Val.Bool x) {
      return x.value() == and ? asBool(b, and) : x;
    }
    if (b.val() instanceof Val.Bool y) {
      return y.value() == and ? asBool(a, and) : y;
    }
    BinaryKind kind = and ? BinaryKind.AND : BinaryKind.OR;
    return elementwise(new Kind(and ? "`and`" : "`or`", Rule.KEEP, false, false, true), List.of(a, b), at,
        v -> new ElementwiseOp.Binary(kind, v.get(0), v.get(1)));
  }

  private Val asBool(Operand o, boolean and) {
    if (o.val() instanceof Val.Bool || o.val() instanceof Val.Tile t && t.element().isBool()) {
      return o.val();
    }
    return notDefined(and ? "`and`" : "`or`", List.of(o));
  }

  Val unary(UnaryOp op, Operand x, Span at) {
    if (x.val().failed()) {
      return Val.FAILED;
    }
    return switch (op) {
      case NEG -> neg(x, at);
      case BIT_NOT -> x.val() instanceof Val.Int i
          ? l.ints.binary(BinaryKind.XOR, i, Val.Int.of(-1), at)
          : elementwise(new Kind("`~`", Rule.KEEP, false, true, false), List.of(x), at,
              v -> new ElementwiseOp.Unary(UnaryKind.NOT, v.get(0)));
      case NOT -> x.val() instanceof Val.Bool b
          ? new Val.Bool(!b.value())
          : elementwise(new Kind("`not`", Rule.KEEP, false, false, true), List.of(x), at,
              v -> new ElementwiseOp.Unary(UnaryKind.NOT, v.get(0)));
    };
  }

  Val neg(Operand x, Span at) {
    if (x.val() instanceof Val.Num n) {
      return new Val.Num(-n.value());
    }
    if (x.val() instanceof Val.Int i) {
      return l.ints.binary(BinaryKind.SUB, Val.Int.of(0), i, at);
    }
    if (x.val() instanceof Val.Range) {
      return l.ranges.affine(BinaryKind.MUL, x, new Operand(Val.Int.of(-1), at), at);
    }
    return elementwise(new Kind("`-`", Rule.KEEP, true, true, false), List.of(x), at,
        v -> new ElementwiseOp.Unary(UnaryKind.NEG, v.get(0)));
  }

  /** A function of floats; an integer or literal becomes f32. */
  Val function(UnaryKind kind, String name, Operand x, Span at) {
    if (x.val().failed()) {
      return Val.FAILED;
    }
    if (x.val() instanceof Val.Int) {
      Operand f = new Operand(new Val.Tile(l.promotion.to(x, Element.F32)), x.span());
      return function(kind, name, f, at);
    }
    return elementwise(new Kind("`" + name + "`", Rule.WIDEN, true, false, false), List.of(x), at,
        v -> new ElementwiseOp.Unary(kind, v.get(0), l.exact()));
  }

  /** Operands meet in type and shape, then {@code op} is emitted. */
  Val elementwise(Kind kind, List<Operand> operands, Span at, Function<List<Value>, Op> op) {
    List<Value> values = meet(kind, operands, at);
    return values == null ? Val.FAILED : l.result(l.emit(at, op.apply(values)));
  }

  /** The operands as values of one type and shape, or null after a report. */
  List<Value> meet(Kind kind, List<Operand> operands, Span at) {
    for (Operand o : operands) {
      if (o.val().failed()) {
        return null;
      }
    }
    Element e = l.promotion.common(operands, kind.rule(), at, kind.what());
    if (e == null) {
      return null;
    }
    boolean allowed = e.isFloat() ? kind.floats() : e.isBool() ? kind.bools() : kind.integers();
    if (!allowed) {
      notDefined(kind.what(), operands);
      return null;
    }
    List<Integer> shape = l.shaping.common(operands, at);
    if (shape == null) {
      return null;
    }
    List<Value> values = new ArrayList<>();
    for (Operand o : operands) {
      values.add(l.shaping.broadcast(o.span(), l.promotion.to(o, e), shape));
    }
    return values;
  }

  Val notDefined(String what, List<Operand> operands) {
    Diagnostic d = Diagnostic.error(Code.ELEMENT_TYPE, what + " is not defined on " + kindOf(operands.get(0)));
    for (Operand o : operands) {
      d = d.label(o.span(), "this is " + o.val().describe());
    }
    boolean bool = operands.stream().anyMatch(o -> o.val().typed() == Element.BOOL || o.val() instanceof Val.Bool);
    if (bool) {
      d = d.help("a truth value becomes a number with `as i32`, and chooses with `where(condition, a, b)`");
    } else if (operands.stream().anyMatch(o -> o.val().typed() != null && o.val().typed().isInteger())) {
      d = what.equals("`and`") || what.equals("`or`") || what.equals("`not`")
          ? d.help("`& | ~` work on the bits of integers; a comparison such as `x != 0` gives a truth value")
          : d.help("convert it first: `as f32`");
    } else if (what.equals("`and`") || what.equals("`or`") || what.equals("`not`")) {
      d = d.help("a comparison such as `x != 0` gives a truth value");
    }
    return l.error(d);
  }

  private static String kindOf(Operand o) {
    Element e = o.val().typed();
    return e != null ? e.text() : o.val().describe();
  }
}
