package dev.tkc.tests.emulator;

/**
 * A small binary float format. Encoding rounds a double once, to nearest even; past the largest number it gives
 * infinity, or NaN in E4M3, which has no infinity, and {@link #saturate} gives the largest number instead.
 */
record Rounding(int exponentBits, int fractionBits, boolean infinities) {
  static final Rounding HALF = new Rounding(5, 10, true);
  static final Rounding BRAIN = new Rounding(8, 7, true);
  static final Rounding E4M3 = new Rounding(4, 3, false);
  static final Rounding E5M2 = new Rounding(5, 2, true);

  private int bias() {
    return (1 << exponentBits - 1) - 1;
  }

  private int bits() {
    return 1 + exponentBits + fractionBits;
  }

  private long nan() {
    return infinities ? (1L << bits() - 1) - 1 : 0x7F;
  }

  private long infinity() {
    return (1L << exponentBits) - 1 << fractionBits;
  }

  double largest() {
    return infinities ? decode(infinity() - 1) : decode(0x7E);
  }

  double decode(long raw) {
    long fraction = raw & (1L << fractionBits) - 1;
    int exponent = (int) (raw >>> fractionBits) & (1 << exponentBits) - 1;
    double sign = (raw >>> bits() - 1 & 1) == 0 ? 1 : -1;
    if (infinities && exponent == (1 << exponentBits) - 1) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    if (!infinities && (raw & 0x7F) == 0x7F) {
      return Double.NaN;
    }
    double mantissa = exponent == 0 ? fraction : fraction + (1L << fractionBits);
    return sign * Math.scalb(mantissa, Math.max(exponent, 1) - bias() - fractionBits);
  }

  long encode(double x) {
    if (Double.isNaN(x)) {
      return nan();
    }
    long sign = (Double.doubleToRawLongBits(x) >>> 63) << bits() - 1;
    double magnitude = Math.abs(x);
    if (Double.isInfinite(magnitude)) {
      return sign | (infinities ? infinity() : nan());
    }
    int exponent = Math.max(Math.getExponent(magnitude), 1 - bias());
    // Scaled so that one unit is the last place; the sum of exponent and rounded fraction carries by itself.
    long units = (long) Math.rint(Math.scalb(magnitude, fractionBits - exponent));
    long code = ((long) (exponent + bias() - 1) << fractionBits) + units;
    return sign | (infinities ? Math.min(code, infinity()) : code > 0x7E ? nan() : code);
  }

  long saturate(double x) {
    return Double.isNaN(x) ? nan() : encode(Math.clamp(x, -largest(), largest()));
  }
}
