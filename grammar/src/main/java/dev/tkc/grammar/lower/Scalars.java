package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;

/** Built-in functions on ints, ranges and tensors, and random numbers. */
final class Scalars {
  private Scalars() {}

  static Val cdiv(Arguments a) {
    Val.Int x = a.l().ints.of(a.expr("a"));
    Val.Int y = a.l().ints.of(a.expr("b"));
    return x == null || y == null ? Val.FAILED : a.l().ints.cdiv(x, y, a.span());
  }

  static Val alignUp(Arguments a) {
    Val q = cdiv(a);
    Val.Int y = a.l().ints.of(a.expr("b"));
    return q instanceof Val.Int n && y != null ? a.l().ints.mul(n, y, a.span()) : Val.FAILED;
  }

  static Val alignDown(Arguments a) {
    Val.Int x = a.l().ints.of(a.expr("a"));
    Val.Int y = a.l().ints.of(a.expr("b"));
    Val q = x == null || y == null ? Val.FAILED : a.l().ints.binary(BinaryKind.DIV, x, y, a.span());
    return q instanceof Val.Int n ? a.l().ints.mul(n, y, a.span()) : Val.FAILED;
  }

  static Val log2Ceil(Arguments a) {
    var n = a.l().ints.known(a.expr("n"), "the argument of `log2_ceil`");
    if (n.isEmpty()) {
      return Val.FAILED;
    }
    return n.getAsLong() < 1
        ? a.l().error(Code.LITERAL_RANGE, a.expr("n").span(), "`log2_ceil` takes a positive number",
            "this is " + n.getAsLong())
        : Val.Int.of(dev.tkc.ir.num.Integers.log2Ceil(n.getAsLong()));
  }

  private static Val.Range range(Arguments a, String param) {
    Operand o = a.operand(param);
    if (o.val() instanceof Val.Range r) {
      return r;
    }
    if (!o.val().failed()) {
      Diagnostic d = Diagnostic.error(Code.WRONG_KIND, "a range is expected here")
          .label(o.span(), "this is " + o.val().describe());
      a.l().error(o.val() instanceof Val.Int
          ? d.help("`in … by B` binds a range; without `by` the name is an int") : d);
    }
    return null;
  }

  static Val lines(Arguments a, boolean rows) {
    Val.Range r = range(a, rows ? "i" : "j");
    if (r == null) {
      return Val.FAILED;
    }
    Value lanes = a.l().emit(a.span(), new MemoryOp.Lanes(r.value()));
    return new Val.Tile(a.l().shaping.reshape(a.span(), lanes, rows ? List.of(r.size(), 1) : List.of(1, r.size())));
  }

  static Val valid(Arguments a) {
    Val.Range r = range(a, "j");
    if (r == null) {
      return Val.FAILED;
    }
    Value v = a.l().emit(a.span(), new MemoryOp.Valid(r.value()));
    return new Val.Tile(a.l().shaping.reshape(a.span(), v, List.of(1, r.size())));
  }

  static Val span(Arguments a) {
    Lowerer l = a.l();
    Val.Int lo = l.ints.of(a.expr("lo"));
    int size = l.ints.size(a.expr("size"), "the number of lanes of a range");
    Val.Int hi = a.has("hi") ? l.ints.of(a.expr("hi")) : null;
    if (lo == null || size < 1 || a.has("hi") && hi == null || !l.fits(List.of(size), Element.I32, a.span())) {
      return Val.FAILED;
    }
    Val.Int left = hi == null ? null
        : (Val.Int) l.ints.binary(BinaryKind.MAX, l.ints.sub(hi, lo, a.span()), Val.Int.of(0), a.span());
    return l.ranges.make(lo, Val.Int.of(1), left, null, size, a.span());
  }

