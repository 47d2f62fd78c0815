package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Promotion.Rule;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.Shapes;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;

/** Built-in functions that make tiles or change their shape. */
final class Shapings {
  private Shapings() {}

  static Val reshape(Arguments a) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    List<Integer> shape = a.sizes(a.expr("shape"), l.dimension());
    if (x.val().failed() || shape == null) {
      return Val.FAILED;
    }
    if (!(x.val() instanceof Val.Tile t)) {
      return l.promotion.wrongKind(x, "a tile");
    }
    if (!l.fits(shape, t.element(), a.span())) {
      return Val.FAILED;
    }
    if (Shapes.count(shape) != t.type().count()) {
      return l.error(Diagnostic.error(Code.RESHAPE, "`reshape` keeps the number of elements")
          .label(a.expr("shape").span(), Shapes.text(shape) + " has " + Shapes.count(shape) + " elements")
          .label(x.span(), "this is " + t.describe() + ", " + t.type().count() + " elements"));
    }
    return new Val.Tile(l.shaping.reshape(a.span(), t.value(), shape));
  }

  static Val permute(Arguments a) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    Val.Tile t = x.val().failed() ? null : a.tile(x);
    if (t == null) {
      return Val.FAILED;
    }
    if (!(a.expr("order").bare() instanceof Expr.ListOf list) || list.elements().size() != t.rank()) {
      return l.error(Diagnostic.error(Code.AXIS, "`permute` takes a list of all axes in their new order")
          .label(a.expr("order").span(), "")
          .label(x.span(), "this is " + t.describe()));
    }
    List<Integer> order = new ArrayList<>();
    for (Expr e : list.elements()) {
      int n = a.axis(e, x);
      if (n < 0) {
        return Val.FAILED;
      }
      if (order.contains(n)) {
        return l.error(Code.AXIS, e.span(), "axis " + n + " is named twice", "again here");
      }
      order.add(n);
    }
    return new Val.Tile(l.emit(a.span(), new ShapeOp.Permute(t.value(), order)));
  }

  static Val concat(Arguments a) {
    Lowerer l = a.l();
    List<Operand> parts = a.rest().stream().map(l.exprs::operand).toList();
    if (parts.stream().anyMatch(o -> o.val().failed() || a.tile(o) == null)) {
      return Val.FAILED;
    }
    int axis = a.axis(a.expr("axis"), parts.get(0));
    Element e = axis < 0 ? null : l.promotion.common(parts, Rule.KEEP, a.span(), "`concat`");
    if (e == null) {
      return Val.FAILED;
    }
    List<Integer> first = parts.get(0).val().shape();
    int total = 0;
    List<Value> values = new ArrayList<>();
    for (Operand o : parts) {
      List<Integer> s = o.val().shape();
      if (s.size() != first.size() || !Shapes.reduced(s, List.of(axis)).equals(Shapes.reduced(first, List.of(axis)))) {
        return l.error(
            Diagnostic.error(Code.SHAPE_MISMATCH, "`concat` joins tiles that differ along axis " + axis + " only")
            .label(o.span(), "this is " + o.val().describe())
            .label(parts.get(0).span(), "this is " + parts.get(0).val().describe()));
      }
      total += s.get(axis);
      values.add(l.promotion.to(o, e));
    }
    List<Integer> shape = new ArrayList<>(first);
    shape.set(axis, total);
    return l.fits(shape, e, a.span()) ? new Val.Tile(l.emit(a.span(), new ShapeOp.Concat(values, axis))) : Val.FAILED;
  }

  static Val split(Arguments a) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    Val.Tile t = x.val().failed() ? null : a.tile(x);
    int n = l.ints.size(a.expr("n"), "the number of parts");
    int axis = t == null ? -1 : a.axis(a.expr("axis"), x);
    if (t == null || n < 1 || axis < 0) {
      return Val.FAILED;
    }
    int size = t.type().shape().get(axis);
    if (size % n != 0) {
      return l.error(
          Diagnostic.error(Code.RESHAPE, "a dimension of " + size + " does not split into " + n + " equal parts")
          .label(a.expr("n").span(), n + " parts")
          .label(x.span(), "this is " + t.describe()));
    }
    List<Integer> shape = new ArrayList<>(t.type().shape());
    shape.set(axis, size / n);
    List<Val> parts = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      List<Integer> offsets = new ArrayList<>(java.util.Collections.nCopies(t.rank(), 0));
      offsets.set(axis, i * (size / n));
      parts.add(new Val.Tile(l.emit(a.span(), new ShapeOp.Slice(t.value(), offsets, shape))));
    }
    return n == 1 ? parts.get(0) : new Val.Many(parts);
  }

  static Val iota(Arguments a) {
    Lowerer l = a.l();
    int n = l.ints.size(a.expr("n"), l.dimension());
    return n >= 0 && l.fits(List.of(n), Element.I32, a.span())
        ? new Val.Tile(l.emit(a.span(), new ShapeOp.Iota(n))) : Val.FAILED;
  }

  static Val zeros(Arguments a) {
    TileType type = a.l().types.argument(a.expr("type"));
    if (type == null || !made(a, type)) {
      return Val.FAILED;
    }
    Element e = type.element();
    Literal zero = e.isFloat() ? Literal.of(e, 0.0) : e.isBool() ? Literal.of(false) : Literal.of(e, 0L);
    return a.l().result(a.l().full(a.span(), type, zero));
  }

  static Val fill(Arguments a) {
    Lowerer l = a.l();
    Operand value = a.operand("value");
    TileType type = l.types.argument(a.expr("type"));
    if (type == null && !value.val().failed()) {
      // Sizes that are wrong hide nothing of what is wrong with the value.
      l.types.written(a.expr("type")).ifPresent(e -> filled(a, value, e));
    }
    if (type == null || value.val().failed() || !made(a, type)) {
      return Val.FAILED;
    }
    Value v = filled(a, value, type.element());
    return v == null ? Val.FAILED : l.result(l.shaping.broadcast(a.span(), v, type.shape()));
  }

  /** The scalar that fills a tile; null after a report. */
  private static Value filled(Arguments a, Operand value, Element element) {
    Lowerer l = a.l();
    if (!value.val().shape().isEmpty()) {
      l.error(Code.RANK_MISMATCH, value.span(), "`fill` takes a scalar", "this is " + value.val().describe());
      return null;
    }
    boolean literal = value.val() instanceof Val.Num || value.val() instanceof Val.Int;
    return literal && element.isFloat() ? l.promotion.to(value, element)
        : l.promotion.widenTo(value, element, "the tile holds");
  }

  private static boolean made(Arguments a, TileType type) {
    if (type.element().isStorageOnly()) {
      a.l().error(Diagnostic.error(Code.ELEMENT_TYPE,
          type.element().text() + " is a storage type: a tile of it comes from a load or `as` only")
          .label(a.expr("type").span(), ""));
      return false;
    }
    return true;
  }

  static Val bitcast(Arguments a) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    TileType type = l.types.argument(a.expr("type"));
    if (type == null || x.val().failed()) {
      return Val.FAILED;
    }
    if (!(x.val() instanceof Val.Tile t) || t.element().bits() != type.element().bits() || t.element().isBool()) {
      return l.error(Code.ELEMENT_TYPE, a.span(), "`bitcast` is between types of one width",
          "this is " + x.val().describe());
    }
    return l.result(l.emit(a.span(), new ElementwiseOp.Bitcast(t.value(), type.element())));
  }
}
