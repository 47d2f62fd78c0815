package dev.tkc.host;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.Decimals;
import dev.tkc.ir.type.Element;
import java.util.Locale;

/** What to say about an {@code expect} that does not hold: how many elements, the worst, both values and the bound. */
final class Findings {
  private Findings() {}

  static Diagnostic notEqual(Tile x, Tile y, Comparison c, Span at) {
    int i = (int) c.worst();
    return base(at, x, c, "differ" + (c.wrong() == 1 ? "s" : ""))
        .note(where("the left side", x, i) + " is " + x.text(i) + ", the right side is " + y.text(i));
  }

  static Diagnostic notClose(Tile x, Tile y, Comparison c, double rel, double abs, Span at) {
    int i = (int) c.worst();
    double b = y.asDouble(i);
    Diagnostic d = base(at, x, c, c.wrong() == 1 ? "lies outside its bound" : "lie outside their bounds")
        .note("%s is %s, expected is %s: the difference %s, the bound %s".formatted(
            where("the worst", x, i), x.text(i), y.text(i), number(Math.abs(x.asDouble(i) - b)),
            number(c.bound(b, rel, abs))))
        .note("the bound is " + number(abs) + " + " + number(rel) + " · max(|expected|, " + number(c.rms())
            + "), the latter the"
            + " root mean square of what is expected");
    return c.lonelyNaNs() == 0 ? d : d.note(
        c.lonelyNaNs() + (c.lonelyNaNs() == 1 ? " of them is" : " of them are") + " nan on one side only");
  }

  static Diagnostic notTrue(Tile t, int i, String message, Span at) {
    Diagnostic d = Diagnostic.error(Code.EXPECTATION, message).label(at, "this is false");
    return t.isScalar() ? d : d.note("the first place is " + where("", t, i).strip());
  }

  private static Diagnostic base(Span at, Tile x, Comparison c, String what) {
    String count = x.isScalar() ? "the value " : c.count() == 1 ? "the only element "
        : c.wrong() + " of " + c.count() + " elements ";
    return Diagnostic.error(Code.EXPECTATION, count + what).label(at, "expected here");
  }

  /** {@code left[3, 5]}. */
  private static String where(String name, Tile t, int position) {
    if (t.isScalar()) {
      return name;
    }
    StringBuilder text = new StringBuilder();
    int rest = position;
    for (int d = t.shape().size() - 1; d >= 0; d--) {
      int size = Math.max(t.shape().get(d), 1);
      text.insert(0, (d == 0 ? "" : ", ") + rest % size);
      rest /= size;
    }
    return name + " [" + text + "]";
  }

  private static String number(double x) {
    if (!Double.isFinite(x)) {
      return Decimals.text(Element.F64, x);
    }
    String text = String.format(Locale.ROOT, "%.4g", x);
    return text.contains("e") || !text.contains(".") ? text : text.replaceAll("0+$", "").replaceAll("\\.$", "");
  }
}
