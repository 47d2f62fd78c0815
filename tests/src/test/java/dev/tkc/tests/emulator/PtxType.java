package dev.tkc.tests.emulator;

import java.util.Locale;
import java.util.Optional;

/** The type suffixes of PTX instructions. A register holds a value's bits, zero-extended to 64. */
enum PtxType {
  PRED(1), B8(8), B16(16), B32(32), B64(64), S8(8), S16(16), S32(32), S64(64), U8(8), U16(16), U32(32), U64(64),
  F16(16), BF16(16), F32(32), F64(64), TF32(32), F16X2(32), BF16X2(32), E4M3(8), E5M2(8), E4M3X2(16), E5M2X2(16);

  private final int bits;

  PtxType(int bits) {
    this.bits = bits;
  }

  static Optional<PtxType> of(String suffix) {
    for (PtxType t : values()) {
      if (t.name().toLowerCase(Locale.ROOT).equals(suffix)) {
        return Optional.of(t);
      }
    }
    return Optional.empty();
  }

  int bits() {
    return bits;
  }

  int bytes() {
    return Math.max(1, bits / 8);
  }

  boolean isSigned() {
    return this == S8 || this == S16 || this == S32 || this == S64;
  }

  boolean isFloat() {
    return switch (this) {
      case F16, BF16, F32, F64, TF32, E4M3, E5M2 -> true;
      case PRED, B8, B16, B32, B64, S8, S16, S32, S64, U8, U16, U32, U64, F16X2, BF16X2, E4M3X2, E5M2X2 -> false;
    };
  }

  boolean isPair() {
    return this == F16X2 || this == BF16X2 || this == E4M3X2 || this == E5M2X2;
  }

  /** The type of one half of a pair. */
  PtxType half() {
    return switch (this) {
      case F16X2 -> F16;
      case BF16X2 -> BF16;
      case E4M3X2 -> E4M3;
      case E5M2X2 -> E5M2;
      case PRED, B8, B16, B32, B64, S8, S16, S32, S64, U8, U16, U32, U64, F16, BF16, F32, F64, TF32, E4M3, E5M2 ->
          throw new IllegalStateException(this + " is no pair");
    };
  }

  long mask() {
    return bits == 64 ? -1L : (1L << bits) - 1;
  }

  /** The integer that the bits mean: sign-extended if signed. */
  long integer(long raw) {
    int shift = 64 - bits;
    return isSigned() ? raw << shift >> shift : raw << shift >>> shift;
  }

  /** The number that the bits mean. */
  double number(long raw) {
    return switch (this) {
      case F64 -> Double.longBitsToDouble(raw);
      case F32 -> Float.intBitsToFloat((int) raw);
      case TF32 -> Float.intBitsToFloat((int) raw & 0xFFFFE000);
      case F16 -> Rounding.HALF.decode(raw);
      case BF16 -> Float.intBitsToFloat((int) raw << 16);
      case E4M3 -> Rounding.E4M3.decode(raw);
      case E5M2 -> Rounding.E5M2.decode(raw);
      case U64 -> (raw >>> 1) * 2.0 + (raw & 1);
      case PRED, B8, B16, B32, B64, S8, S16, S32, S64, U8, U16, U32, F16X2, BF16X2, E4M3X2, E5M2X2 -> integer(raw);
    };
  }

  /** The bits of a number rounded to nearest even. */
  long bits(double number) {
    return switch (this) {
      case F64 -> Double.doubleToRawLongBits(number);
      case F32 -> Float.floatToRawIntBits((float) number) & 0xFFFFFFFFL;
      case F16 -> Rounding.HALF.encode(number);
      case BF16 -> Rounding.BRAIN.encode(number);
      case E4M3 -> Rounding.E4M3.encode(number);
      case E5M2 -> Rounding.E5M2.encode(number);
      case TF32, PRED, B8, B16, B32, B64, S8, S16, S32, S64, U8, U16, U32, U64, F16X2, BF16X2, E4M3X2, E5M2X2 ->
          throw new IllegalStateException("no float type: " + this);
    };
  }
}
