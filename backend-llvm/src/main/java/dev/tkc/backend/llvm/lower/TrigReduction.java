package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import java.util.List;

/**
 * x = q π/2 + r with |r| ≤ π/4, for every finite f32 x, in f64. Up to 2^28 by subtracting multiples of π/2 in two
 * parts; above, 2/π is cut into pieces of 24 bits, whose products with x are exact, as are their remainders modulo 4.
 */
final class TrigReduction {
  private static final double[] TWO_OVER_PI = {
    0x1.45f306p-1, 0x1.b9391p-26, 0x1.529fcp-52, 0x1.3abe88p-75, 0x1.ea69bap-97, 0x1.81b6c4p-121, 0x1.2b3278p-145,
    0x1.0e4104p-170, 0x1.fca2c6p-193
  };
  private static final double LARGE = 0x1p28;

  /** The quadrant (i32; its low two bits count) and the rest (f64). */
  record Reduced(LlvmValue quadrant, LlvmValue rest) {}

  private TrigReduction() {}

  static Reduced reduce(LlvmBuilder b, LlvmValue x) {
    LlvmValue wide = x.type().equals(LlvmType.DOUBLE) ? x : b.fpext(x, LlvmType.DOUBLE);
    LlvmValue size = b.call(LlvmIntrinsic.uniform("llvm.fabs", LlvmType.DOUBLE, 1), wide);
    LlvmValue small = b.fcmp(RealCompare.ULE, size, c(LARGE));
    List<LlvmValue> parts = b.ifElse(small, () -> byMultiples(b, wide), () -> byPieces(b, wide));
    return new Reduced(parts.get(0), parts.get(1));
  }

  private static List<LlvmValue> byMultiples(LlvmBuilder b, LlvmValue x) {
    LlvmValue q = round(b, b.fmul(x, c(2 / Math.PI)));
    LlvmValue r = FloatMath.fma(b, q, c(-Math.PI / 2), x);
    r = FloatMath.fma(b, q, c(-6.123233995736766e-17), r);
    return List.of(toInteger(b, q), r);
  }

  private static List<LlvmValue> byPieces(LlvmBuilder b, LlvmValue x) {
    LlvmValue sum = c(0);
    LlvmValue low = c(0);
    for (double piece : TWO_OVER_PI) {
      LlvmValue product = b.fmul(x, c(piece));
      LlvmValue quarters = b.call(LlvmIntrinsic.uniform("llvm.floor", LlvmType.DOUBLE, 1), b.fmul(product, c(0.25)));
      LlvmValue rest = FloatMath.fma(b, quarters, c(-4), product);
      // The sum in two parts, so that what the first loses is kept.
      LlvmValue next = b.fadd(sum, rest);
      LlvmValue taken = b.fsub(next, sum);
      LlvmValue error = b.fadd(b.fsub(sum, b.fsub(next, taken)), b.fsub(rest, taken));
      sum = next;
      low = b.fadd(low, error);
    }
    LlvmValue q = round(b, sum);
    LlvmValue fraction = b.fadd(b.fsub(sum, q), low);
    return List.of(toInteger(b, q), b.fmul(fraction, c(Math.PI / 2)));
  }

  private static LlvmValue round(LlvmBuilder b, LlvmValue x) {
    return b.call(LlvmIntrinsic.uniform("llvm.roundeven", LlvmType.DOUBLE, 1), x);
  }

  private static LlvmValue toInteger(LlvmBuilder b, LlvmValue q) {
    return b.call(LlvmIntrinsic.converting("llvm.fptosi.sat", LlvmType.I32, LlvmType.DOUBLE), q);
  }

  private static LlvmValue c(double value) {
    return LlvmValue.real(LlvmType.DOUBLE, value);
  }
}
