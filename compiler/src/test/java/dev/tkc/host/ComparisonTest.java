package dev.tkc.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ComparisonTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  @Test
  void boundsGrowWithTheElementAndTheRoot() {
    double[] y = {3, -4, 0, 0};
    assertThat(close(y, y, 0, 0).rms()).isCloseTo(2.5, within(1e-15));
    assertThat(close(new double[] {3.03, -4.04, 0.025, -0.025}, y, 0.0101, 0).wrong()).isZero();
    assertThat(close(new double[] {3.04, -4, 0.026, 0}, y, 0.01, 0).wrong()).isEqualTo(2);
    assertThat(close(new double[] {3.04, -4, 0.026, 0}, y, 0.01, 0.02).wrong()).isZero();
  }

  @Test
  void theWorstIsFurthestBeyondItsBound() {
    Comparison c = close(new double[] {1.1, 100.1, 2}, new double[] {1, 100, 2}, 0, 0.01);
    assertThat(c.wrong()).isEqualTo(2);
    assertThat(c.worst()).isIn(0L, 1L);
    assertThat(close(new double[] {1, 5}, new double[] {1, 2}, 0, 0.1).worst()).isEqualTo(1);
    assertThat(close(new double[] {1.01, 2, NAN}, new double[] {1, 2, 3}, 0.1, 0).worst()).isEqualTo(2);
  }

  @Test
  void nothingPassesForBeingNaN() {
    assertThat(close(new double[] {NAN}, new double[] {1}, 1, 1).wrong()).isEqualTo(1);
    assertThat(close(new double[] {1}, new double[] {NAN}, 1, 1).lonelyNaNs()).isEqualTo(1);
    assertThat(close(new double[] {NAN}, new double[] {NAN}, 0, 0).holds()).isTrue();
    assertThat(close(new double[] {1}, new double[] {2}, NAN, 0).holds()).isFalse();
    assertThat(close(new double[] {1}, new double[] {2}, 0, NAN).holds()).isFalse();
  }

  @Test
  void infinitiesAreEqualBySignAndSpoilNoBound() {
    assertThat(close(new double[] {INF, -INF}, new double[] {INF, -INF}, 0, 0).holds()).isTrue();
    assertThat(close(new double[] {INF}, new double[] {-INF}, 1, 1).holds()).isFalse();
    assertThat(close(new double[] {INF}, new double[] {1}, 1, INF).holds()).isFalse();
    assertThat(close(new double[] {INF, 2}, new double[] {INF, 1}, 0.1, 0).wrong()).isEqualTo(1);
    assertThat(close(new double[] {1e300, 1e300}, new double[] {1e300, -1e300}, 0.1, 0).wrong()).isEqualTo(1);
  }

  @Test
  void emptyArraysAgree() {
    assertThat(close(new double[0], new double[0], 0, 0).holds()).isTrue();
    assertThat(Comparison.exact(1, _ -> 0.0, _ -> -0.0).holds()).isTrue();
  }

  private static Comparison close(double[] x, double[] y, double relative, double absolute) {
    return Comparison.close(x.length, i -> x[(int) i], i -> y[(int) i], relative, absolute);
  }
}
