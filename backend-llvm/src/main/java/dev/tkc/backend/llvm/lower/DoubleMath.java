package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmBuilder.Unroll;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import java.util.List;

/**
 * Functions of f64 by argument reduction and series, since GPUs have no instructions for them. Short rather than quick:
 * f64 is for references and for the places where f32 functions need the width.
 */
final class DoubleMath {
  private static final double LOG2E = 1.4426950408889634;
  private static final double LN2_HIGH = 0x1.62e42fefa39efp-1;
  private static final double LN2_LOW = 0x1.abc9e3b39803fp-56;
  private static final double LOG2E_LOW = 2.0355273740931033e-17;

  private final LlvmBuilder b;

  DoubleMath(LlvmBuilder b) {
    this.b = b;
  }

  LlvmValue unary(UnaryKind kind, LlvmValue x) {
    return switch (kind) {
      case SQRT -> builtin("llvm.sqrt", x);
      case RSQRT -> b.fdiv(c(1), builtin("llvm.sqrt", x));
      case RCP -> b.fdiv(c(1), x);
      case EXP -> exp(x);
      case EXP2 -> exp2(x);
      case LOG -> logarithm(x, false);
      case LOG2 -> logarithm(x, true);
      case SIN -> sine(x, 0);
      case COS -> sine(x, 1);
      case TANH -> tanh(x);
      case ERF -> erf(x);
      case SIGMOID -> b.fdiv(c(1), b.fadd(c(1), exp(b.fneg(x))));
      case NEG, ABS, FLOOR, CEIL, ROUND, NOT -> throw new IllegalStateException(kind + " is no special function");
    };
  }

  private LlvmValue builtin(String name, LlvmValue x) {
    return b.call(LlvmIntrinsic.uniform(name, x.type(), 1), x);
  }

  private LlvmValue builtin(String name, LlvmValue x, LlvmValue y) {
    return b.call(LlvmIntrinsic.uniform(name, x.type(), 2), x, y);
  }

  private static LlvmValue c(double value) {
    return LlvmValue.real(LlvmType.DOUBLE, value);
  }

  private LlvmValue fma(LlvmValue x, LlvmValue y, LlvmValue z) {
    return FloatMath.fma(b, x, y, z);
  }

  /** Σ x^k / (first + k)! for k from 0, scaled by first!; with first = 0 it is e^x for |x| ≤ 0.36. */
  private LlvmValue exponentialSeries(LlvmValue x, int first, int terms) {
    double[] inverse = new double[terms];
    double factorial = 1;
    for (int k = 0; k < terms; k++) {
      factorial *= k == 0 ? 1 : first + k;
      inverse[k] = 1 / factorial;
    }
    LlvmValue sum = c(inverse[terms - 1]);
    for (int k = terms - 2; k >= 0; k--) {
      sum = fma(sum, x, c(inverse[k]));
    }
    return sum;
  }

  private LlvmValue exp(LlvmValue x) {
    LlvmValue bounded = bounded(x, 1100);
    LlvmValue n = builtin("llvm.roundeven", b.fmul(bounded, c(LOG2E)));
    LlvmValue r = fma(n, c(-LN2_LOW), fma(n, c(-LN2_HIGH), bounded));
    return scale(exponentialSeries(r, 0, 15), n);
  }

  private LlvmValue exp2(LlvmValue x) {
    LlvmValue bounded = bounded(x, 1100);
    LlvmValue n = builtin("llvm.roundeven", bounded);
    LlvmValue r = b.fmul(b.fsub(bounded, n), c(LN2_HIGH));
    return scale(exponentialSeries(r, 0, 15), n);
  }

  private LlvmValue bounded(LlvmValue x, double limit) {
    return builtin("llvm.minimum", builtin("llvm.maximum", x, c(-limit)), c(limit));
  }

  /** x 2^n for a whole n of magnitude up to 1600, rounding once where the result is subnormal. */
  private LlvmValue scale(LlvmValue x, LlvmValue n) {
    LlvmValue whole = b.call(LlvmIntrinsic.converting("llvm.fptosi.sat", LlvmType.I64, LlvmType.DOUBLE), n);
    LlvmValue half = b.ashr(whole, LlvmValue.i64(1));
    return b.fmul(b.fmul(x, powerOfTwo(half)), powerOfTwo(b.sub(whole, half)));
  }

  private LlvmValue powerOfTwo(LlvmValue n) {
    return b.bitcast(b.shl(b.add(n, LlvmValue.i64(1023)), LlvmValue.i64(52)), LlvmType.DOUBLE);
  }

