package dev.tkc.tests.ptx;

import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Numbers as elements in memory, rounded to the element type. */
final class RandomCells {
  private RandomCells() {}

  static void write(Element e, MemorySegment memory, double[] values) {
    for (int i = 0; i < values.length; i++) {
      long bits = bits(e, values[i]);
      if (e.bits() == 4) {
        int old = i % 2 == 0 ? 0 : memory.get(ValueLayout.JAVA_BYTE, i / 2);
        memory.set(ValueLayout.JAVA_BYTE, i / 2, (byte) (old | (bits & 15) << 4 * (i % 2)));
        continue;
      }
      for (int b = 0; b < e.bits() / 8; b++) {
        memory.set(ValueLayout.JAVA_BYTE, (long) i * e.bits() / 8 + b, (byte) (bits >>> 8 * b));
      }
    }
  }

  private static long bits(Element e, double x) {
    return switch (e) {
      case F64 -> Double.doubleToRawLongBits(x);
      case F32 -> Float.floatToRawIntBits((float) x);
      case F16, BF16, E4M3, E5M2, E2M1, E8M0 -> FloatFormat.of(e).encode(x, false);
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, I4, U4 -> (long) x;
    };
  }
}
