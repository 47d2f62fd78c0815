package dev.tkc.grammar.lower;

import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.num.Decimals;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import java.util.List;

/** The element type in which operands meet, and how each gets there ({@code LANGUAGE} "Types and values"). */
final class Promotion {

  /** What an operation does to narrow types. */
  enum Rule {
    /** Arithmetic and functions: narrow floats become f32, narrow integers i32. */
    WIDEN,
    /** {@code max min where neg abs}, shape and bit operations: the type stays. */
    KEEP
  }

  private final Lowerer l;

  Promotion(Lowerer l) {
    this.l = l;
  }

  /** The wider of two element types if it holds every value of the other, or null. */
  static Element join(Element a, Element b) {
    if (a == b) {
      return a;
    }
    return holds(a, b) ? a : holds(b, a) ? b : null;
  }

  /** Whether {@code wide} holds every value of {@code narrow}; they are different types. */
  static boolean holds(Element wide, Element narrow) {
    if (wide == narrow) {
      return true;
    }
    if (wide.isStorageOnly() || narrow.isStorageOnly() || wide.bits() <= narrow.bits()) {
      return false;
    }
    return switch (narrow.kind()) {
      case BOOL -> false;
      case FLOAT -> wide.isFloat();
      case SIGNED -> wide.isSigned();
      case UNSIGNED -> wide.isInteger();
    };
  }

  /** The type in which arithmetic on {@code e} is done. */
  static Element widened(Element e) {
    return switch (e) {
      case F16, BF16, E4M3, E5M2 -> Element.F32;
      case I8, I16, U8, U16 -> Element.I32;
      case BOOL, I32, I64, U32, U64, F32, F64, I4, U4, E2M1, E8M0 -> e;
    };
  }

  /** The element type in which {@code operands} meet, or null after a report. None of them failed. */
  Element common(List<Operand> operands, Rule rule, Span at, String what) {
    Operand first = null;
    Element e = null;
    for (Operand o : operands) {
      Element t = o.val().typed();
      if (t == null) {
        continue;
      }
      if (t.isStorageOnly()) {
        l.error(Diagnostic.error(Code.ELEMENT_TYPE, t.text() + " is a storage type: nothing computes in it")
            .label(o.span(), "this is " + o.val().describe())
            .help("convert it first, as in `x as f32`"));
        return null;
      }
      Element joined = e == null ? t : join(e, t);
      if (joined == null) {
        mixed(first, o, what);
        return null;
      }
      first = first == null || joined != e ? o : first;
      e = joined;
    }
    if (e == null) {
      e = untyped(operands);
    }
    for (Operand o : operands) {
      if (!fitsInto(o, e, first, what)) {
        return null;
      }
    }
    return rule == Rule.WIDEN ? widened(e) : e;
  }

  /** The type in which values without a type of their own meet. */
  private static Element untyped(List<Operand> operands) {
    boolean wide = false;
    boolean fraction = false;
    boolean bool = false;
    for (Operand o : operands) {
      fraction |= o.val() instanceof Val.Num;
      bool |= o.val() instanceof Val.Bool;
      wide |= o.val() instanceof Val.Int i && (!i.isKnown() || !Integers.fits(Element.I32, i.known()));
    }
    return bool ? Element.BOOL : fraction ? Element.F32 : wide ? Element.I64 : Element.I32;
  }

  private boolean fitsInto(Operand o, Element e, Operand other, String what) {
    boolean ok = switch (o.val()) {
      case Val.Int _ -> e.isInteger() || e.isFloat();
      case Val.Num _ -> e.isFloat();
      case Val.Bool _ -> e.isBool();
      case Val.Tile _ -> true;
      case Val.Failed _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> {
        wrongKind(o, "a tile or a number");
        yield false;
      }
    };
    if (!ok && !(o.val() instanceof Val.Range || o.val() instanceof Val.Tensor || o.val() instanceof Val.Many
        || o.val() instanceof Val.Type || o.val().failed())) {
      if (other == null) {
        l.error(Diagnostic.error(Code.MIXED_TYPES, "values of different kinds cannot meet in " + what)
            .label(o.span(), "this is " + o.val().describe()));
      } else {
        mixed(other, o, what);
      }
    }
    return ok;
  }

  private void mixed(Operand a, Operand b, String what) {
    Diagnostic d = Diagnostic.error(Code.MIXED_TYPES, "values of different element types cannot meet in " + what)
        .label(b.span(), "this is " + b.val().describe())
        .label(a.span(), "this is " + a.val().describe());
    Element x = a.val().typed();
    Element y = b.val().typed();
    if (x != null && y != null && x.isFloat() && y.isFloat()) {
      d = d.note("neither " + x.text() + " nor " + y.text() + " holds every value of the other");
      d = d.help("convert one of them: `as f32`", b.span(), "(" + b.span().text() + " as f32)");
    } else if (x == Element.BOOL || y == Element.BOOL) {
      d = d.help("choose by a truth value with `where(condition, a, b)`, or convert it with `as`");
    } else {
      // Floats hold what integers are meant to be beside them; the other way would cut off fractions.
      Operand whole = x != null && x.isInteger() ? a : b;
      Element other = whole == a ? y : x;
      String to = other != null && other.isFloat() ? other.text() : "f32";
      d = d.help("convert one of them: `as " + to + "`", whole.span(), "(" + whole.span().text() + " as " + to + ")");
    }
    l.error(d);
  }

