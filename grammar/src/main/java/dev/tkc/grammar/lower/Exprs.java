package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Expressions: one method for each form, which gives a value or {@link Val#FAILED} after a report. */
final class Exprs {
  private final Lowerer l;

  Exprs(Lowerer l) {
    this.l = l;
  }

  Operand operand(Expr e) {
    return new Operand(one(e), e.span());
  }

  /** The value of an expression that gives exactly one. */
  Val one(Expr e) {
    Val v = value(e);
    if (v instanceof Val.Many m) {
      return l.error(Diagnostic.error(Code.RESULT_COUNT, "one value is expected here")
          .label(e.span(), "this gives " + m.values().size())
          .help("take them apart first: `let a, b = …`; `_` discards one"));
    }
    return v;
  }

  Val value(Expr e) {
    return switch (e) {
      case Expr.IntLit i -> i.value().bitLength() < 64
          ? Val.Int.of(i.value().longValue())
          : l.error(Diagnostic.error(Code.LITERAL_RANGE, "this number does not fit in `int`")
              .label(i.span(), "`int` ends at 9223372036854775807"));
      case Expr.FloatLit f -> new Val.Num(f.value());
      case Expr.BoolLit b -> new Val.Bool(b.value());
      case Expr.StringLit s ->
          l.error(Code.WRONG_KIND, s.span(), "a text is no value", "texts stand in `import`, `test` and `assert`");
      case Expr.Ref r -> ref(r.name());
      case Expr.Call c -> l.calls.call(c);
      case Expr.Member m -> member(m);
      case Expr.At a -> at(a, Optional.empty(), a.span());
      case Expr.Pad p -> pad(p);
      case Expr.Unary u -> l.operators.unary(u.op(), operand(u.operand()), u.span());
      case Expr.Binary b -> binary(b);
      case Expr.Cast c -> cast(c);
      case Expr.Choose c -> l.branches.choose(c);
      case Expr.Paren p -> value(p.inner());
      case Expr.Tuple t -> l.error(Diagnostic.error(Code.WRONG_KIND, "a tuple is no value")
          .label(t.span(), "tuples stand only in the list that a test's `for` walks"));
      case Expr.ListOf list -> HostValues.list(l, list);
    };
  }

  // ------------------------------------------------------------------------------------------------ names

  private Val ref(Name name) {
    Scope.Entry entry = l.scope().find(name.text());
    if (entry != null) {
      if (entry.val() instanceof Val.Type) {
        return l.error(Code.WRONG_KIND, name.span(), "`" + name + "` is a type", "a value is expected here");
      }
      return entry.val();
    }
    Optional<Val> constant = constant(name);
    if (constant.isPresent()) {
      return constant.get();
    }
    return l.error(unknown(name));
  }

  private Optional<Val> constant(Name name) {
    Optional<Item.Const> item = l.library.constant(name.text());
    if (l.library.isAmbiguous(name.text()) && item.isPresent()) {
      return Optional.of(Val.FAILED);
    }
    if (item.isPresent()) {
      return Optional.of(l.calls.constant(item.get(), name.span()));
    }
    return switch (name.text()) {
      case "LOG2E" -> Optional.of(new Val.Num(1.4426950408889634));
      case "PI" -> Optional.of(new Val.Num(Math.PI));
      case "inf" -> Optional.of(new Val.Num(Double.POSITIVE_INFINITY));
      case "nan" -> Optional.of(new Val.Num(Double.NaN));
      default -> Optional.empty();
    };
  }

  private Diagnostic unknown(Name name) {
    String word = name.text();
    if (l.library.kernel(word).isPresent()) {
      return Diagnostic.error(Code.WRONG_KIND, "`" + word + "` is a kernel").label(name.span(), "a kernel is no value");
    }
    if (l.library.function(word).isPresent() || Builtins.TABLE.containsKey(word)) {
      return Diagnostic.error(Code.WRONG_KIND, "`" + word + "` is a function")
          .label(name.span(), "it must be called: `" + word + "(…)`");
    }
    if (Element.byText(word).isPresent()) {
      return Diagnostic.error(Code.WRONG_KIND, "`" + word + "` is a type")
          .label(name.span(), "a value is expected here");
    }
    Diagnostic d = Diagnostic.error(Code.UNKNOWN_NAME, "there is no `" + word + "` here")
        .label(name.span(), "not found");
    List<String> names = new ArrayList<>(l.scope().names());
    names.addAll(l.library.constantNames());
    names.addAll(List.of("LOG2E", "PI", "inf", "nan"));
    return Suggest.closest(word, names)
        .map(c -> d.help("did you mean `" + c + "`?", name.span(), c))
        .orElse(d);
  }

  // ------------------------------------------------------------------------------------------------ postfix

  private Val member(Expr.Member m) {
    Operand base = operand(m.base());
    return switch (base.val()) {
      case Val.Failed f -> f;
      case Val.Range r -> l.ranges.member(r, m.name(), m.span());
      case Val.Tile t when m.name().text().equals("T") -> transpose(t, base, m.span());
      case Val.Tensor t when m.name().text().equals("T") -> l.promotion.wrongKind(base, "a tile");
      case Val.Tile _, Val.Tensor _, Val.Int _, Val.Num _, Val.Bool _, Val.Many _, Val.Type _ ->
          l.error(Diagnostic.error(Code.UNKNOWN_MEMBER, "there is no member `" + m.name() + "` here")
              .label(m.name().span(), "not a member")
              .label(base.span(), "this is " + base.val().describe())
              .note("tiles have `.T`; ranges have .start .end .size .count .index .valid"));
    };
  }

  private Val transpose(Val.Tile t, Operand base, Span at) {
    int n = t.rank();
    if (n < 2) {
      return l.error(Diagnostic.error(Code.RANK_MISMATCH, "`.T` swaps the last two dimensions")
          .label(base.span(), "this is " + t.describe())
          .help("give it a second dimension with `_`: `[:, _]` or `[_, :]`"));
    }
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      order.add(i);
    }
    Collections.swap(order, n - 2, n - 1);
    return new Val.Tile(l.emit(at, new ShapeOp.Permute(t.value(), order)));
  }

  private Val at(Expr.At a, Optional<Operand> pad, Span span) {
    Operand base = operand(a.base());
    if (pad.isPresent() && !(base.val() instanceof Val.Tensor) && !base.val().failed()) {
      return notALoad(base.span(), pad.get().span());
    }
    return switch (base.val()) {
      case Val.Failed f -> f;
      case Val.Tensor t -> l.accesses.load(t, a.indices(), span, pad);
      case Val.Range r -> l.ranges.indices(r, a.indices(), a.span());
      case Val.Tile _ -> TileIndexing.index(l, base, a.indices(), a.span());
      case Val.Int _, Val.Num _, Val.Bool _, Val.Many _, Val.Type _ ->
          l.error(Diagnostic.error(Code.WRONG_KIND, "this cannot be indexed")
              .label(base.span(), "this is " + base.val().describe()));
    };
  }

  private Val pad(Expr.Pad p) {
    if (!(p.load().bare() instanceof Expr.At a)) {
      return notALoad(p.load().span(), p.value().span());
    }
    return at(a, Optional.of(operand(p.value())), p.span());
  }

  private Val notALoad(Span at, Span value) {
    return l.error(Diagnostic.error(Code.PAD, "`pad` belongs to a load from a tensor")
        .label(at, "this is not a load")
        .label(value, "the value of what lies outside")
        .help("write it right after the access, as in `(a[i, k] pad 0) * 2`"));
  }

  // ------------------------------------------------------------------------------------------------ operators

  private Val binary(Expr.Binary b) {
    if (b.op().isComparison() && b.left() instanceof Expr.Binary left && left.op().isComparison()) {
      String middle = left.right().span().text();
      return l.error(Diagnostic.error(Code.CHAINED_COMPARISON, "comparisons do not chain")
          .label(left.opSpan(), "first comparison")
          .label(b.opSpan(), "second comparison")
          .help("write both: `" + left.span().text() + " and " + middle + " " + b.op().text() + " "
              + b.right().span().text() + "`"));
    }
    if (b.op() == Expr.BinaryOp.AND || b.op() == Expr.BinaryOp.OR) {
      return l.branches.logical(b);
    }
    Operand left = operand(b.left());
    Operand right = operand(b.right());
    return l.operators.binary(b.op(), left, right, b.span());
  }

  private Val cast(Expr.Cast c) {
    Operand x = operand(c.value());
    if (c.type().text().equals("int")) {
      Val.Int i = x.val().failed() ? null : toInt(x);
      return i == null ? Val.FAILED : i;
    }
    Element to = l.types.element(c.type());
    if (to == null || x.val().failed()) {
      return Val.FAILED;
    }
    if (c.wrap() && !to.isFp8() && to != Element.E8M0) {
      return l.error(Code.ELEMENT_TYPE, c.span(), "`wrap` is for conversions to fp8", "this converts to " + to.text());
    }
    CastKind kind = c.wrap() ? CastKind.WRAP : CastKind.SATURATE;
    return switch (x.val()) {
      case Val.Int i when to == Element.I64 -> i;
      case Val.Int i -> converted(l.promotion.cast(c.span(), l.ints.value(i, c.span()), to, kind));
      case Val.Num n -> converted(l.promotion.cast(c.span(), l.constant(c.span(), dev.tkc.ir.op.Literal.of(
          to == Element.F64 ? Element.F64 : Element.F32, to == Element.F64 ? n.value() : (double) (float) n.value())),
              to, kind));
      case Val.Bool b -> converted(l.promotion.cast(c.span(), l.promotion.to(x, Element.BOOL), to, kind));
      case Val.Tile t -> converted(l.promotion.cast(c.span(), t.value(), to, kind));
      case Val.Failed _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ ->
          l.promotion.wrongKind(x, "a tile or a number");
    };
  }

  private Val.Int toInt(Operand x) {
    if (x.val() instanceof Val.Tile t && t.rank() == 0 && !t.element().isInteger()) {
      return (Val.Int) l.result(l.promotion.cast(x.span(), t.value(), Element.I64, CastKind.SATURATE));
    }
    return x.val() instanceof Val.Num n ? Val.Int.of((long) n.value()) : l.ints.of(x);
  }

  private Val converted(Value v) {
    return l.result(v);
  }

  /** One instruction of one operand and the same shape, for the parts that need no more. */
  Value unary(Span at, ElementwiseOp.UnaryKind kind, Value v) {
    return l.emit(at, new ElementwiseOp.Unary(kind, v, l.exact()));
  }
}
