package dev.tkc.ir.num;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;

class ElementaryTest {
  private static final MathContext DIGITS = new MathContext(60);

  /** erf by its alternating series in 60 digits. */
  private static double erf(double x) {
    BigDecimal square = new BigDecimal(x).pow(2, DIGITS);
    BigDecimal term = new BigDecimal(x);
    BigDecimal sum = BigDecimal.ZERO;
    for (int n = 0; n < 400 && term.abs().compareTo(new BigDecimal("1e-50")) > 0; n++) {
      sum = sum.add(term.divide(BigDecimal.valueOf(2L * n + 1), DIGITS), DIGITS);
      term = term.multiply(square, DIGITS).negate().divide(BigDecimal.valueOf(n + 1L), DIGITS);
    }
    BigDecimal pi = new BigDecimal("3.14159265358979323846264338327950288419716939937510582097494");
    return sum.multiply(BigDecimal.TWO).divide(pi.sqrt(DIGITS), DIGITS).doubleValue();
  }

  @Test
  void erfAgreesWithItsSeries() {
    for (double x = -6.3; x < 6.3; x += 0.0137) {
      double expected = erf(x);
      assertThat(Elementary.erf(x)).as("erf(%s)", x).isCloseTo(expected, within(3 * Math.ulp(expected)));
    }
    assertThat(Elementary.erf(1e-30)).isCloseTo(1e-30 * 1.1283791670955126, within(1e-45));
    assertThat(Elementary.erf(Double.POSITIVE_INFINITY)).isEqualTo(1);
    assertThat(Elementary.erf(Double.NEGATIVE_INFINITY)).isEqualTo(-1);
    assertThat(Elementary.erf(Double.NaN)).isNaN();
    assertThat(1 / Elementary.erf(-0.0)).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void powersOfTwoAreExact() {
    for (int e = -1074; e < 1024; e++) {
      double power = Math.scalb(1.0, e);
      assertThat(Elementary.exp2(e)).isEqualTo(power);
      assertThat(Elementary.log2(power)).isEqualTo(e);
    }
    assertThat(Elementary.exp2(1e9)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(Elementary.exp2(Double.NEGATIVE_INFINITY)).isZero();
    assertThat(Elementary.exp2(Double.NaN)).isNaN();
    assertThat(Elementary.log2(0)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(Elementary.log2(-1)).isNaN();
    assertThat(Elementary.log2(Double.POSITIVE_INFINITY)).isEqualTo(Double.POSITIVE_INFINITY);
  }

  @Test
  void exp2AndLog2AgreeWithPowAndLog() {
    for (double x = -60; x < 60; x += 0.0371) {
      double expected = StrictMath.pow(2, x);
      assertThat(Elementary.exp2(x)).isCloseTo(expected, within(3 * Math.ulp(expected)));
      assertThat(Elementary.log2(expected)).isCloseTo(x, within(4 * Math.ulp(x) + 1e-16));
    }
  }

  @Test
  void sigmoidAtTheEnds() {
    assertThat(Elementary.sigmoid(0)).isEqualTo(0.5);
    assertThat(Elementary.sigmoid(-745)).isPositive();
    assertThat(Elementary.sigmoid(1000)).isEqualTo(1);
    assertThat(Elementary.sigmoid(Double.NEGATIVE_INFINITY)).isZero();
    assertThat(Elementary.sigmoid(Double.NaN)).isNaN();
  }

  @Test
  void floatRemainderHasTheDivisorsSign() {
    assertThat(Elementary.floorMod(-7f, 3f)).isEqualTo(2f);
    assertThat(Elementary.floorMod(7f, -3f)).isEqualTo(-2f);
    assertThat(Elementary.floorMod(1f, 0f)).isNaN();
  }
}
