package dev.tkc.ir.num;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every bit pattern both ways, and rounding against a search for the nearest value in exact decimal arithmetic. */
class FloatFormatTest {
  private static int width(FloatFormat f) {
    return switch (f) {
      case F16, BF16 -> 16;
      case E4M3, E5M2, E8M0 -> 8;
      case E2M1 -> 4;
    };
  }

  /** The value of a pattern straight from the format's definition, as exact decimals; null for NaN and infinity. */
  private static BigDecimal defined(FloatFormat f, int bits) {
    int mantissaBits = switch (f) {
      case F16 -> 10;
      case BF16 -> 7;
      case E4M3 -> 3;
      case E5M2 -> 2;
      case E2M1 -> 1;
      case E8M0 -> 0;
    };
    int exponentBits = f == FloatFormat.E8M0 ? 8 : width(f) - 1 - mantissaBits;
    int exponent = bits >> mantissaBits & (1 << exponentBits) - 1;
    int mantissa = bits & (1 << mantissaBits) - 1;
    boolean top = exponent == (1 << exponentBits) - 1;
    boolean special = switch (f) {
      case F16, BF16, E5M2, E8M0 -> top;
      case E4M3 -> top && mantissa == 7;
      case E2M1 -> false;
    };
    if (special) {
      return null;
    }
    if (f == FloatFormat.E8M0) {
      return power(exponent - 127);
    }
    int bias = (1 << (exponentBits - 1)) - 1;
    BigDecimal value = exponent == 0
        ? BigDecimal.valueOf(mantissa).multiply(power(1 - bias - mantissaBits))
        : BigDecimal.valueOf(mantissa + (1 << mantissaBits)).multiply(power(exponent - bias - mantissaBits));
    return (bits >> (exponentBits + mantissaBits) & 1) != 0 ? value.negate() : value;
  }

  private static BigDecimal power(int e) {
    return e >= 0 ? BigDecimal.TWO.pow(e) : BigDecimal.ONE.divide(BigDecimal.TWO.pow(-e));
  }

  @ParameterizedTest
  @EnumSource
  void everyPatternHasItsDefinedValueAndComesBack(FloatFormat f) {
    for (int bits = 0; bits < 1 << width(f); bits++) {
      float value = f.decode(bits);
      BigDecimal defined = defined(f, bits);
      if (defined != null) {
        assertThat(new BigDecimal(value)).as("%s %x", f, bits).isEqualByComparingTo(defined);
      }
      if (Float.isNaN(value)) {
        assertThat(Float.isNaN(f.decode(f.encode(value, false)))).isTrue();
        assertThat(Float.isNaN(f.decode(f.encode((double) value, true)))).isTrue();
      } else {
        assertThat(f.encode(value, true)).as("%s %x", f, bits).isEqualTo(bits);
        assertThat(f.encode((double) value, true)).as("%s %x", f, bits).isEqualTo(bits);
        assertThat(f.holds(value)).isTrue();
      }
    }
  }

  /** The finite non-negative values in order; index = pattern for all formats, as their patterns are ordered. */
  private static List<BigDecimal> ladder(FloatFormat f) {
    List<BigDecimal> values = new ArrayList<>();
    for (int bits = 0; defined(f, bits) != null && bits < (f == FloatFormat.E8M0 ? 255 : 1 << (width(f) - 1)); bits++) {
      values.add(defined(f, bits));
    }
    return values;
  }

  /** The nearest pattern by search; ties to the even pattern (for e8m0, which has no mantissa, upward). */
  private static int nearest(FloatFormat f, List<BigDecimal> ladder, double x) {
    BigDecimal exact = new BigDecimal(Math.abs(x));
    int low = 0;
    int high = ladder.size() - 1;
    if (exact.compareTo(ladder.get(0)) <= 0) {
      return 0;
    }
    if (exact.compareTo(ladder.get(high)) > 0) {
      BigDecimal last = ladder.get(high);
      BigDecimal step = f == FloatFormat.E8M0 ? last : last.subtract(ladder.get(high - 1));
      int over = exact.compareTo(last.add(step.divide(BigDecimal.TWO)));
      boolean tieUp = f == FloatFormat.E8M0 || (high & 1) != 0;
      return over > 0 || over == 0 && tieUp ? high + 1 : high;
    }
    while (high - low > 1) {
      int middle = (low + high) / 2;
      if (ladder.get(middle).compareTo(exact) >= 0) {
        high = middle;
      } else {
        low = middle;
      }
    }
    int cmp = exact.subtract(ladder.get(low)).compareTo(ladder.get(high).subtract(exact));
    boolean tieUp = f == FloatFormat.E8M0 || (high & 1) == 0;
    return cmp > 0 || cmp == 0 && tieUp ? high : low;
  }

