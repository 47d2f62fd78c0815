package dev.tkc.grammar.lower;

import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;

/** How shapes meet: equal rank or rank 0, sizes equal or 1. */
final class Shaping {
  private final Lowerer l;

  Shaping(Lowerer l) {
    this.l = l;
  }

  /** The shape in which {@code operands} meet, or null after a report. */
  List<Integer> common(List<Operand> operands, Span at) {
    Operand first = null;
    List<Integer> shape = List.of();
    for (Operand o : operands) {
      List<Integer> s = o.val().shape();
      if (s.isEmpty()) {
        continue;
      }
      if (first == null) {
        first = o;
        shape = s;
        continue;
      }
      if (s.size() != shape.size()) {
        ranks(first, o);
        return null;
      }
      List<Integer> met = new ArrayList<>();
      for (int i = 0; i < s.size(); i++) {
        int a = shape.get(i);
        int b = s.get(i);
        if (a != b && a != 1 && b != 1) {
          sizes(first, o, i, a, b);
          return null;
        }
        met.add(a == 1 ? b : a);
      }
      shape = met;
    }
    TileType sample = first == null ? null : ((Val.Tile) first.val()).type();
    return sample == null || l.fits(shape, sample.element(), at) ? shape : null;
  }

  private void ranks(Operand a, Operand b) {
    Diagnostic d = Diagnostic.error(Code.RANK_MISMATCH, "tiles of different rank cannot meet")
        .label(b.span(), "this is " + b.val().describe())
        .label(a.span(), "this is " + a.val().describe())
        .note("operands have equal rank, or rank 0; a dimension of size 1 repeats");
    Operand small = a.val().shape().size() < b.val().shape().size() ? a : b;
    Operand large = small == a ? b : a;
    if (small.val().shape().size() == 1 && large.val().shape().size() == 2) {
      boolean row = small.val().shape().get(0).equals(large.val().shape().get(1));
      String text = withAxis(small.span().text(), row);
      d = d.help("say which dimension is missing with `_`: `" + text + "`", small.span(), text);
    } else {
      d = d.help("give the smaller one its missing dimensions with `_` in an index");
    }
    l.error(d);
  }

  /** The text of a vector with its missing dimension: inside the brackets of an access, else behind it. */
  private static String withAxis(String text, boolean row) {
    int open = text.lastIndexOf('[');
    boolean access = open > 0 && text.endsWith("]") && Character.isJavaIdentifierPart(text.charAt(open - 1))
        && text.indexOf(']') == text.length() - 1;
    if (!access) {
      return text + (row ? "[_, :]" : "[:, _]");
    }
    String inside = text.substring(open + 1, text.length() - 1);
    return text.substring(0, open + 1) + (row ? "_, " + inside : inside + ", _") + "]";
  }

  private void sizes(Operand a, Operand b, int dim, int sizeA, int sizeB) {
    Diagnostic d = Diagnostic.error(Code.SHAPE_MISMATCH,
        "sizes " + sizeA + " and " + sizeB + " do not match in dimension " + dim)
        .label(b.span(), "this is " + b.val().describe())
        .label(a.span(), "this is " + a.val().describe());
    List<Integer> s = a.val().shape();
    List<Integer> t = b.val().shape();
    if (s.size() == 2 && (s.get(0).equals(t.get(1)) || s.get(0) == 1) && (s.get(1).equals(t.get(0)) || s.get(1) == 1)) {
      d = d.help("`.T` swaps the last two dimensions");
    }
    l.error(d);
  }

  /** A value of rank 0 or of the same rank, repeated to {@code shape}. */
  Value broadcast(Span at, Value v, List<Integer> shape) {
    TileType t = v.tile();
    if (t.shape().equals(shape)) {
      return v;
    }
    return l.emit(at, t.isScalar() ? new ShapeOp.Splat(v, shape) : new ShapeOp.Broadcast(v, shape));
  }

  Value reshape(Span at, Value v, List<Integer> shape) {
    return v.tile().shape().equals(shape) ? v : l.emit(at, new ShapeOp.Reshape(v, shape));
  }

  /** Whether a tile of {@code from} repeats to {@code to}. */
  static boolean repeats(List<Integer> from, List<Integer> to) {
    if (from.isEmpty()) {
      return true;
    }
    if (from.size() != to.size()) {
      return false;
    }
    for (int i = 0; i < to.size(); i++) {
      if (from.get(i) != 1 && !from.get(i).equals(to.get(i))) {
        return false;
      }
    }
    return true;
  }
}