  /** x = 2^e m with m from √½ to √2; log m = 2 (s + s³/3 + …), s = (m − 1)/(m + 1). */
  private LlvmValue logarithm(LlvmValue x, boolean base2) {
    LlvmValue tiny = b.fcmp(RealCompare.OLT, x, c(0x1p-1022));
    LlvmValue bits = b.bitcast(b.select(tiny, b.fmul(x, c(0x1p54)), x), LlvmType.I64);
    LlvmValue up = b.sub(bits, LlvmValue.i64(Double.doubleToRawLongBits(Math.sqrt(0.5))));
    LlvmValue e = b.ashr(up, LlvmValue.i64(52));
    LlvmValue m = b.bitcast(b.sub(bits, b.shl(e, LlvmValue.i64(52))), LlvmType.DOUBLE);
    LlvmValue whole = b.fadd(b.sitofp(e, LlvmType.DOUBLE), b.select(tiny, c(-54), c(0)));
    LlvmValue f = b.fsub(m, c(1));
    LlvmValue s = b.fdiv(f, b.fadd(m, c(1)));
    LlvmValue square = b.fmul(s, s);
    LlvmValue sum = c(1.0 / 25);
    for (int k = 23; k >= 3; k -= 2) {
      sum = fma(sum, square, c(1.0 / k));
    }
    // log m = f − s (f − 2 s² Σ), which keeps f's leading bits.
    LlvmValue log = b.fsub(f, b.fmul(s, b.fsub(f, b.fmul(b.fmul(square, sum), c(2)))));
    LlvmValue result = base2
        ? b.fadd(whole, fma(log, c(LOG2E), b.fmul(log, c(LOG2E_LOW))))
        : fma(whole, c(LN2_HIGH), fma(whole, c(LN2_LOW), log));
    LlvmValue infinity = c(Double.POSITIVE_INFINITY);
    LlvmValue special = b.select(b.fcmp(RealCompare.OEQ, x, c(0)), c(Double.NEGATIVE_INFINITY),
        b.select(b.fcmp(RealCompare.OEQ, x, infinity), infinity, c(Double.NaN)));
    LlvmValue ordinary = b.and(b.fcmp(RealCompare.OGT, x, c(0)), b.fcmp(RealCompare.OLT, x, infinity));
    return b.select(ordinary, result, special);
  }

  private LlvmValue sine(LlvmValue x, int quarter) {
    TrigReduction.Reduced reduced = TrigReduction.reduce(b, x);
    LlvmValue quadrant = b.add(reduced.quadrant(), LlvmValue.i32(quarter));
    LlvmValue r = reduced.rest();
    LlvmValue negative = b.fneg(b.fmul(r, r));
    LlvmValue sin = c(1);
    LlvmValue cos = c(1);
    for (int k = 9; k >= 1; k--) {
      sin = fma(b.fmul(sin, c(1.0 / (2 * k * (2 * k + 1)))), negative, c(1));
      cos = fma(b.fmul(cos, c(1.0 / (2 * k * (2 * k - 1)))), negative, c(1));
    }
    sin = b.fmul(sin, r);
    LlvmValue value = b.select(isSet(quadrant, 1), cos, sin);
    return b.select(isSet(quadrant, 2), b.fneg(value), value);
  }

  private LlvmValue isSet(LlvmValue x, int bit) {
    return b.icmp(Compare.NE, b.and(x, LlvmValue.i32(bit)), LlvmValue.i32(0));
  }

  /** (e^2a − 1) / (e^2a + 1), the difference by its own series where it is small. */
  private LlvmValue tanh(LlvmValue x) {
    LlvmValue a = builtin("llvm.fabs", x);
    LlvmValue twice = b.fadd(a, a);
    LlvmValue small = b.fmul(exponentialSeries(twice, 1, 15), twice);
    LlvmValue large = b.fsub(exp(builtin("llvm.minimum", twice, c(60))), c(1));
    LlvmValue less = b.select(b.fcmp(RealCompare.OLT, twice, c(0.35)), small, large);
    return builtin("llvm.copysign", b.fdiv(less, b.fadd(less, c(2))), x);
  }

  /** 2/√π e^−x² Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms are all positive; 1 beyond 6. */
  private LlvmValue erf(LlvmValue x) {
    LlvmValue a = builtin("llvm.minimum", builtin("llvm.fabs", x), c(6));
    LlvmValue square = b.fmul(a, a);
    LlvmValue lost = fma(a, a, b.fneg(square));
    LlvmValue twice = b.fadd(square, square);
    List<LlvmValue> sums = b.forLoop(LlvmValue.i32(1), LlvmValue.i32(140), LlvmValue.i32(1), List.of(a, a),
        Unroll.NEVER,
        (n, carried) -> {
          LlvmValue odd = b.sitofp(b.add(b.add(n, n), LlvmValue.i32(1)), LlvmType.DOUBLE);
          LlvmValue term = b.fdiv(b.fmul(carried.get(0), twice), odd);
          return List.of(term, b.fadd(carried.get(1), term));
        });
    LlvmValue gauss = b.fmul(exp(b.fneg(square)), b.fsub(c(1), lost));
    LlvmValue value = b.fmul(b.fmul(gauss, c(2 / Math.sqrt(Math.PI))), sums.get(1));
    return builtin("llvm.copysign", builtin("llvm.minimum", value, c(1)), x);
  }

  /**
   * As {@code Math.pow}: |x|^y through logarithms, the sign of odd whole exponents, NaN for other powers of negatives.
   */
  LlvmValue pow(LlvmValue x, LlvmValue y) {
    LlvmValue a = builtin("llvm.fabs", x);
    LlvmValue log = logarithm(a, true);
    LlvmValue high = b.fmul(y, log);
    LlvmValue size = exp2(high);
    LlvmValue whole = b.fcmp(RealCompare.OEQ, builtin("llvm.floor", y), y);
    LlvmValue halfY = b.fmul(y, c(0.5));
    LlvmValue odd = b.and(whole, b.fcmp(RealCompare.UNE, builtin("llvm.floor", halfY), halfY));
    LlvmValue signed = b.select(odd, builtin("llvm.copysign", size, x), size);
    LlvmValue negative = b.fcmp(RealCompare.OLT, x, c(0));
    LlvmValue real = b.select(b.and(negative, b.not(whole)), c(Double.NaN), signed);
    return b.select(b.fcmp(RealCompare.OEQ, y, c(0)), c(1), real);
  }
}
