package dev.tkc.grammar.lower;

import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.rules.TypeRules;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;

/** Matrix products: {@code @}, {@code dot}, and {@code acc += a @ b}. */
final class Products {
  private final Lowerer l;

  Products(Lowerer l) {
    this.l = l;
  }

  /** {@code a @ b}; {@code acc}, if not null, is the accumulator, whose type and shape {@link #resultType} gave. */
  Val product(Operand a, Operand b, Value acc, Span at) {
    return product(a, b, acc, Precision.DEFAULT, at);
  }

  Val product(Operand a, Operand b, Value acc, Precision precision, Span at) {
    TileType type = resultType(a, b, precision, at);
    if (type == null) {
      return Val.FAILED;
    }
    List<Integer> batch = type.shape().subList(0, type.rank() - 2);
    Value x = batched(a, batch);
    Value y = batched(b, batch);
    Value start = acc != null && TypeRules.bare(acc.type()).equals(type)
        ? acc
        : l.full(at, type, type.element().isFloat() ? Literal.of(type.element(), 0.0) : Literal.of(type.element(), 0L));
    Value product = l.emit(at, new MatrixOp.Dot(x, y, start, precision));
    if (acc == null || start == acc) {
      return l.result(product);
    }
    throw new IllegalStateException("an accumulator " + acc + " for a product " + type);
  }

  private Value batched(Operand o, List<Integer> batch) {
    Value v = ((Val.Tile) o.val()).value();
    List<Integer> s = v.tile().shape();
    int n = s.size();
    List<Integer> full = new ArrayList<>(batch);
    full.addAll(s.subList(n - 2, n));
    if (n < full.size()) {
      List<Integer> ones = new ArrayList<>(java.util.Collections.nCopies(full.size() - n, 1));
      ones.addAll(s);
      v = l.emit(o.span(), new ShapeOp.Reshape(v, ones));
    }
    return l.shaping.broadcast(o.span(), v, full);
  }

  /** The type of {@code a @ b}, or null after a report. */
  TileType resultType(Operand a, Operand b, Precision precision, Span at) {
    if (a.val().failed() || b.val().failed()) {
      return null;
    }
    for (Operand o : List.of(a, b)) {
      if (!(o.val() instanceof Val.Tile t)) {
        l.promotion.wrongKind(o, "a tile");
        return null;
      } else if (t.rank() < 2) {
        l.error(Diagnostic.error(Code.MATMUL_SHAPE, "`@` multiplies tiles of rank 2 and up")
            .label(o.span(), "this is " + o.val().describe())
            .help("give a vector its second dimension with `_`, as in `x[:, _]`"));
        return null;
      }
    }
    Val.Tile x = (Val.Tile) a.val();
    Val.Tile y = (Val.Tile) b.val();
    Element e = element(a, b, precision, at);
    if (e == null) {
      return null;
    }
    List<Integer> s = x.type().shape();
    List<Integer> t = y.type().shape();
    int k1 = s.get(s.size() - 1);
    int k2 = t.get(t.size() - 2);
    if (k1 != k2) {
      Diagnostic d = Diagnostic.error(Code.MATMUL_SHAPE,
          "inner dimensions " + k1 + " and " + k2 + " do not match in `@`")
          .label(a.span(), "this is " + x.describe())
          .label(b.span(), "this is " + y.describe())
          .note("the last dimension of the left operand meets the second to last of the right one");
      if (k1 == t.get(t.size() - 1)) {
        String turned = Suggest.grouped(b.span().text()) + ".T";
        d = d.help("transpose the right operand: `" + turned + "`", b.span(), turned);
      }
      l.error(d);
      return null;
    }
    List<Integer> shape = batch(a, b, s, t);
    if (shape == null) {
      return null;
    }
    shape.add(s.get(s.size() - 2));
    shape.add(t.get(t.size() - 1));
    return l.fits(shape, e, at) ? TileType.of(e, shape) : null;
  }

  private List<Integer> batch(Operand a, Operand b, List<Integer> s, List<Integer> t) {
    int n = Math.max(s.size(), t.size()) - 2;
    List<Integer> shape = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      int p = i - (n - s.size() + 2);
      int q = i - (n - t.size() + 2);
      int x = p < 0 ? 1 : s.get(p);
      int y = q < 0 ? 1 : t.get(q);
      if (x != y && x != 1 && y != 1) {
        l.error(Diagnostic.error(Code.MATMUL_SHAPE, "batch dimensions " + x + " and " + y + " do not match in `@`")
            .label(a.span(), "this is " + a.val().describe())
            .label(b.span(), "this is " + b.val().describe()));
        return null;
      }
      shape.add(x == 1 ? y : x);
    }
    return shape;
  }

  private Element element(Operand a, Operand b, Precision precision, Span at) {
    Element x = a.val().typed();
    Element y = b.val().typed();
    Element acc = TypeRules.accumulator(x, y);
    if (acc == null) {
      Diagnostic d = Diagnostic.error(Code.MIXED_TYPES, "`@` cannot multiply " + x.text() + " and " + y.text())
          .label(a.span(), "this is " + a.val().describe())
          .label(b.span(), "this is " + b.val().describe())
          .note("operands have one element type, or are e4m3 with e5m2, or i8 with u8");
      Element join = Promotion.join(x, y);
      if (join != null && TypeRules.accumulator(join, join) != null) {
        // In a kernel a product of f32 would be the slow way out; what computes in f32 mostly comes from a narrow type.
        boolean down = join == Element.F32 && !l.isHost();
        Operand other = (x == join) == down ? a : b;
        String to = other == a ? y.text() : x.text();
        d = d.help("convert one of them: `as " + to + "`" + (down ? ", which rounds" : ""), other.span(),
            "(" + other.span().text() + " as " + to + ")");
      }
      l.error(d);
      return null;
    }
    if (x == Element.F32 && precision == Precision.DEFAULT && !l.isHost()) {
      String call = "dot(" + a.span().text() + ", " + b.span().text() + ", precision = tf32)";
      l.error(Diagnostic.error(Code.F32_MATMUL, "`@` of f32 tiles does not say how precise it is")
          .label(a.span(), "this is " + a.val().describe())
          .label(b.span(), "this is " + b.val().describe())
          .note("matrix units multiply f32 as tf32 (10 bits of mantissa); three such products come close to f32")
          .help("say which: `dot(…, precision = tf32 | tf32x3 | ieee)`", at, call));
      return null;
    }
    if (x != Element.F32 && precision != Precision.DEFAULT) {
      l.error(Diagnostic.error(Code.ELEMENT_TYPE, "`precision` is for products of f32 tiles")
          .label(a.span(), "this is " + a.val().describe()));
      return null;
    }
    return acc;
  }
}