  static Val view(Arguments a) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    if (x.val().failed()) {
      return Val.FAILED;
    }
    if (!(x.val() instanceof Val.Tensor t)) {
      return l.error(Diagnostic.error(Code.VIEW_SHAPE, "`view` is for tensors")
          .label(x.span(), "this is " + x.val().describe())
          .help("`reshape(x, [..])` changes the shape of a tile"));
    }
    if (!t.contiguous()) {
      return l.error(Diagnostic.error(Code.VIEW_SHAPE, "only a contiguous tensor has views")
          .label(x.span(), "this is " + t.describe()).label(t.declared(), "declared with `strides` here"));
    }
    if (!(a.expr("shape").bare() instanceof Expr.ListOf list) || list.elements().isEmpty()) {
      return l.error(Code.WRONG_KIND, a.expr("shape").span(),
          "a list of sizes such as `[N * M, K]` is expected here", "");
    }
    List<Val.Int> dims = new ArrayList<>();
    for (Expr e : list.elements()) {
      Val.Int n = l.ints.of(e);
      if (n == null) {
        return Val.FAILED;
      }
      dims.add(n);
    }
    Val.Int before = product(l, t.dims(), a.span());
    Val.Int after = product(l, dims, a.span());
    if (before.isKnown() && after.isKnown() && !before.known().equals(after.known())) {
      return l.error(Diagnostic.error(Code.VIEW_SHAPE, "a view keeps the number of elements")
          .label(a.expr("shape").span(), after.known() + " elements")
          .label(x.span(), "this is " + t.describe() + ", " + before.known() + " elements"));
    }
    if (l.ints.compare(ElementwiseOp.CompareKind.EQ, before, after, a.span()) instanceof Val.Tile same) {
      l.append(a.span(), new ControlOp.Assert(same.value(), "a view keeps the number of elements"));
    }
    List<Value> sizes = dims.stream().map(d -> l.ints.value(d, a.span())).toList();
    Value v = l.emit(a.span(), new MemoryOp.View(t.value(), sizes));
    return new Val.Tensor(v, t.element(), dims, t.access(), t.name(), true, a.span());
  }

  private static Val.Int product(Lowerer l, List<Val.Int> dims, Span at) {
    Val.Int n = Val.Int.of(1);
    for (Val.Int d : dims) {
      n = l.ints.mul(n, d, at);
    }
    return n;
  }

  static Val philox(Arguments a) {
    Value v = words(a);
    return v == null ? Val.FAILED : a.l().result(v);
  }

  static Val uniform(Arguments a) {
    Lowerer l = a.l();
    Value words = words(a);
    if (words == null) {
      return Val.FAILED;
    }
    Span at = a.span();
    List<Integer> shape = words.tile().shape();
    Value eight = l.shaping.broadcast(at, l.constant(at, Literal.of(Element.U32, 8L)), shape);
    Value top = l.emit(at, new ElementwiseOp.Binary(BinaryKind.SHR, words, eight));
    Value f = l.promotion.cast(at, top, Element.F32, CastKind.SATURATE);
    Value unit = l.shaping.broadcast(at, l.constant(at, Literal.of(Element.F32, 0x1p-24)), shape);
    return l.result(l.emit(at, new ElementwiseOp.Binary(BinaryKind.MUL, f, unit)));
  }

  private static Value words(Arguments a) {
    Lowerer l = a.l();
    Operand seed = a.operand("seed");
    Operand offset = a.operand("offset");
    Val.Int key = seed.val().failed() ? null : l.ints.of(seed);
    if (key == null || offset.val().failed()) {
      return null;
    }
    Element e = offset.val().typed();
    if (offset.val() instanceof Val.Range || e != null && !e.isInteger() || e == null
        && !(offset.val() instanceof Val.Int)) {
      l.promotion.wrongKind(offset, "a tile of integers");
      return null;
    }
    Value s = l.promotion.cast(seed.span(), l.ints.value(key, seed.span()), Element.U64, CastKind.SATURATE);
    Value o = offset.val() instanceof Val.Int i
        ? l.ints.value(i, offset.span())
        : l.promotion.cast(offset.span(), ((Val.Tile) offset.val()).value(), Element.I64, CastKind.SATURATE);
    return l.emit(a.span(), new ElementwiseOp.Philox(s, o));
  }
}
