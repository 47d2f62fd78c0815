package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.num.Philox;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.type.Element;

/**
 * Element by element. The shape is taken from the operands, not from the instruction's type, so that functions of
 * scalars can be run on rows.
 */
final class ElementwiseEval {
  private final Machine machine;

  ElementwiseEval(Machine machine) {
    this.machine = machine;
  }

  Tile evaluate(Inst inst, ElementwiseOp op, Frame frame) {
    return switch (op) {
      case ElementwiseOp.Constant o -> Tile.scalar(o.value());
      case ElementwiseOp.Unary o -> unary(inst, o.kind(), frame.tile(o.x()));
      case ElementwiseOp.Binary o -> binary(inst, o.kind(), frame.tile(o.lhs()), frame.tile(o.rhs()));
      case ElementwiseOp.Compare o -> compare(inst, o.kind(), frame.tile(o.lhs()), frame.tile(o.rhs()));
      case ElementwiseOp.Select o ->
          select(inst, frame.tile(o.condition()), frame.tile(o.then()), frame.tile(o.otherwise()));
      case ElementwiseOp.Fma o -> fma(inst, frame.tile(o.a()), frame.tile(o.b()), frame.tile(o.c()));
      case ElementwiseOp.Cast o -> cast(inst, frame.tile(o.x()), o.to(), o.kind());
      case ElementwiseOp.Bitcast o -> bitcast(inst, frame.tile(o.x()), o.to());
      case ElementwiseOp.Philox o -> philox(inst, frame.tile(o.seed()).asLong(), frame.tile(o.offset()));
    };
  }

  private Tile unary(Inst inst, UnaryKind kind, Tile x) {
    Object out = machine.allocate(inst, x.element(), x.count());
    switch (x.data()) {
      case float[] f -> FloatLoops.unary(kind, f, (float[]) out);
      case double[] d -> FloatLoops.unary(kind, d, (double[]) out);
      case long[] l -> LongLoops.unary(kind, x.element(), l, (long[]) out);
      case boolean[] b -> {
        boolean[] to = (boolean[]) out;
        for (int i = 0; i < to.length; i++) {
          to[i] = !b[i];
        }
      }
      default -> throw new IllegalStateException();
    }
    boolean keeps = switch (kind) {
      case NEG, ABS -> true;
      case FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID, NOT -> false;
    };
    return new Tile(x.element(), x.shape(), out, keeps ? x.origins() : foreign(x), x.spread());
  }

  private static int[] foreign(Tile x) {
    return Padding.combine(x, x, Padding::any);
  }

  Tile binary(Inst inst, BinaryKind kind, Tile a, Tile b) {
    Object out = machine.allocate(inst, a.element(), a.count());
    switch (a.data()) {
      case float[] f -> FloatLoops.binary(kind, f, b.floats(), (float[]) out);
      case double[] d -> FloatLoops.binary(kind, d, b.doubles(), (double[]) out);
      case long[] l -> {
        LongLoops.binary(kind, a.element(), l, guarded(inst, kind, a, b), (long[]) out);
      }
      case boolean[] x -> LongLoops.logical(kind, x, b.bools(), (boolean[]) out);
      default -> throw new IllegalStateException();
    }
    return new Tile(a.element(), a.shape(), out, Padding.binary(kind, a, b), a.spread() && b.spread());
  }

  /**
   * The right operands of integers, of which some have no result: that is an error, unless they are padding. What
   * padding leads to may not reach a result, so any value will do: theirs is that of the operand 1.
   */
  private static long[] guarded(Inst inst, BinaryKind kind, Tile a, Tile b) {
    boolean divides = kind == BinaryKind.DIV || kind == BinaryKind.REM;
    if (!divides && kind != BinaryKind.POW) {
      return b.longs();
    }
    long[] y = b.longs().clone();
    for (int i = 0; i < y.length; i++) {
      if (b.origin(i) != 0) {
        y[i] = divides && y[i] == 0 || !divides && y[i] < 0 ? 1 : y[i];
      }
      if (divides && y[i] == 0) {
        throw Faults.fault(Code.DIVISION_BY_ZERO, inst,
            a.text(i) + (kind == BinaryKind.DIV ? " / 0" : " % 0") + at(a, i)
            + ": an integer divided by zero");
      }
      if (!divides && b.element().isSigned() && y[i] < 0) {
        throw Faults.fault(Code.NEGATIVE_POWER, inst,
            a.text(i) + " ** " + y[i] + at(a, i) + ": an integer to a negative power");
      }
    }
    return y;
  }

  private static String at(Tile t, int i) {
    return t.isScalar() ? "" : " at element " + i + " of the tile, counted row by row";
  }

  private Tile compare(Inst inst, CompareKind kind, Tile a, Tile b) {
    boolean[] out = (boolean[]) machine.allocate(inst, Element.BOOL, a.count());
    switch (a.data()) {
      case float[] f -> FloatLoops.compare(kind, f, b.floats(), out);
      case double[] d -> FloatLoops.compare(kind, d, b.doubles(), out);
      case long[] l -> LongLoops.compare(kind, a.element(), l, b.longs(), out);
      case boolean[] x -> LongLoops.compare(kind, x, b.bools(), out);
      default -> throw new IllegalStateException();
    }
    return new Tile(Element.BOOL, a.shape(), out, Padding.combine(a, b, Padding::any), a.spread() && b.spread());
  }

