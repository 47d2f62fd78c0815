package dev.tkc.host;

import java.util.function.LongToDoubleFunction;

/**
 * What comparing two arrays of one shape found. For every element |x − y| ≤ A + R·max(|y|, rms(y)) must hold.
 *
 * <p>rms(y) is taken over the finite elements of y, so that an infinity does not make every bound infinite. Infinities
 * are equal if their signs are; a NaN equals a NaN and nothing else.
 *
 * @param count elements compared
 * @param wrong elements beyond their bound
 * @param lonelyNaNs elements of which exactly one side is a NaN; they are wrong whatever the bound
 * @param worst the row-major position of the wrong element furthest beyond its bound, or of the largest error; −1 if
 *     empty
 * @param largestError the largest |x − y| among finite pairs
 * @param largestRelative the largest |x − y| / max(|y|, rms(y)) among finite pairs
 * @param rms the root of the mean square of y
 */
public record Comparison(
    long count, long wrong, long lonelyNaNs, long worst, double largestError, double largestRelative, double rms) {

  /** The exact comparison: equal numbers, NaN equal to NaN. */
  public static Comparison exact(long count, LongToDoubleFunction x, LongToDoubleFunction y) {
    return close(count, x, y, 0, 0);
  }

  public static Comparison close(
      long count, LongToDoubleFunction x, LongToDoubleFunction y, double relative, double absolute) {
    double rms = rms(count, y);
    long wrong = 0;
    long lonely = 0;
    long worst = count > 0 ? 0 : -1;
    double worstExcess = -1;
    double largestError = 0;
    double largestRelative = 0;
    for (long i = 0; i < count; i++) {
      double a = x.applyAsDouble(i);
      double b = y.applyAsDouble(i);
      double error = error(a, b);
      double scale = Math.max(Math.abs(b), rms);
      // Written so that a bound that is NaN, or any NaN that got here, counts as wrong.
      boolean within = error == 0 || error <= absolute + relative * scale && !Double.isInfinite(error);
      if (Double.isNaN(a) != Double.isNaN(b)) {
        lonely++;
      }
      wrong += within ? 0 : 1;
      double excess = within ? scale > 0 ? Math.min(error / scale, 1e300) * 1e-300 : 0
          : error / (absolute + relative * scale);
      excess = Double.isNaN(excess) ? Double.POSITIVE_INFINITY : excess;
      if (excess > worstExcess) {
        worstExcess = excess;
        worst = i;
      }
      if (!Double.isInfinite(error)) {
        largestError = Math.max(largestError, error);
        largestRelative = Math.max(largestRelative, error == 0 ? 0 : error / scale);
      }
    }
    return new Comparison(count, wrong, lonely, worst, largestError, largestRelative, rms);
  }

  /** |a − b|; 0 for equal infinities and two NaNs, infinite where only one is a NaN or an infinity. */
  private static double error(double a, double b) {
    if (a == b || Double.isNaN(a) && Double.isNaN(b)) {
      return 0;
    }
    double error = Math.abs(a - b);
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }

  private static double rms(long count, LongToDoubleFunction y) {
    double largest = 0;
    for (long i = 0; i < count; i++) {
      double b = Math.abs(y.applyAsDouble(i));
      largest = b <= Double.MAX_VALUE ? Math.max(largest, b) : largest;
    }
    if (largest == 0) {
      return 0;
    }
    double sum = 0;
    long finite = 0;
    for (long i = 0; i < count; i++) {
      double b = y.applyAsDouble(i);
      if (Math.abs(b) <= Double.MAX_VALUE) {
        sum += b / largest * (b / largest);
        finite++;
      }
    }
    return largest * Math.sqrt(sum / finite);
  }

  /** What two comparisons of one expectation found together; no element of both is the worst. */
  Comparison and(Comparison other) {
    return new Comparison(count + other.count, wrong + other.wrong, lonelyNaNs + other.lonelyNaNs, -1,
        Math.max(largestError, other.largestError), Math.max(largestRelative, other.largestRelative),
        Math.max(rms, other.rms));
  }

  public boolean holds() {
    return wrong == 0;
  }

  /** The bound of an element of y. */
  public double bound(double y, double relative, double absolute) {
    return absolute + relative * Math.max(Math.abs(y), rms);
  }
}
