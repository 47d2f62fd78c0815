package dev.tkc.ir.num;

import dev.tkc.ir.type.Element;

/**
 * The floating-point formats narrower than f32 and their exact conversions.
 *
 * <p>A bit pattern is an {@code int} with zeros above the format's width; its value is a {@code float}, which holds
 * every value of each of these formats. Encoding rounds once, to nearest even, from the {@code double} or {@code long}
 * given, so there is no double rounding on the way from f64 or i64. Invariant: {@code encode(decode(p)) == p} for every
 * pattern that is not a NaN; NaNs come back as the format's one quiet NaN with the sign kept.
 */
public enum FloatFormat {
  F16(5, 10, 0x7bff, 0x7c00, 0x7e00),
  BF16(8, 7, 0x7f7f, 0x7f80, 0x7fc0),
  /** No infinity; all exponent and mantissa bits set is the NaN. The largest value is 448. */
  E4M3(4, 3, 0x7e, 0x7f, 0x7f),
  E5M2(5, 2, 0x7b, 0x7c, 0x7e),
  /** Neither infinity nor NaN: 0, 0.5, 1, 1.5, 2, 3, 4, 6. A NaN becomes +6, as on hardware. */
  E2M1(2, 1, 0x7, 0x7, 0x7),
  /** Powers of two from 2^-127 (pattern 0) to 2^127 (pattern 254); 255 is NaN. No sign, no zero. */
  E8M0(8, 0, 0xfe, 0xff, 0xff);

  private final int mantissaBits;
  private final int minExponent;
  private final int signBit;
  private final int maxFinite;
  private final int overflow;
  private final int nan;
  private final float[] values;

  FloatFormat(int exponentBits, int mantissaBits, int maxFinite, int overflow, int nan) {
    this.mantissaBits = mantissaBits;
    this.minExponent = 2 - (1 << (exponentBits - 1));
    this.signBit = 1 << (exponentBits + mantissaBits);
    this.maxFinite = maxFinite;
    this.overflow = overflow;
    this.nan = nan;
    this.values = exponentBits + mantissaBits < 9 ? table(exponentBits + mantissaBits, mantissaBits) : null;
  }

  /** The format of an element type; f32 and f64 are Java's own and have none here. */
  public static FloatFormat of(Element element) {
    return switch (element) {
      case F16 -> F16;
      case BF16 -> BF16;
      case E4M3 -> E4M3;
      case E5M2 -> E5M2;
      case E2M1 -> E2M1;
      case E8M0 -> E8M0;
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, I4, U4 ->
          throw new IllegalStateException(element.text() + " is not a narrow float");
    };
  }

  /** The value of a bit pattern. */
  public float decode(int bits) {
    return switch (this) {
      case F16 -> Float.float16ToFloat((short) bits);
      case BF16 -> Float.intBitsToFloat(bits << 16);
      case E4M3, E5M2, E2M1, E8M0 -> values[bits];
    };
  }

  /**
   * The pattern nearest to {@code x}, ties to even. Beyond the largest finite value f16 and bf16 give infinity; the
   * others give the largest finite value, for an infinity too, unless {@code wrap} asks e4m3 and e8m0 for NaN and e5m2
   * for infinity.
   */
  public int encode(double x, boolean wrap) {
    if (this == E8M0) {
      return encodeScale(x, wrap);
    }
    int sign = Double.doubleToRawLongBits(x) < 0 ? signBit : 0;
    if (Double.isNaN(x)) {
      return this == E2M1 ? nan : sign | nan;
    }
    int code = Double.isInfinite(x) ? maxFinite + 1 : magnitude(Math.abs(x));
    return sign | (code <= maxFinite ? code : beyond(wrap));
  }

  /** As {@link #encode(double, boolean)}, by the shortest way for f32 input. */
  public int encode(float x, boolean wrap) {
    return switch (this) {
      case BF16 -> bf16(x);
      case F16 -> Float.isNaN(x) ? (Float.floatToRawIntBits(x) >>> 16 & signBit) | nan
          : Float.floatToFloat16(x) & 0xffff;
      case E4M3, E5M2, E2M1, E8M0 -> encode((double) x, wrap);
    };
  }

  /** The nearest value of this format, as a float. */
  public float round(float x, boolean wrap) {
    return decode(encode(x, wrap));
  }

  /** The nearest value of this format, as a float. */
  public float round(double x, boolean wrap) {
    return decode(encode(x, wrap));
  }

  /** Whether {@code x} is a value of this format (a NaN is, where the format has one). */
  public boolean holds(double x) {
    if (Double.isNaN(x)) {
      return this != E2M1;
    }
    double nearest = decode(encode(x, true));
    return nearest == x && Double.doubleToRawLongBits(nearest) == Double.doubleToRawLongBits(x);
  }

  /** The largest finite value. */
  public float max() {
    return decode(maxFinite);
  }

  private int beyond(boolean wrap) {
    return switch (this) {
      case F16, BF16 -> overflow;
      case E4M3, E5M2, E2M1, E8M0 -> wrap ? overflow : maxFinite;
    };
  }

  /** The rounded pattern of a finite non-negative number, continued past {@code maxFinite} as if exponents went on. */
  private int magnitude(double x) {
    if (x == 0) {
      return 0;
    }
    int exponent = Math.getExponent(x);
    if (exponent < minExponent - mantissaBits - 2) {
      return 0;
    }
    long significand = Double.doubleToRawLongBits(x) & 0xfffffffffffffL | 0x10000000000000L;
    int quantum = Math.max(exponent, minExponent) - mantissaBits;
    int rounded = (int) nearestEven(significand, quantum - exponent + 52);
    return exponent < minExponent ? rounded : ((exponent - minExponent) << mantissaBits) + rounded;
  }

  private int encodeScale(double x, boolean wrap) {
    if (Double.isNaN(x) || x < 0) {
      return nan;
    }
    if (Double.isInfinite(x)) {
      return beyond(wrap);
    }
    int exponent = x < 0x1p-127 ? -127 : Math.getExponent(x);
    int code = exponent + 127 + (x / Math.scalb(1.0, exponent) >= 1.5 ? 1 : 0);
    return code <= maxFinite ? code : beyond(wrap);
  }

  private static int bf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) {
      return bits >>> 16 & 0x8000 | 0x7fc0;
    }
    return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
  }

  /** {@code m / 2^shift} rounded to nearest even; m below 2^62. */
  private static long nearestEven(long m, int shift) {
    long low = m >>> shift;
    long rest = m & (1L << shift) - 1;
    long half = 1L << (shift - 1);
    return rest > half || rest == half && (low & 1) != 0 ? low + 1 : low;
  }

  private float[] table(int magnitudeBits, int mantissaBits) {
    boolean signed = mantissaBits > 0;
    float[] all = new float[signed ? 2 << magnitudeBits : 1 << magnitudeBits];
    for (int bits = 0; bits < all.length; bits++) {
      int code = bits & (1 << magnitudeBits) - 1;
      float value = signed ? smallValue(code) : code == nan ? Float.NaN : (float) Math.scalb(1.0, code - 127);
      all[bits] = code == bits ? value : -value;
    }
    return all;
  }

  private float smallValue(int code) {
    if (code > maxFinite) {
      return code == overflow && overflow != nan ? Float.POSITIVE_INFINITY : Float.NaN;
    }
    int exponent = code >> mantissaBits;
    int mantissa = code & (1 << mantissaBits) - 1;
    int significand = exponent == 0 ? mantissa : mantissa | 1 << mantissaBits;
    return Math.scalb((float) significand, Math.max(exponent, 1) - 1 + minExponent - mantissaBits);
  }
}
