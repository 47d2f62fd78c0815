package dev.tkc.ir.interp;

import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Elements between memory and the arrays that tiles hold. Offsets and steps count elements; memory is little-endian; of
 * two 4-bit elements in a byte the even one is in the low nibble; a bool is a byte, 0 or not.
 */
final class Codec {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private Codec() {}

  /** Reads {@code n} elements at {@code offset, offset + step, …} to {@code data[at…]}. */
  static void read(Element e, MemorySegment m, long offset, long step, Object data, int at, int n) {
    switch (Tile.Storage.of(e)) {
      case FLOATS -> readFloats(e, m, offset, step, (float[]) data, at, n);
      case DOUBLES -> {
        double[] to = (double[]) data;
        for (int i = 0; i < n; i++) {
          to[at + i] = m.get(DOUBLE, (offset + i * step) * 8);
        }
      }
      case LONGS -> readLongs(e, m, offset, step, (long[]) data, at, n);
      case BOOLS -> {
        boolean[] to = (boolean[]) data;
        for (int i = 0; i < n; i++) {
          to[at + i] = m.get(BYTE, offset + i * step) != 0;
        }
      }
    }
  }

  private static void readFloats(Element e, MemorySegment m, long offset, long step, float[] to, int at, int n) {
    switch (e) {
      case F32 -> {
        if (step == 1) {
          MemorySegment.copy(m, FLOAT, offset * 4, to, at, n);
          return;
        }
        for (int i = 0; i < n; i++) {
          to[at + i] = m.get(FLOAT, (offset + i * step) * 4);
        }
      }
      case BF16 -> {
        for (int i = 0; i < n; i++) {
          to[at + i] = Float.intBitsToFloat(m.get(SHORT, (offset + i * step) * 2) << 16);
        }
      }
      case F16 -> {
        for (int i = 0; i < n; i++) {
          to[at + i] = Float.float16ToFloat(m.get(SHORT, (offset + i * step) * 2));
        }
      }
      case E4M3, E5M2, E8M0 -> {
        FloatFormat format = FloatFormat.of(e);
        for (int i = 0; i < n; i++) {
          to[at + i] = format.decode(m.get(BYTE, offset + i * step) & 0xff);
        }
      }
      case E2M1 -> {
        for (int i = 0; i < n; i++) {
          to[at + i] = FloatFormat.E2M1.decode(nibble(m, offset + i * step));
        }
      }
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F64, I4, U4 -> throw new IllegalStateException(e.text());
    }
  }

  private static void readLongs(Element e, MemorySegment m, long offset, long step, long[] to, int at, int n) {
    for (int i = 0; i < n; i++) {
      long p = offset + i * step;
      to[at + i] = switch (e) {
        case I4 -> (long) nibble(m, p) << 60 >> 60;
        case U4 -> nibble(m, p);
        case I8 -> m.get(BYTE, p);
        case U8 -> m.get(BYTE, p) & 0xff;
        case I16 -> m.get(SHORT, p * 2);
        case U16 -> m.get(SHORT, p * 2) & 0xffff;
        case I32 -> m.get(INT, p * 4);
        case U32 -> m.get(INT, p * 4) & 0xffffffffL;
        case I64, U64 -> m.get(LONG, p * 8);
        case BOOL, F16, BF16, F32, F64, E4M3, E5M2, E2M1, E8M0 -> throw new IllegalStateException(e.text());
      };
    }
  }

  /** Writes {@code n} elements from {@code data[at…]} to {@code offset, offset + step, …}. */
  static void write(Element e, MemorySegment m, long offset, long step, Object data, int at, int n) {
    switch (Tile.Storage.of(e)) {
      case FLOATS -> writeFloats(e, m, offset, step, (float[]) data, at, n);
      case DOUBLES -> {
        double[] from = (double[]) data;
        for (int i = 0; i < n; i++) {
          m.set(DOUBLE, (offset + i * step) * 8, from[at + i]);
        }
      }
      case LONGS -> writeLongs(e, m, offset, step, (long[]) data, at, n);
      case BOOLS -> {
        boolean[] from = (boolean[]) data;
        for (int i = 0; i < n; i++) {
          m.set(BYTE, offset + i * step, (byte) (from[at + i] ? 1 : 0));
        }
      }
    }
  }

  private static void writeFloats(Element e, MemorySegment m, long offset, long step, float[] from, int at, int n) {
    switch (e) {
      case F32 -> {
        if (step == 1) {
          MemorySegment.copy(from, at, m, FLOAT, offset * 4, n);
          return;
        }
        for (int i = 0; i < n; i++) {
          m.set(FLOAT, (offset + i * step) * 4, from[at + i]);
        }
      }
      case BF16, F16 -> {
        FloatFormat format = FloatFormat.of(e);
        for (int i = 0; i < n; i++) {
          m.set(SHORT, (offset + i * step) * 2, (short) format.encode(from[at + i], true));
        }
      }
      case E4M3, E5M2, E8M0 -> {
        FloatFormat format = FloatFormat.of(e);
        for (int i = 0; i < n; i++) {
          m.set(BYTE, offset + i * step, (byte) format.encode(from[at + i], true));
        }
      }
      case E2M1 -> {
        for (int i = 0; i < n; i++) {
          setNibble(m, offset + i * step, FloatFormat.E2M1.encode(from[at + i], true));
        }
      }
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F64, I4, U4 -> throw new IllegalStateException(e.text());
    }
  }

  private static void writeLongs(Element e, MemorySegment m, long offset, long step, long[] from, int at, int n) {
    for (int i = 0; i < n; i++) {
      long p = offset + i * step;
      long x = from[at + i];
      switch (e) {
        case I4, U4 -> setNibble(m, p, (int) x & 0xf);
        case I8, U8 -> m.set(BYTE, p, (byte) x);
        case I16, U16 -> m.set(SHORT, p * 2, (short) x);
        case I32, U32 -> m.set(INT, p * 4, (int) x);
        case I64, U64 -> m.set(LONG, p * 8, x);
        case BOOL, F16, BF16, F32, F64, E4M3, E5M2, E2M1, E8M0 -> throw new IllegalStateException(e.text());
      }
    }
  }

  private static int nibble(MemorySegment m, long at) {
    return m.get(BYTE, at >> 1) >> ((at & 1) << 2) & 0xf;
  }

  private static void setNibble(MemorySegment m, long at, int value) {
    int shift = (int) (at & 1) << 2;
    int other = m.get(BYTE, at >> 1) & 0xf0 >> shift;
    m.set(BYTE, at >> 1, (byte) (other | value << shift));
  }
}
