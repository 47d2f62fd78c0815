package dev.tkc.ir.num;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.type.Element;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConversionsTest {
  private static final Element[] INTEGERS = {
    Element.I4, Element.I8, Element.I16, Element.I32, Element.I64, Element.U4, Element.U8, Element.U16, Element.U32,
        Element.U64
  };

  private static BigInteger exact(Element type, long x) {
    return type == Element.U64 ? new BigInteger(Long.toUnsignedString(x)) : BigInteger.valueOf(x);
  }

  private static double[] interesting() {
    double[] all = new double[4096];
    Random random = new Random(3);
    double[] first = {0, -0.0, 0.5, -0.5, 0.99, -0.99, 1.5, -1.5, 127.9, 128, -128.5, -129, 255.5, 256, 7.9, 8, -8.9,
        15.9, 16, 32767.5, 32768, 65535.9, 65536, 0x1p31, -0x1p31, 0x1p31 - 0.5, 0x1p32, 0x1p63, -0x1p63,
        Math.nextDown(0x1p63), 0x1p64, Math.nextDown(0x1p64), 1e300, -1e300};
    for (int i = 0; i < all.length; i++) {
      all[i] = i < first.length ? first[i] : random.nextGaussian() * Math.scalb(1.0, random.nextInt(68));
    }
    return all;
  }

  @Test
  void floatToIntegerTruncatesAndSaturates() {
    for (Element to : INTEGERS) {
      BigInteger low = exact(to, Integers.lowest(to));
      BigInteger high = exact(to, Integers.highest(to));
      for (double x : interesting()) {
        BigInteger expected = new BigDecimal(x).toBigInteger().min(high).max(low);
        assertThat(exact(to, Conversions.toInteger(to, x))).as("%s of %s", to, x).isEqualTo(expected);
      }
      assertThat(Conversions.toInteger(to, Double.NaN)).isZero();
      assertThat(exact(to, Conversions.toInteger(to, Double.POSITIVE_INFINITY))).isEqualTo(high);
      assertThat(exact(to, Conversions.toInteger(to, Double.NEGATIVE_INFINITY))).isEqualTo(low);
    }
  }

  @Test
  void integerToNarrowerIntegerWraps() {
    Random random = new Random(5);
    for (Element to : INTEGERS) {
      BigInteger modulus = BigInteger.TWO.pow(to.bits());
      for (int i = 0; i < 1000; i++) {
        long x = random.nextLong() >> random.nextInt(64);
        BigInteger wrapped = exact(to, Conversions.toInteger(to, x));
        assertThat(wrapped.subtract(BigInteger.valueOf(x)).mod(modulus)).isZero();
        assertThat(wrapped).isBetween(exact(to, Integers.lowest(to)), exact(to, Integers.highest(to)));
      }
    }
  }

  @Test
  void integerToFloatRoundsOnce() {
    Random random = new Random(11);
    for (int i = 0; i < 100_000; i++) {
      long x = random.nextLong() >>> random.nextInt(63) | 1;
      if (i % 3 == 0) {
        x = x & -1L << random.nextInt(40) | 1L << 55;
      }
      for (Element from : new Element[] {Element.I64, Element.U64}) {
        BigDecimal value = new BigDecimal(exact(from, x));
        assertThat(Conversions.toFloat(Element.F32, from, x, false)).isEqualTo(value.floatValue());
        assertThat(Conversions.toDouble(from, x)).isEqualTo(value.doubleValue());
        float bf16 = Conversions.toFloat(Element.BF16, from, x, false);
        BigDecimal error = value.subtract(new BigDecimal(bf16)).abs();
        for (float other : new float[] {neighbour(bf16, 1), neighbour(bf16, -1)}) {
          int order = error.compareTo(value.subtract(new BigDecimal(other)).abs());
          boolean even = (Float.floatToRawIntBits(bf16) >>> 16 & 1) == 0;
          assertThat(order < 0 || order == 0 && even).as("%s -> %s not %s", value, bf16, other).isTrue();
        }
      }
    }
  }

  private static float neighbour(float bf16, int step) {
    return FloatFormat.BF16.decode((Float.floatToRawIntBits(bf16) >>> 16) + step & 0xffff);
  }

  @Test
  void tieBrokenByABitTooLowForADouble() {
    long x = (1L << 62) + (1L << 54) + 1;
    assertThat(Conversions.toFloat(Element.BF16, Element.I64, x, false)).isEqualTo(0x1p62f + 0x1p55f);
    assertThat(Conversions.toFloat(Element.BF16, Element.I64, x - 1, false)).isEqualTo(0x1p62f);
  }

  @Test
  void toBoolIsNotZero() {
    assertThat(Conversions.toBool(0.0)).isFalse();
    assertThat(Conversions.toBool(-0.0)).isFalse();
    assertThat(Conversions.toBool(Double.NaN)).isTrue();
    assertThat(Conversions.toBool(256L)).isTrue();
  }

  @Test
  void exactness() {
    assertThat(Conversions.isExact(Element.BF16, 0.1)).isFalse();
    assertThat(Conversions.isExact(Element.BF16, Double.NEGATIVE_INFINITY)).isTrue();
    assertThat(Conversions.isExact(Element.E4M3, Double.NEGATIVE_INFINITY)).isFalse();
    assertThat(Conversions.isExact(Element.E4M3, Double.NaN)).isTrue();
    assertThat(Conversions.isExact(Element.E2M1, 3)).isTrue();
    assertThat(Conversions.isExact(Element.U8, 255)).isTrue();
    assertThat(Conversions.isExact(Element.U8, -1)).isFalse();
    assertThat(Conversions.isExact(Element.I32, 0.5)).isFalse();
    assertThat(Conversions.isExact(Element.F32, 0.1)).isFalse();
  }
}
