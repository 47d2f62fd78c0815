package dev.tkc.ir.num;

/**
 * Elementary functions in f64. The f32 version of a function is this one on the argument widened, rounded once: it
 * differs from the exact result by less than 0.50001 units in the last place. Everything rests on {@link StrictMath},
 * so that results are the same bits on every machine.
 */
public final class Elementary {
  private static final double LN2 = 0.6931471805599453;
  private static final double LOG2E = 1.4426950408889634;

  private Elementary() {}

  public static double exp(double x) {
    return StrictMath.exp(x);
  }

  /** Two to the power x; exact for whole x. */
  public static double exp2(double x) {
    if (!(x > -1100 && x < 1100)) {
      return Double.isNaN(x) ? x : x > 0 ? Double.POSITIVE_INFINITY : 0;
    }
    double whole = Math.rint(x);
    return Math.scalb(StrictMath.exp((x - whole) * LN2), (int) whole);
  }

  public static double log(double x) {
    return StrictMath.log(x);
  }

  /** Exact for powers of two. */
  public static double log2(double x) {
    if (!(x >= Double.MIN_NORMAL && x < Double.POSITIVE_INFINITY)) {
      return x > 0 && x < 1 ? log2(x * 0x1p60) - 60 : StrictMath.log(x);
    }
    int exponent = Math.getExponent(x);
    double mantissa = Math.scalb(x, -exponent);
    if (mantissa > 1.4142135623730951) {
      mantissa *= 0.5;
      exponent++;
    }
    return exponent + StrictMath.log(mantissa) * LOG2E;
  }

  public static double sin(double x) {
    return StrictMath.sin(x);
  }

  public static double cos(double x) {
    return StrictMath.cos(x);
  }

  public static double tanh(double x) {
    return StrictMath.tanh(x);
  }

  public static double rsqrt(double x) {
    return 1 / Math.sqrt(x);
  }

  /** 1 / (1 + e^-x), without overflow on either side. */
  public static double sigmoid(double x) {
    if (x >= 0) {
      return 1 / (1 + StrictMath.exp(-x));
    }
    double e = StrictMath.exp(x);
    return e / (1 + e);
  }

  public static double pow(double x, double y) {
    return StrictMath.pow(x, y);
  }

  /** The error function, within 3 units in the last place of f64. */
  public static double erf(double x) {
    return ErrorFunction.erf(x);
  }

  /** {@code x - floor(x / y) * y}, each step rounded to f32. */
  public static float floorMod(float x, float y) {
    return x - (float) Math.floor(x / y) * y;
  }

  /** {@code x - floor(x / y) * y}, each step rounded to f64. */
  public static double floorMod(double x, double y) {
    return x - Math.floor(x / y) * y;
  }
}