  private static void check(FloatFormat f, List<BigDecimal> ladder, double x) {
    if (f == FloatFormat.E8M0 && x < 0) {
      assertThat(Float.isNaN(f.round(x, false))).isTrue();
      return;
    }
    int code = nearest(f, ladder, x);
    boolean over = code == ladder.size();
    float largest = ladder.getLast().floatValue();
    float saturated = Math.copySign(over ? (width(f) == 16 ? Float.POSITIVE_INFINITY : largest) : f.decode(code),
        (float) x);
    float wrapped = !over ? saturated : switch (f) {
      case F16, BF16, E5M2 -> Math.copySign(Float.POSITIVE_INFINITY, (float) x);
      case E4M3, E8M0 -> Float.NaN;
      case E2M1 -> Math.copySign(largest, (float) x);
    };
    if (f.round(x, false) != saturated || Float.compare(f.round(x, true), wrapped) != 0) {
      assertThat(f.round(x, false)).as("%s of %a", f, x).isEqualTo(saturated);
      assertThat(f.round(x, true)).as("%s of %a wrapped", f, x).isEqualTo(wrapped);
    }
    float narrow = (float) x;
    if (narrow == x && Float.compare(f.round(narrow, false), f.round(x, false)) != 0) {
      assertThat(f.round(narrow, false)).as("%s of %af", f, narrow).isEqualTo(f.round(x, false));
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyMidpointAndItsNeighboursRoundToTheNearest(FloatFormat f) {
    List<BigDecimal> ladder = ladder(f);
    for (int i = 0; i < ladder.size(); i++) {
      double here = ladder.get(i).doubleValue();
      double next = i + 1 < ladder.size() ? ladder.get(i + 1).doubleValue() : 2 * here - (i > 0 && f != FloatFormat.E8M0
          ? ladder.get(i - 1).doubleValue() : 0);
      double middle = (here + next) / 2;
      for (double x : new double[] {here, middle, Math.nextUp(middle), Math.nextDown(middle),
          Math.nextUp((float) middle), Math.nextDown((float) middle), Math.nextUp((float) here), (here + middle) / 2,
          next}) {
        check(f, ladder, x);
        check(f, ladder, -x);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void randomNumbersRoundToTheNearest(FloatFormat f) {
    List<BigDecimal> ladder = ladder(f);
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      float any = Float.intBitsToFloat(random.nextInt());
      if (Float.isFinite(any)) {
        check(f, ladder, any);
      }
      check(f, ladder, random.nextGaussian() * Math.scalb(1.0, random.nextInt(40) - 24));
    }
  }

  @Test
  void specialValues() {
    double inf = Double.POSITIVE_INFINITY;
    assertThat(FloatFormat.E4M3.round(inf, false)).isEqualTo(448f);
    assertThat(FloatFormat.E4M3.round(-inf, false)).isEqualTo(-448f);
    assertThat(FloatFormat.E4M3.round(inf, true)).isNaN();
    assertThat(FloatFormat.E4M3.round(464.0, true)).isEqualTo(448f);
    assertThat(FloatFormat.E4M3.round(Math.nextUp(464.0), true)).isNaN();
    assertThat(FloatFormat.E5M2.round(inf, false)).isEqualTo(57344f);
    assertThat(FloatFormat.E5M2.round(-inf, true)).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(FloatFormat.F16.round(65520.0, false)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(FloatFormat.BF16.round(Float.MAX_VALUE, false)).isEqualTo(Float.POSITIVE_INFINITY);
    for (FloatFormat f : FloatFormat.values()) {
      if (f == FloatFormat.E2M1) {
        assertThat(f.round(Float.NaN, false)).isEqualTo(6f);
      } else {
        assertThat(f.round(Float.NaN, false)).isNaN();
        assertThat(f.round(Double.NaN, true)).isNaN();
      }
    }
    assertThat(Float.floatToRawIntBits(FloatFormat.E5M2.round(-0.0f, false))).isEqualTo(0x80000000);
    assertThat(FloatFormat.E8M0.round(0.0, false)).isEqualTo(0x1p-127f);
    assertThat(FloatFormat.E8M0.round(inf, false)).isEqualTo(0x1p127f);
  }

  @Test
  void noDoubleRoundingFromF64() {
    double justAboveTie = 1 + 0x1p-8 + 0x1p-40;
    assertThat((float) justAboveTie).isEqualTo(1 + 0x1p-8f);
    assertThat(FloatFormat.BF16.round(justAboveTie, false)).isEqualTo(1 + 0x1p-7f);
    assertThat(FloatFormat.BF16.round(1 + 0x1p-8, false)).isEqualTo(1f);
  }
}
