package dev.tkc.grammar.lower;

import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ArgKind;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ReductionOp.ScanKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.stream.IntStream;

/** Built-in reductions and scans. A reduced dimension stays with size 1; without an axis the result is a scalar. */
final class Reductions {
  private Reductions() {}

  /** {@code max(a, b)} of two values, {@code max(x, axis = n)} of one tile. */
  static Val minMax(Arguments a, BinaryKind pair, ReduceKind along) {
    if (!a.has("y")) {
      return reduce(a, along);
    }
    String name = a.call().name().text();
    if (a.has("axis")) {
      return a.l().error(Code.ARGUMENTS, a.expr("axis").span(), "`" + name + "` of two values has no axis", "");
    }
    Operand x = a.operand("x");
    Operand y = a.operand("y");
    return x.val().failed() || y.val().failed() ? Val.FAILED : a.l().operators.minMax(pair, name, x, y, a.span());
  }

  static Val reduce(Arguments a, ReduceKind kind) {
    Operand x = a.operand("x");
    if (x.val().failed() || !defined(a, x, kind)) {
      return Val.FAILED;
    }
    if (x.val().shape().isEmpty()) {
      return scalarOnly(a, x);
    }
    List<Integer> axes = a.has("axis") ? a.axes(a.expr("axis"), x) : all(x);
    return axes == null ? Val.FAILED : reduce(a, x, kind, axes, !a.has("axis"));
  }

  /** A scalar reduced over no axis is itself, in the type of a sum. */
  private static Val scalarOnly(Arguments a, Operand x) {
    if (a.has("axis")) {
      return a.axes(a.expr("axis"), x) == null ? Val.FAILED : x.val();
    }
    return x.val() instanceof Val.Tile || x.val() instanceof Val.Int || x.val() instanceof Val.Num
        ? x.val() : a.l().promotion.wrongKind(x, "a tile");
  }

  private static Val reduce(Arguments a, Operand x, ReduceKind kind, List<Integer> axes, boolean scalar) {
    Lowerer l = a.l();
    Value v = ((Val.Tile) x.val()).value();
    if (kind == ReduceKind.SUM || kind == ReduceKind.PROD) {
      v = l.promotion.cast(x.span(), v, summed(v.tile().element()), CastKind.SATURATE);
    }
    Value r = l.emit(a.span(), new ReductionOp.Reduce(kind, v, axes));
    return scalar ? l.scalarResult(a.span(), l.shaping.reshape(a.span(), r, List.of())) : new Val.Tile(r);
  }

  /** The type of a sum of {@code e}s. */
  private static Element summed(Element e) {
    return switch (e) {
      case BOOL, I8, I16 -> Element.I32;
      case U8, U16 -> Element.U32;
      case F16, BF16, E4M3, E5M2 -> Element.F32;
      case I32, I64, U32, U64, F32, F64, I4, U4, E2M1, E8M0 -> e;
    };
  }

  private static boolean defined(Arguments a, Operand x, ReduceKind kind) {
    Element e = x.val().typed();
    if (e == null) {
      return true;
    }
    boolean ok = switch (kind) {
      case SUM -> !e.isStorageOnly();
      case PROD, MIN, MAX -> !e.isStorageOnly() && !e.isBool();
      case ANY, ALL -> e.isBool();
    };
    if (!ok) {
      a.l().operators.notDefined("`" + a.call().name() + "`", List.of(x));
    }
    return ok;
  }

  private static List<Integer> all(Operand x) {
    return IntStream.range(0, x.val().shape().size()).boxed().toList();
  }

  static Val mean(Arguments a) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    if (x.val().failed()) {
      return Val.FAILED;
    }
    if (x.val().shape().isEmpty()) {
      return scalarOnly(a, x);
    }
    List<Integer> axes = a.has("axis") ? a.axes(a.expr("axis"), x) : all(x);
    if (axes == null || !defined(a, x, ReduceKind.SUM)) {
      return Val.FAILED;
    }
    Value v = ((Val.Tile) x.val()).value();
    Element e = v.tile().element() == Element.F64 ? Element.F64 : Element.F32;
    long count = axes.stream().mapToLong(i -> v.tile().shape().get(i)).reduce(1, (p, q) -> p * q);
    Value wide = l.promotion.cast(x.span(), v, e, CastKind.SATURATE);
    Value sum = l.emit(a.span(), new ReductionOp.Reduce(ReduceKind.SUM, wide, axes));
    sum.definition().annotate(ReductionOp.MEAN, true);
    Value n = l.constant(a.span(), Literal.of(e, Promotion.round(e, (double) count)));
    Value r = l.emit(a.span(),
        new ElementwiseOp.Binary(BinaryKind.DIV, sum, l.shaping.broadcast(a.span(), n, sum.tile().shape())));
    return a.has("axis") ? new Val.Tile(r) : l.result(l.shaping.reshape(a.span(), r, List.of()));
  }

  static Val arg(Arguments a, ArgKind kind) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    Val.Tile t = a.tile(x);
    if (t == null || !defined(a, x, ReduceKind.MAX)) {
      return Val.FAILED;
    }
    if (a.has("axis")) {
      int axis = a.axis(a.expr("axis"), x);
      return axis < 0 ? Val.FAILED : new Val.Tile(l.emit(a.span(), new ReductionOp.ArgReduce(kind, t.value(), axis)));
    }
    int count = (int) t.type().count();
    Value flat = l.shaping.reshape(a.span(), t.value(), List.of(count));
    Value r = l.emit(a.span(), new ReductionOp.ArgReduce(kind, flat, 0));
    return l.scalarResult(a.span(), l.emit(a.span(), new ShapeOp.Reshape(r, List.of())));
  }

  /** {@code rowsum} and its like: {@code axis} of a tile of rank 2. */
  static Val lines(Arguments a, ReduceKind kind, int axis) {
    Operand x = a.operand("x");
    Val.Tile t = x.val().failed() ? null : a.tile(x);
    if (t == null || !defined(a, x, kind)) {
      return Val.FAILED;
    }
    if (t.rank() != 2) {
      String name = a.call().name().text();
      return a.l().error(Diagnostic.error(Code.RANK_MISMATCH, "`" + name + "` is for tiles of rank 2")
          .label(x.span(), "this is " + t.describe())
          .help("name the axis: `" + name.substring(3) + "(…, axis = …)`"));
    }
    return reduce(a, x, kind, List.of(axis), false);
  }

  static Val scan(Arguments a, ScanKind kind) {
    Lowerer l = a.l();
    Operand x = a.operand("x");
    Val.Tile t = x.val().failed() ? null : a.tile(x);
    Boolean reverse = a.flag("reverse");
    Boolean exclusive = a.flag("exclusive");
    if (t == null || reverse == null || exclusive == null) {
      return Val.FAILED;
    }
    int axis = a.axis(a.expr("axis"), x);
    if (axis < 0 || !defined(a, x, kind == ScanKind.MAX ? ReduceKind.MAX : ReduceKind.SUM)) {
      return Val.FAILED;
    }
    Value v = kind == ScanKind.MAX ? t.value()
        : l.promotion.cast(x.span(), t.value(), summed(t.element()), CastKind.SATURATE);
    return new Val.Tile(l.emit(a.span(), new ReductionOp.Scan(kind, v, axis, reverse, exclusive)));
  }

}
