package dev.tkc.ir.num;

import dev.tkc.ir.type.Element;

/**
 * Integer arithmetic of the language. A value of any integer type is held in a {@code long} in canonical form:
 * sign-extended if the type is signed, zero-extended if it is unsigned ({@code u64} is the 64 bits as they are). Every
 * function takes and returns canonical values of the type named; arithmetic wraps.
 */
public final class Integers {
  private Integers() {}

  /** The low bits of {@code x} as a canonical value of the type. */
  public static long wrap(Element type, long x) {
    return switch (type) {
      case I4 -> x << 60 >> 60;
      case I8 -> (byte) x;
      case I16 -> (short) x;
      case I32 -> (int) x;
      case I64, U64 -> x;
      case U4 -> x & 0xf;
      case U8 -> x & 0xff;
      case U16 -> x & 0xffff;
      case U32 -> x & 0xffffffffL;
      case BOOL, F16, BF16, F32, F64, E4M3, E5M2, E2M1, E8M0 -> throw notInteger(type);
    };
  }

  /** Whether the mathematical integer {@code x} (a signed 64-bit number) is a value of the type. */
  public static boolean fits(Element type, long x) {
    return type == Element.U64 ? x >= 0 : wrap(type, x) == x;
  }

  /** The quotient rounded toward minus infinity; the caller has made sure that {@code y} is not 0. */
  public static long floorDiv(Element type, long x, long y) {
    return type == Element.U64 ? Long.divideUnsigned(x, y) : wrap(type, Math.floorDiv(x, y));
  }

  /** {@code x - floorDiv(x, y) * y}: has the divisor's sign. */
  public static long floorMod(Element type, long x, long y) {
    return type == Element.U64 ? Long.remainderUnsigned(x, y) : wrap(type, Math.floorMod(x, y));
  }

  /** Left shift; an amount that is negative or at least the width gives 0. */
  public static long shl(Element type, long x, long amount) {
    return amount < 0 || amount >= type.bits() ? 0 : wrap(type, x << amount);
  }

  /** Right shift, arithmetic for signed types; an amount that is negative or at least the width gives 0 or the sign. */
  public static long shr(Element type, long x, long amount) {
    if (type.isSigned()) {
      return x >> (amount < 0 || amount >= 63 ? 63 : amount);
    }
    return amount < 0 || amount >= type.bits() ? 0 : x >>> amount;
  }

  /** {@code x} to a non-negative power, wrapping; 0 ** 0 is 1. */
  public static long pow(Element type, long x, long exponent) {
    long result = 1;
    long square = x;
    for (long n = exponent; n != 0; n >>>= 1) {
      if ((n & 1) != 0) {
        result *= square;
      }
      square *= square;
    }
    return wrap(type, result);
  }

  /** The order of two values of the type. */
  public static int compare(Element type, long x, long y) {
    return type == Element.U64 ? Long.compareUnsigned(x, y) : Long.compare(x, y);
  }

  public static long max(Element type, long x, long y) {
    return compare(type, x, y) >= 0 ? x : y;
  }

  public static long min(Element type, long x, long y) {
    return compare(type, x, y) <= 0 ? x : y;
  }

  /** The smallest value of the type: where a {@code max} starts. */
  public static long lowest(Element type) {
    return type.isSigned() ? -1L << (type.bits() - 1) : 0;
  }

  /** The largest value of the type, canonical. */
  public static long highest(Element type) {
    int bits = type.bits();
    return type.isSigned() ? (1L << (bits - 1)) - 1 : bits == 64 ? -1L : (1L << bits) - 1;
  }

  /** A value of the type as text: {@code u64} without a sign. */
  public static String toString(Element type, long x) {
    return type == Element.U64 ? Long.toUnsignedString(x) : Long.toString(x);
  }

  /** The quotient of two mathematical integers rounded up. */
  public static long cdiv(long x, long y) {
    return Math.ceilDiv(x, y);
  }

  /** The smallest n with 2^n at least {@code x}; 0 for x below 2. */
  public static long log2Ceil(long x) {
    return x <= 1 ? 0 : 64 - Long.numberOfLeadingZeros(x - 1);
  }

  private static IllegalStateException notInteger(Element type) {
    return new IllegalStateException(type.text() + " is not an integer type");
  }
}
