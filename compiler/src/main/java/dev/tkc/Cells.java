package dev.tkc;

import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Single elements of a tensor's memory, by row-major position: the one place that knows how each element type lies
 * there.
 *
 * <p>Integers and {@code bool} are {@code long}s (sign- or zero-extended; u64 by its bits), floats are {@code double}s,
 * which hold every value of every float type.
 */
final class Cells {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Cells() {}

  /** The element's bits, zero-extended. */
  static long bits(Element element, MemorySegment data, long i) {
    return switch (element.bits()) {
      case 4 -> data.get(ValueLayout.JAVA_BYTE, i >> 1) >> (i & 1) * 4 & 0xf;
      case 8 -> data.get(ValueLayout.JAVA_BYTE, i) & 0xff;
      case 16 -> data.get(SHORT, 2 * i) & 0xffff;
      case 32 -> data.get(INT, 4 * i) & 0xffffffffL;
      default -> data.get(LONG, 8 * i);
    };
  }

  static void setBits(Element element, MemorySegment data, long i, long bits) {
    switch (element.bits()) {
      case 4 -> {
        int shift = (int) (i & 1) * 4;
        int old = data.get(ValueLayout.JAVA_BYTE, i >> 1);
        data.set(ValueLayout.JAVA_BYTE, i >> 1, (byte) (old & ~(0xf << shift) | (bits & 0xf) << shift));
      }
      case 8 -> data.set(ValueLayout.JAVA_BYTE, i, (byte) bits);
      case 16 -> data.set(SHORT, 2 * i, (short) bits);
      case 32 -> data.set(INT, 4 * i, (int) bits);
      default -> data.set(LONG, 8 * i, bits);
    }
  }

  static long integer(Element element, MemorySegment data, long i) {
    long bits = bits(element, data, i);
    return switch (element.kind()) {
      case BOOL -> bits == 0 ? 0 : 1;
      case SIGNED, UNSIGNED -> Integers.wrap(element, bits);
      case FLOAT -> (long) number(element, data, i);
    };
  }

  static double number(Element element, MemorySegment data, long i) {
    long bits = bits(element, data, i);
    return switch (element.kind()) {
      case BOOL -> bits == 0 ? 0 : 1;
      case SIGNED, UNSIGNED -> Conversions.toDouble(element, Integers.wrap(element, bits));
      case FLOAT ->
          switch (element) {
            case F64 -> Double.longBitsToDouble(bits);
            case F32 -> Float.intBitsToFloat((int) bits);
            case F16, BF16, E4M3, E5M2, E2M1, E8M0 -> FloatFormat.of(element).decode((int) bits);
            case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, I4, U4 -> throw new IllegalStateException(element.text());
          };
    };
  }

  /**
   * Stores a number converted as {@code as} converts it: rounded once to nearest even, integers truncated and
   * saturated.
   */
  static void setNumber(Element element, MemorySegment data, long i, double value) {
    long bits =
        switch (element) {
          case BOOL -> Conversions.toBool(value) ? 1 : 0;
          case I8, I16, I32, I64, U8, U16, U32, U64, I4, U4 -> Conversions.toInteger(element, value);
          case F64 -> Double.doubleToRawLongBits(value);
          case F32 -> Float.floatToRawIntBits((float) value);
          case F16, BF16, E4M3, E5M2, E2M1, E8M0 -> FloatFormat.of(element).encode(value, false);
        };
    setBits(element, data, i, bits);
  }

  static void setInteger(Element element, MemorySegment data, long i, long value) {
    switch (element.kind()) {
      case BOOL -> setBits(element, data, i, value == 0 ? 0 : 1);
      case SIGNED, UNSIGNED -> setBits(element, data, i, value);
      case FLOAT -> setNumber(element, data, i, value);
    }
  }
}
