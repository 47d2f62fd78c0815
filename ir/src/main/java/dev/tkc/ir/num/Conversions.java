package dev.tkc.ir.num;

import dev.tkc.ir.type.Element;

/**
 * What {@code x as T} gives, exactly (LANGUAGE.md §2, §9), with one rounding at most.
 *
 * <p>Values are held as the interpreter holds them: a float type other than f64 as a {@code float}, f64 as a
 * {@code double}, an integer as a canonical {@code long} ({@link Integers}), a bool as a {@code boolean}. The method is
 * chosen by what the source is held as; its name says what the result is held as.
 */
public final class Conversions {
  private Conversions() {}

  /** To f32 or a narrower float. */
  public static float toFloat(Element to, float x, boolean wrap) {
    return to == Element.F32 ? x : FloatFormat.of(to).round(x, wrap);
  }

  /** To f32 or a narrower float. */
  public static float toFloat(Element to, double x, boolean wrap) {
    return to == Element.F32 ? (float) x : FloatFormat.of(to).round(x, wrap);
  }

  /** To f32 or a narrower float. */
  public static float toFloat(Element to, Element from, long x, boolean wrap) {
    if (to == Element.F32) {
      return from == Element.U64 ? (float) toOdd(x, true) : (float) x;
    }
    return FloatFormat.of(to).round(toOdd(x, from == Element.U64), wrap);
  }

  public static double toDouble(Element from, long x) {
    if (from == Element.U64 && x < 0) {
      return 2.0 * (x >>> 1 | x & 1);
    }
    return x;
  }

  /** Truncated toward zero, saturated to the type's range; NaN gives 0. */
  public static long toInteger(Element to, double x) {
    if (to == Element.U64) {
      return toUnsigned(x);
    }
    if (to == Element.I64) {
      return (long) x;
    }
    return Math.clamp((long) x, Integers.lowest(to), Integers.highest(to));
  }

  /** An integer to an integer: the low bits. */
  public static long toInteger(Element to, long x) {
    return Integers.wrap(to, x);
  }

  /** Number to bool: is it different from 0; NaN is. */
  public static boolean toBool(double x) {
    return x != 0;
  }

  public static boolean toBool(long x) {
    return x != 0;
  }

  /**
   * Whether a mathematical number, given as a double, converts exactly to the type (the value of a {@code pad} must).
   */
  public static boolean isExact(Element to, double x) {
    return switch (to) {
      case F64 -> true;
      case F32 -> Double.isNaN(x) || (float) x == x;
      case F16, BF16, E4M3, E5M2, E2M1, E8M0 -> FloatFormat.of(to).holds(x);
      case BOOL -> x == 0 || x == 1;
      case I4, I8, I16, I32, I64, U4, U8, U16, U32, U64 -> x == Math.rint(x) && toDouble(to, toInteger(to, x)) == x;
    };
  }

  /**
   * A double that rounds to any narrower format as {@code x} itself would: what does not fit in 53 bits is cut off and
   * remembered in the last bit (rounding to odd).
   */
  private static double toOdd(long x, boolean unsigned) {
    boolean negative = !unsigned && x < 0;
    long magnitude = negative ? -x : x;
    int excess = 11 - Long.numberOfLeadingZeros(magnitude);
    if (excess <= 0) {
      return x;
    }
    long kept = magnitude >>> excess;
    long odd = kept << excess == magnitude ? kept : kept | 1;
    double value = Math.scalb((double) odd, excess);
    return negative ? -value : value;
  }

  private static long toUnsigned(double x) {
    if (!(x > 0)) {
      return 0;
    }
    if (x < 0x1p63) {
      return (long) x;
    }
    return x >= 0x1p64 ? -1L : (long) (x - 0x1p63) + Long.MIN_VALUE;
  }
}
