package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.type.Element;

/** The formats of 8 bits and fewer in software, to and from f32, exact by {@code docs/numerics.md}. */
final class SmallFloats {
  /** {@code largest}: the largest finite value's pattern; {@code overflow}, {@code nan}: patterns without sign. */
  private record Format(int exponentBits, int mantissaBits, int bias, int largest, int overflow, int nan) {}

  private static final Format E4M3 = new Format(4, 3, 7, 0x7E, 0x7F, 0x7F);
  private static final Format E5M2 = new Format(5, 2, 15, 0x7B, 0x7C, 0x7F);
  private static final Format E2M1 = new Format(2, 1, 1, 7, 7, 7);

  private SmallFloats() {}

  static LlvmValue decode(LlvmBuilder b, LlvmValue x, Element from) {
    return switch (from) {
      case E4M3 -> {
        LlvmValue value = b.fmul(viaHalf(b, x, 7, 7, 8), LlvmValue.f32(256));
        LlvmValue size = b.and(x, LlvmValue.constant(LlvmType.I8, 0x7F));
        LlvmValue isNan = b.icmp(Compare.EQ, size, LlvmValue.constant(LlvmType.I8, 0x7F));
        yield b.select(isNan, LlvmValue.f32(Double.NaN), value);
      }
      case E5M2 -> viaHalf(b, x, 7, 8, 8);
      case E2M1 -> b.fmul(viaHalf(b, x, 3, 9, 12), LlvmValue.f32(1 << 14));
      case E8M0 -> scale(b, x);
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, I4, U4 ->
          throw new IllegalStateException(from.text() + " is no small float");
    };
  }

  /**
   * The low {@code bits} bits, moved up by {@code up} to f16's exponent and mantissa, the sign bit by {@code signUp}.
   */
  private static LlvmValue viaHalf(LlvmBuilder b, LlvmValue x, int bits, int up, int signUp) {
    LlvmValue wide = b.zext(x, LlvmType.I16);
    LlvmValue size = b.shl(b.and(wide, LlvmValue.i16((1 << bits) - 1)), LlvmValue.i16(up));
    LlvmValue sign = b.shl(b.and(wide, LlvmValue.i16(1 << bits)), LlvmValue.i16(signUp));
    return b.fpext(b.bitcast(b.or(size, sign), LlvmType.HALF), LlvmType.FLOAT);
  }

  /** 2^(x − 127); the least is subnormal in f32, 255 is NaN. */
  private static LlvmValue scale(LlvmBuilder b, LlvmValue x) {
    LlvmValue wide = b.zext(x, LlvmType.I32);
    LlvmValue least = b.icmp(Compare.EQ, wide, LlvmValue.i32(0));
    LlvmValue nan = b.icmp(Compare.EQ, wide, LlvmValue.i32(255));
    LlvmValue bits = b.select(least, LlvmValue.i32(0x400000), b.shl(wide, LlvmValue.i32(23)));
    return b.bitcast(b.select(nan, LlvmValue.i32(0x7FC00000), bits), LlvmType.FLOAT);
  }

  static LlvmValue encode(LlvmBuilder b, LlvmValue x, Element to, boolean wrap) {
    return switch (to) {
      case E4M3 -> encode(b, x, E4M3, wrap, 0x80);
      case E5M2 -> encode(b, x, E5M2, wrap, 0x80);
      case E2M1 -> {
        LlvmValue code = encode(b, x, E2M1, false, 8);
        yield b.select(b.fcmp(RealCompare.UNO, x, x), LlvmValue.constant(LlvmType.I8, 7), code);
      }
      case E8M0 -> encodeScale(b, x, wrap);
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, I4, U4 ->
          throw new IllegalStateException(to.text() + " is no small float");
    };
  }

  private static LlvmValue encode(LlvmBuilder b, LlvmValue x, Format format, boolean wrap, int signBit) {
    LlvmValue size = b.call(LlvmIntrinsic.uniform("llvm.fabs", LlvmType.FLOAT, 1), x);
    LlvmValue bits = b.bitcast(size, LlvmType.I32);
    int drop = 23 - format.mantissaBits;
    // Normal: half of the last place, less one where the last bit is even, then cut; the exponent moves to the new
    // bias.
    LlvmValue lsb = b.and(b.lshr(bits, LlvmValue.i32(drop)), LlvmValue.i32(1));
    LlvmValue rounded = b.add(b.add(bits, LlvmValue.i32((1L << (drop - 1)) - 1)), lsb);
    int rebias = (127 - format.bias) << format.mantissaBits;
    LlvmValue normal = b.sub(b.lshr(rounded, LlvmValue.i32(drop)), LlvmValue.i32(rebias));
    // Subnormal: an addition that puts the last place at the sum's last bit rounds it.
    double magic = Math.scalb(1.5, 1 - format.bias - format.mantissaBits + 23);
    LlvmValue sum = b.fadd(size, LlvmValue.f32(magic));
    LlvmValue subnormal = b.sub(b.bitcast(sum, LlvmType.I32), LlvmValue.i32(Float.floatToRawIntBits((float) magic)));
    LlvmValue below = b.fcmp(RealCompare.OLT, size, LlvmValue.f32(Math.scalb(1.0, 1 - format.bias)));
    LlvmValue finite = b.select(below, subnormal, normal);
    LlvmValue over = b.icmp(Compare.SGT, finite, LlvmValue.i32(format.largest));
    LlvmValue bounded = b.select(over, LlvmValue.i32(wrap ? format.overflow : format.largest), finite);
    LlvmValue code = b.select(b.fcmp(RealCompare.UNO, x, x), LlvmValue.i32(format.nan), bounded);
    LlvmValue sign = b.icmp(Compare.SLT, b.bitcast(x, LlvmType.I32), LlvmValue.i32(0));
    return b.trunc(b.or(code, b.select(sign, LlvmValue.i32(signBit), LlvmValue.i32(0))), LlvmType.I8);
  }

  private static LlvmValue encodeScale(LlvmBuilder b, LlvmValue x, boolean wrap) {
    LlvmValue bits = b.bitcast(x, LlvmType.I32);
    LlvmValue near = b.lshr(b.add(bits, LlvmValue.i32(0x400000)), LlvmValue.i32(23));
    LlvmValue bounded = wrap ? near : IntegerMath.min(b, near, LlvmValue.i32(254), true);
    LlvmValue zero = b.fcmp(RealCompare.OEQ, x, LlvmValue.f32(0));
    LlvmValue positive = b.fcmp(RealCompare.OGT, x, LlvmValue.f32(0));
    LlvmValue code = b.select(positive, bounded, b.select(zero, LlvmValue.i32(0), LlvmValue.i32(255)));
    return b.trunc(code, LlvmType.I8);
  }
}
