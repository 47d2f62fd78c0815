package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Operators.Kind;
import dev.tkc.grammar.lower.Promotion.Rule;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Built-in functions that work element by element, and {@code dot}. */
final class Elementwise {
  private Elementwise() {}

  static Val abs(Arguments a) {
    Operand x = a.operand("x");
    if (x.val() instanceof Val.Num n) {
      return new Val.Num(Math.abs(n.value()));
    }
    if (x.val() instanceof Val.Int i && i.isKnown()) {
      return i.known() == Long.MIN_VALUE ? a.l().ints.tooLarge(a.span(), "abs(" + i.known() + ")")
          : Val.Int.of(Math.abs(i.known()));
    }
    return a.l().operators.elementwise(new Kind("`abs`", Rule.KEEP, true, true, false), List.of(x), a.span(),
        v -> new ElementwiseOp.Unary(UnaryKind.ABS, v.get(0)));
  }

  static Val fma(Arguments a) {
    List<Operand> xs = List.of(a.operand("a"), a.operand("b"), a.operand("c"));
    return a.l().operators.elementwise(new Kind("`fma`", Rule.WIDEN, true, false, false), xs, a.span(),
        v -> new ElementwiseOp.Fma(v.get(0), v.get(1), v.get(2)));
  }

  static Val clamp(Arguments a) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    Operand low = a.operand("low");
    Operand high = a.operand("high");
    if (x.val().failed() || low.val().failed() || high.val().failed()) {
      return Val.FAILED;
    }
    Val raised = l.operators.minMax(BinaryKind.MAX, "clamp", x, low, a.span());
    return raised.failed() ? raised
        : l.operators.minMax(BinaryKind.MIN, "clamp", new Operand(raised, a.span()), high, a.span());
  }

  static Val where(Arguments a) {
    Lowerer l = a.l();
    Operand condition = a.operand("condition");
    Operand yes = a.operand("a");
    Operand no = a.operand("b");
    if (condition.val().failed() || yes.val().failed() || no.val().failed()) {
      return Val.FAILED;
    }
    boolean truth = condition.val() instanceof Val.Bool || condition.val() instanceof Val.Tile t
        && t.element().isBool();
    if (!truth) {
      return l.error(Diagnostic.error(Code.CONDITION, "the first argument of `where` is a truth value for each element")
          .label(condition.span(), "this is " + condition.val().describe())
          .help("compare it: `" + condition.span().text() + " != 0`"));
    }
    if (condition.val().shape().isEmpty() && yes.val() instanceof Val.Int x && no.val() instanceof Val.Int y) {
      return condition.val() instanceof Val.Bool b ? (b.value() ? x : y) : select(l, condition, x, y, a);
    }
    Element e = l.promotion.common(List.of(yes, no), Rule.KEEP, a.span(), "`where`");
    List<Integer> shape = e == null ? null : l.shaping.common(List.of(condition, yes, no), a.span());
    if (shape == null) {
      return Val.FAILED;
    }
    List<Value> v = new ArrayList<>();
    for (Operand o : List.of(yes, no)) {
      v.add(l.shaping.broadcast(o.span(), l.promotion.to(o, e), shape));
    }
    if (condition.val() instanceof Val.Bool b) {
      return l.result(v.get(b.value() ? 0 : 1));
    }
    Value c = l.shaping.broadcast(condition.span(), l.promotion.to(condition, Element.BOOL), shape);
    return l.result(l.emit(a.span(), new ElementwiseOp.Select(c, v.get(0), v.get(1))));
  }

  private static Val select(Lowerer l, Operand condition, Val.Int x, Val.Int y, Arguments a) {
    Value c = l.promotion.to(condition, Element.BOOL);
    return l.result(
        l.emit(a.span(), new ElementwiseOp.Select(c, l.ints.value(x, a.span()), l.ints.value(y, a.span()))));
  }

  static Val dot(Arguments a) {
    Lowerer l = a.l();
    Precision p = precision(a);
    return p == null ? Val.FAILED : l.products.product(a.operand("a"), a.operand("b"), null, p, a.span());
  }

  /** The {@code precision} of a {@code dot}, or null after a report. */
  static Precision precision(Arguments a) {
    if (!a.has("precision")) {
      return Precision.DEFAULT;
    }
    Expr e = a.expr("precision").bare();
    if (e instanceof Expr.Ref r) {
      for (Precision p : List.of(Precision.TF32, Precision.TF32X3, Precision.IEEE)) {
        if (p.name().toLowerCase(Locale.ROOT).equals(r.name().text())) {
          return p;
        }
      }
    }
    a.l().error(Diagnostic.error(Code.ARGUMENTS, "`precision` is one of tf32, tf32x3 and ieee")
        .label(e.span(), "not one of them"));
    return null;
  }
}
