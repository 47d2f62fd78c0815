package dev.tkc.ir.num;

/**
 * erf by Taylor polynomials about the multiples of 1/16 up to 6, beyond which erf is 1 in f64. The coefficients are
 * made when the class is loaded: by the recurrence that {@code g' = -2 x g} gives for the derivative g, and the value
 * at a centre by stepping from the centre before with compensated summation.
 */
final class ErrorFunction {
  private static final int PER_UNIT = 16;
  private static final int LIMIT = 6;
  private static final int DEGREE = 12;
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
    double sum = polynomial(COEFFICIENTS, centre * (DEGREE + 1), DEGREE, h);
    return Math.copySign(Math.min(sum, 1), x);
  }

  private static double[] coefficients() {
    int centres = LIMIT * PER_UNIT + 1;
    double[] all = new double[centres * (DEGREE + 1)];
    double value = 0;
    double lost = 0;
    for (int i = 0; i < centres; i++) {
      int row = i * (DEGREE + 1);
      all[row] = value;
      derivatives(all, row, (double) i / PER_UNIT);
      double step = polynomial(all, row + 1, DEGREE - 1, 1.0 / PER_UNIT) / PER_UNIT - lost;
      double next = value + step;
      lost = (next - value) - step;
      value = next;
    }
    return all;
  }

  private static void derivatives(double[] all, int row, double x) {
    double before = 0;
    double g = TWO_OVER_SQRT_PI * StrictMath.exp(-x * x);
    for (int k = 0; k < DEGREE; k++) {
      all[row + k + 1] = g / (k + 1);
      double next = (-2 * x * g - 2 * before) / (k + 1);
      before = g;
      g = next;
    }
  }

  private static double polynomial(double[] c, int first, int degree, double h) {
    double sum = c[first + degree];
    for (int k = degree - 1; k >= 0; k--) {
      sum = sum * h + c[first + k];
    }
    return sum;
  }
}
