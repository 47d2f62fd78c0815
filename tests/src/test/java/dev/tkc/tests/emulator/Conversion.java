package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Lanewise;
import java.math.BigDecimal;
import java.math.BigInteger;

/** {@code cvt} in all its forms. */
final class Conversion {
  private Conversion() {}

  /** {@code width} is that of the register written: narrow integers are extended to it. */
  static Lanewise of(Statement s, int width) {
    PtxType to = s.types().get(0);
    PtxType from = s.types().get(1);
    if (to.isPair()) {
      return pair(s, to, from);
    }
    long register = width == 64 ? -1L : (1L << width) - 1;
    if (!to.isFloat()) {
      return from.isFloat() ? toInteger(s, to, from, register) : integers(s, to, from, register);
    }
    if (!from.isFloat()) {
      return fromInteger(to, from);
    }
    return floats(s, to, from);
  }

  /** {@code cvt.rn.bf16x2.f32 d, a, b} puts a into the upper half; from another pair both halves are converted. */
  private static Lanewise pair(Statement s, PtxType to, PtxType from) {
    PtxType half = to.half();
    int shift = half.bits();
    boolean saturate = s.has("satfinite");
    boolean relu = s.has("relu");
    if (!from.isPair()) {
      return (a, b, c) -> encode(half, from.number(a), saturate, relu) << shift
          | encode(half, from.number(b), saturate, relu);
    }
    PtxType source = from.half();
    long mask = source.mask();
    return (a, b, c) -> encode(half, source.number(a >>> source.bits() & mask), saturate, relu) << shift
        | encode(half, source.number(a & mask), saturate, relu);
  }

  private static long encode(PtxType to, double x, boolean saturate, boolean relu) {
    double y = relu && x < 0 ? 0 : x;
    if (!saturate) {
      return to.bits(y);
    }
    return switch (to) {
      case E4M3 -> Rounding.E4M3.saturate(y);
      case E5M2 -> Rounding.E5M2.saturate(y);
      case F16 -> Rounding.HALF.saturate(y);
      case BF16 -> Rounding.BRAIN.saturate(y);
      case PRED, B8, B16, B32, B64, S8, S16, S32, S64, U8, U16, U32, U64, F32, F64, TF32, F16X2, BF16X2, E4M3X2,
          E5M2X2 -> throw new IllegalStateException("satfinite to " + to);
    };
  }

  private static Lanewise integers(Statement s, PtxType to, PtxType from, long register) {
    if (!s.has("sat")) {
      return (a, b, c) -> to.integer(from.integer(a)) & register;
    }
    BigInteger least = to.isSigned() ? BigInteger.ONE.shiftLeft(to.bits() - 1).negate() : BigInteger.ZERO;
    BigInteger most = BigInteger.ONE.shiftLeft(to.isSigned() ? to.bits() - 1 : to.bits()).subtract(BigInteger.ONE);
    return (a, b, c) -> exact(from, a).max(least).min(most).longValue() & register;
  }

  private static BigInteger exact(PtxType from, long raw) {
    return from == PtxType.U64 ? new BigInteger(Long.toUnsignedString(raw)) : BigInteger.valueOf(from.integer(raw));
  }

  private static Lanewise fromInteger(PtxType to, PtxType from) {
    boolean direct = to == PtxType.F32 || to == PtxType.F64;
    return (a, b, c) -> {
      BigDecimal x = new BigDecimal(exact(from, a));
      return direct ? to == PtxType.F32 ? Float.floatToRawIntBits(x.floatValue()) & 0xFFFFFFFFL
          : Double.doubleToRawLongBits(x.doubleValue()) : to.bits(x.doubleValue());
    };
  }

  private static Lanewise toInteger(Statement s, PtxType to, PtxType from, long register) {
    double least = to.isSigned() ? -Math.scalb(1.0, to.bits() - 1) : 0;
    double past = Math.scalb(1.0, to.isSigned() ? to.bits() - 1 : to.bits());
    long most = to.isSigned() ? to.mask() >>> 1 : to.mask();
    long nan = from == PtxType.F64 || to.bits() == 64 ? 1L << to.bits() - 1 : 0;
    return (a, b, c) -> {
      double x = integral(s, Floats.flush(from.number(a), s.has("ftz") && from == PtxType.F32));
      if (Double.isNaN(x)) {
        return nan & register;
      }
      if (x >= past) {
        return most & register;
      }
      double y = Math.max(x, least);
      return (y >= 0x1p63 ? (long) (y - 0x1p63) + Long.MIN_VALUE : (long) y) & register;
    };
  }

  /** Rounded as {@code .rni}, {@code .rzi}, {@code .rmi}, {@code .rpi} say. */
  private static double integral(Statement s, double x) {
    return s.has("rni") ? Math.rint(x) : s.has("rmi") ? Math.floor(x) : s.has("rpi") ? Math.ceil(x)
        : s.has("rzi") ? x < 0 ? Math.ceil(x) : Math.floor(x) : x;
  }

  private static Lanewise floats(Statement s, PtxType to, PtxType from) {
    boolean saturate = s.has("sat");
    boolean relu = s.has("relu");
    boolean flush = s.has("ftz");
    if (to == PtxType.TF32) {
      return (a, b, c) -> tf32(s, (int) a) & 0xFFFFFFFFL;
    }
    return (a, b, c) -> {
      double x = integral(s, from == PtxType.F32 ? Floats.flush(from.number(a), flush) : from.number(a));
      x = saturate ? Double.isNaN(x) ? 0 : Math.clamp(x, 0, 1) : relu && x < 0 ? 0 : x;
      long bits = to.bits(x);
      return s.has("rz") || s.has("rm") || s.has("rp") ? directed(s, to, x, bits) : bits;
    };
  }

  /** Corrects the nearest number to the next one in the direction asked for. */
  private static long directed(Statement s, PtxType to, double x, long nearest) {
    double rounded = to.number(nearest);
    boolean down = s.has("rm") || s.has("rz") && x > 0;
    if (rounded > x && down) {
      return rounded > 0 ? nearest - 1 : nearest + 1;
    }
    if (rounded < x && !down) {
      return rounded < 0 ? nearest - 1 : nearest + 1;
    }
    return nearest;
  }

  private static int tf32(Statement s, int bits) {
    if ((bits & 0x7F800000) == 0x7F800000) {
      return bits;
    }
    int half = s.has("rna") ? 0x1000 : s.has("rz") ? 0 : 0xFFF + (bits >>> 13 & 1);
    return bits + half & 0xFFFFE000;
  }
}