  /** Reports a value that is of no use here. */
  Val wrongKind(Operand o, String wanted) {
    if (o.val().failed()) {
      return Val.FAILED;
    }
    Diagnostic d = Diagnostic.error(Code.WRONG_KIND, wanted + " is expected here")
        .label(o.span(), "this is " + o.val().describe());
    if (o.val() instanceof Val.Range) {
      d = d.help("`" + o.span().text()
          + "[:]` is the tile of its indices; `rows(…)` and `cols(…)` give it two dimensions");
    } else if (o.val() instanceof Val.Tensor t) {
      String every = String.join(", ", java.util.Collections.nCopies(t.dims().size(), "…"));
      d = d.help("load a tile of it: `" + o.span().text() + "[" + every + "]`");
    }
    return l.error(d);
  }

  /** The value as a scalar or tile of {@code e}, which {@link #common} allowed. */
  Value to(Operand o, Element e) {
    Span at = o.span();
    return switch (o.val()) {
      case Val.Int i when i.isKnown() -> literal(i.known(), e, at);
      case Val.Int i -> cast(at, i.value(), e, e.isInteger() && e.bits() < 64 ? CastKind.FIT : CastKind.SATURATE);
      case Val.Num n -> number(e, n.value(), Decimals.text(Element.F64, n.value()), at);
      case Val.Bool b -> l.constant(at, Literal.of(b.value()));
      case Val.Tile t -> cast(at, t.value(), e, CastKind.SATURATE);
      case Val.Failed _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ ->
          throw new IllegalStateException("no element in " + o.val().describe());
    };
  }

  Value cast(Span at, Value v, Element to, CastKind kind) {
    return v.tile().element() == to ? v : l.emit(at, new ElementwiseOp.Cast(v, to, kind));
  }

  private Value literal(long n, Element e, Span at) {
    if (e.isFloat()) {
      return number(e, n, Long.toString(n), at);
    }
    if (!Integers.fits(e, n)) {
      l.error(Diagnostic.error(Code.LITERAL_RANGE, n + " does not fit in " + e.text())
          .label(at, "used as " + e.text() + " here")
          .note(e.text() + " holds " + Integers.toString(e, Integers.lowest(e)) + " to "
              + Integers.toString(e, Integers.highest(e))));
      return l.constant(at, Literal.of(e, 0L));
    }
    return l.constant(at, Literal.of(e, n));
  }

  /** A literal, or what was made of literals alone; infinity is written {@code inf}. */
  private Value number(Element e, double x, String text, Span at) {
    double rounded = round(e, x);
    if (Double.isFinite(x) && Double.isInfinite(rounded)) {
      l.error(Diagnostic.error(Code.LITERAL_RANGE, text + " does not fit in " + e.text())
          .label(at, "used as " + e.text() + " here")
          .help("infinity is written `inf`"));
    }
    return l.constant(at, Literal.of(e, rounded));
  }

  /** {@code x} as the nearest value of a float type. */
  static double round(Element e, double x) {
    return e == Element.F64 ? x : Conversions.toFloat(e, x, false);
  }

  /**
   * The value as {@code e} where it is stored, assigned, passed or returned: it may widen, never narrow. Null after a
   * report.
   */
  Value widenTo(Operand o, Element e, String where) {
    Element t = o.val().typed();
    switch (o.val()) {
      case Val.Failed _ -> {
        return null;
      }
      case Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> {
        wrongKind(o, "a value of type " + e.text());
        return null;
      }
      case Val.Int _, Val.Num _, Val.Bool _, Val.Tile _ -> { }
    }
    boolean untypedFits = t == null && switch (e.kind()) {
      case BOOL -> o.val() instanceof Val.Bool;
      case FLOAT -> !(o.val() instanceof Val.Bool);
      case SIGNED, UNSIGNED -> o.val() instanceof Val.Int;
    };
    if (untypedFits || t != null && holds(e, t)) {
      return to(o, e);
    }
    boolean both = t != null && (t.isFloat() && e.isFloat() || t.isInteger() && e.isInteger());
    Diagnostic d = Diagnostic.error(both ? Code.NARROWING : Code.MIXED_TYPES,
        both ? t.text() + " is not narrowed to " + e.text() + " by itself"
        : "a value of another type cannot go into " + e.text());
    l.error(d.label(o.span(), "this is " + o.val().describe())
        .note(where + " " + e.text())
        .help("write the conversion, which rounds: `as " + e.text() + "`", o.span(),
            Suggest.grouped(o.span().text()) + " as " + e.text()));
    return null;
  }
}