  private Tile select(Inst inst, Tile c, Tile a, Tile b) {
    Object out = machine.allocate(inst, a.element(), a.count());
    boolean[] choose = c.bools();
    switch (out) {
      case float[] to -> {
        for (int i = 0; i < to.length; i++) {
          to[i] = choose[i] ? a.floats()[i] : b.floats()[i];
        }
      }
      case double[] to -> {
        for (int i = 0; i < to.length; i++) {
          to[i] = choose[i] ? a.doubles()[i] : b.doubles()[i];
        }
      }
      case long[] to -> {
        for (int i = 0; i < to.length; i++) {
          to[i] = choose[i] ? a.longs()[i] : b.longs()[i];
        }
      }
      case boolean[] to -> {
        for (int i = 0; i < to.length; i++) {
          to[i] = choose[i] ? a.bools()[i] : b.bools()[i];
        }
      }
      default -> throw new IllegalStateException();
    }
    Tile chosen = new Tile(a.element(), a.shape(), out, null, a.spread() && b.spread() && c.spread());
    int[] states = Padding.select(c, a, b, chosen);
    return states == null ? chosen : new Tile(a.element(), a.shape(), out, states, chosen.spread());
  }

  private Tile fma(Inst inst, Tile a, Tile b, Tile c) {
    Object out = machine.allocate(inst, a.element(), a.count());
    switch (out) {
      case float[] to -> {
        for (int i = 0; i < to.length; i++) {
          to[i] = Math.fma(a.floats()[i], b.floats()[i], c.floats()[i]);
        }
      }
      case double[] to -> {
        for (int i = 0; i < to.length; i++) {
          to[i] = Math.fma(a.doubles()[i], b.doubles()[i], c.doubles()[i]);
        }
      }
      default -> throw new IllegalStateException();
    }
    Tile product = new Tile(a.element(), a.shape(), out, Padding.binary(BinaryKind.MUL, a, b), a.spread()
        && b.spread());
    return new Tile(a.element(), a.shape(), out, Padding.binary(BinaryKind.ADD, product, c), product.spread()
        && c.spread());
  }

  // ------------------------------------------------------------------------------------------------ conversions

  private Tile cast(Inst inst, Tile x, Element to, CastKind kind) {
    Element from = x.element();
    if (from == to) {
      return x;
    }
    boolean wrap = kind == CastKind.WRAP;
    Object out = machine.allocate(inst, to, x.count());
    switch (out) {
      case float[] f -> toFloats(x, to, wrap, f);
      case double[] d -> {
        for (int i = 0; i < d.length; i++) {
          d[i] = x.data() instanceof long[] l ? Conversions.toDouble(from, l[i]) : x.asDouble(i);
        }
      }
      case long[] l -> {
        if (kind == CastKind.FIT) {
          fit(inst, x, to);
        }
        for (int i = 0; i < l.length; i++) {
          l[i] = x.data() instanceof long[] n ? Conversions.toInteger(to, n[i])
              : Conversions.toInteger(to, x.asDouble(i));
        }
      }
      case boolean[] b -> {
        for (int i = 0; i < b.length; i++) {
          b[i] = x.data() instanceof long[] n ? Conversions.toBool(n[i]) : Conversions.toBool(x.asDouble(i));
        }
      }
      default -> throw new IllegalStateException();
    }
    return new Tile(to, x.shape(), out, x.origins(), x.spread());
  }

  private static void toFloats(Tile x, Element to, boolean wrap, float[] out) {
    switch (x.data()) {
      case float[] f -> {
        if (to == Element.F32) {
          System.arraycopy(f, 0, out, 0, out.length);
          return;
        }
        FloatFormat format = FloatFormat.of(to);
        for (int i = 0; i < out.length; i++) {
          out[i] = format.round(f[i], wrap);
        }
      }
      case double[] d -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Conversions.toFloat(to, d[i], wrap);
        }
      }
      case long[] l -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Conversions.toFloat(to, x.element(), l[i], wrap);
        }
      }
      case boolean[] b -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Conversions.toFloat(to, b[i] ? 1.0f : 0.0f, wrap);
        }
      }
      default -> throw new IllegalStateException();
    }
  }

  private static void fit(Inst inst, Tile x, Element to) {
    for (int i = 0; i < x.count(); i++) {
      if (!Integers.fits(to, x.asLong(i))) {
        throw new DiagnosticException(Faults.error(Code.INT_FIT, inst,
            "the int " + x.asLong(i) + at(x, i) + " does not fit in " + to.text())
            .note("an int that meets a tile of a narrower integer type must be a value of that type"));
      }
    }
  }

  private Tile bitcast(Inst inst, Tile x, Element to) {
    Object out = machine.allocate(inst, to, x.count());
    for (int i = 0; i < x.count(); i++) {
      long bits = x.bits(i);
      switch (out) {
        case float[] f -> f[i] = to == Element.F32 ? Float.intBitsToFloat((int) bits)
            : FloatFormat.of(to).decode((int) bits);
        case double[] d -> d[i] = Double.longBitsToDouble(bits);
        case long[] l -> l[i] = Integers.wrap(to, bits);
        case boolean[] b -> b[i] = bits != 0;
        default -> throw new IllegalStateException();
      }
    }
    return new Tile(to, x.shape(), out, x.origins(), x.spread());
  }

  private Tile philox(Inst inst, long seed, Tile offset) {
    long[] out = (long[]) machine.allocate(inst, Element.U32, offset.count());
    for (int i = 0; i < out.length; i++) {
      out[i] = Philox.word(seed, offset.asLong(i)) & 0xffffffffL;
    }
    return new Tile(Element.U32, offset.shape(), out, foreign(offset), offset.spread());
  }
}
