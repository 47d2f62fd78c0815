package dev.tkc.ir.num;

import dev.tkc.ir.type.Element;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Floats as people write them: the fewest decimal digits that convert to the same value of its type, so that
 * {@code 1e-5} of an f32 is not shown as the double beside it.
 */
public final class Decimals {
  /** Digits that tell any two doubles apart. */
  private static final int ENOUGH = 17;

  private static final int SMALLEST_PLAIN = -4;
  private static final int LARGEST_PLAIN = 15;

  /** Above this power of ten the shorter way is taken. */
  private static final int OFTEN_PLAIN = 6;

  private Decimals() {}

  /** The text of a value that the type holds, as the language reads it: {@code 0.5}, {@code 3.0}, {@code 1e-5}. */
  public static String text(Element element, double x) {
    if (Double.isNaN(x)) {
      return "nan";
    }
    if (Double.isInfinite(x)) {
      return x > 0 ? "inf" : "-inf";
    }
    if (x == 0) {
      return 1 / x < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(x);
    for (int digits = 1; digits < ENOUGH; digits++) {
      BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (held(element, rounded.doubleValue()) == x) {
        return text(rounded);
      }
    }
    return text(exact.round(new MathContext(ENOUGH, RoundingMode.HALF_EVEN)));
  }

  private static double held(Element element, double x) {
    return element == Element.F64 ? x : Conversions.toFloat(element, x, false);
  }

  private static String text(BigDecimal value) {
    BigDecimal x = value.stripTrailingZeros();
    int exponent = x.precision() - x.scale() - 1;
    String digits = x.unscaledValue().abs().toString();
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    String power = (x.signum() < 0 ? "-" : "") + digits.charAt(0) + fraction + "e" + exponent;
    if (exponent < SMALLEST_PLAIN || exponent > LARGEST_PLAIN) {
      return power;
    }
    String plain = x.scale() <= 0 ? x.toPlainString() + ".0" : x.toPlainString();
    return exponent > OFTEN_PLAIN && power.length() < plain.length() ? power : plain;
  }
}
