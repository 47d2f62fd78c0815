package dev.tkc.ir.num;

/**
 * erf by Taylor polynomials about the multiples of 1/16 up to 6, beyond which erf is 1 in f64. The coefficients are made when
 * the class is loaded: the value at a centre by the series of positive terms {@code e^-x² Σ 2^n x^(2n+1) / (2n+1)!!}, the rest by
 * the recurrence that {@code g' = -2 x g} gives for the derivative g.
 */
final class ErrorFunction {
  private static final int PER_UNIT = 16;
  private static final int LIMIT = 6;
  private static final int DEGREE = 11;
  private static final double TWO_OVER_SQRT_PI = 1.1283791670955126;
  private static final double[] COEFFICIENTS = coefficients();

  private ErrorFunction() {}

  static double erf(double x) {
    double a = Math.abs(x);
    if (!(a < LIMIT)) {
      return Double.isNaN(x) ? x : Math.copySign(1.0, x);
    }
    int centre = (int) (a * PER_UNIT + 0.5);
    double h = a - (double) centre / PER_UNIT;
    int row = centre * (DEGREE + 1);
    double sum = COEFFICIENTS[row + DEGREE];
    for (int k = DEGREE - 1; k >= 0; k--) {
      sum = sum * h + COEFFICIENTS[row + k];
    }
    return Math.copySign(Math.min(sum, 1), x);
  }

  private static double[] coefficients() {
    int centres = LIMIT * PER_UNIT + 1;
    double[] all = new double[centres * (DEGREE + 1)];
    for (int i = 0; i < centres; i++) {
      double x = (double) i / PER_UNIT;
      int row = i * (DEGREE + 1);
      all[row] = series(x);
      double before = 0;
      double g = TWO_OVER_SQRT_PI * StrictMath.exp(-x * x);
      for (int k = 0; k < DEGREE; k++) {
        all[row + k + 1] = g / (k + 1);
        double next = (-2 * x * g - 2 * before) / (k + 1);
        before = g;
        g = next;
      }
    }
    return all;
  }

  private static double series(double x) {
    double term = x;
    double sum = 0;
    for (int n = 0; term > sum * 0x1p-60; n++) {
      sum += term;
      term *= 2 * x * x / (2 * n + 3);
    }
    return TWO_OVER_SQRT_PI * StrictMath.exp(-x * x) * sum;
  }
}
