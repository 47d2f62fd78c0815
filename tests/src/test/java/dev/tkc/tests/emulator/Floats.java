package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Lanewise;

/**
 * Float instructions. What PTX calls approximate is computed exactly and rounded here. Sums, products and quotients of
 * f16, bf16 and f32 are computed in double and rounded once more, which for these widths gives the correctly rounded
 * result.
 */
final class Floats {
  private Floats() {}

  static Lanewise op(Statement s) {
    PtxType t = s.type();
    if (t.isPair()) {
      Lanewise one = scalar(s, t.half());
      return (a, b, c) -> one.apply(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF)
          | one.apply(a >>> 16 & 0xFFFF, b >>> 16 & 0xFFFF, c >>> 16 & 0xFFFF) << 16;
    }
    return scalar(s, t);
  }

  static double flush(double x, boolean flush) {
    return flush && Math.abs(x) < Float.MIN_NORMAL ? Math.copySign(0, x) : x;
  }

  /** A function of the numbers. */
  private interface Real {
    double apply(double a, double b, double c);
  }

  private static Lanewise real(Statement s, PtxType t, Real f) {
    boolean flush = s.has("ftz") && t == PtxType.F32;
    boolean saturate = s.has("sat");
    boolean relu = s.has("relu");
    return (a, b, c) -> {
      double x = f.apply(flush(t.number(a), flush), flush(t.number(b), flush), flush(t.number(c), flush));
      x = saturate ? Double.isNaN(x) ? 0 : Math.clamp(x, 0, 1) : x;
      return t.bits(flush(relu && x < 0 ? 0 : x, flush));
    };
  }

  private static Lanewise scalar(Statement s, PtxType t) {
    long sign = 1L << t.bits() - 1;
    return switch (s.opcode()) {
      case "add" -> t == PtxType.F32 && !s.has("ftz") && !s.has("sat")
          ? (a, b, c) -> bits(f(a) + f(b)) : real(s, t, (a, b, c) -> a + b);
      case "sub" -> real(s, t, (a, b, c) -> a - b);
      case "mul" -> t == PtxType.F32 && !s.has("ftz") && !s.has("sat")
          ? (a, b, c) -> bits(f(a) * f(b)) : real(s, t, (a, b, c) -> a * b);
      case "fma", "mad" -> t == PtxType.F32 && !s.has("ftz") && !s.has("sat")
          ? (a, b, c) -> bits(Math.fma(f(a), f(b), f(c))) : real(s, t, fused(t));
      case "div" -> real(s, t, (a, b, c) -> a / b);
      case "rcp" -> real(s, t, (a, b, c) -> 1 / a);
      case "sqrt" -> real(s, t, (a, b, c) -> Math.sqrt(a));
      case "rsqrt" -> real(s, t, (a, b, c) -> 1 / Math.sqrt(a));
      case "ex2" -> real(s, t, (a, b, c) -> Math.pow(2, a));
      case "lg2" -> real(s, t, (a, b, c) -> Math.log(a) / Math.log(2));
      case "sin" -> real(s, t, (a, b, c) -> Math.sin(a));
      case "cos" -> real(s, t, (a, b, c) -> Math.cos(a));
      case "tanh" -> real(s, t, (a, b, c) -> Math.tanh(a));
      case "neg" -> (a, b, c) -> (a ^ sign) & t.mask();
      case "abs" -> (a, b, c) -> a & ~sign & t.mask();
      case "copysign" -> (a, b, c) -> (b & ~sign | a & sign) & t.mask();
      case "min" -> real(s, t, s.has("NaN") ? (a, b, c) -> Math.min(a, b)
          : (a, b, c) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.min(a, b));
      case "max" -> real(s, t, s.has("NaN") ? (a, b, c) -> Math.max(a, b)
          : (a, b, c) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b));
      case "selp", "slct" -> Integers.select(s, t.mask());
      case "set" -> Integers.set(s);
      default -> throw s.unknown();
    };
  }

  private static Real fused(PtxType t) {
    // A product of two f32 fits a double, but adding to it may round; only f32 itself and f64 need care.
    return t == PtxType.F64 ? Math::fma : t == PtxType.F32
        ? (a, b, c) -> Math.fma((float) a, (float) b, (float) c) : (a, b, c) -> a * b + c;
  }

  private static float f(long raw) {
    return Float.intBitsToFloat((int) raw);
  }

  private static long bits(float x) {
    return Float.floatToRawIntBits(x) & 0xFFFFFFFFL;
  }
}
