package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.FastMath;
import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import java.util.List;

/**
 * Functions of f32 within the bounds that {@code docs/numerics.md} states for targets. Few instructions of the special
 * function unit each (one where possible), since kernels that read and write bf16 are bound by that unit first. The
 * polynomials are least-squares fits at Chebyshev nodes, weighted for relative error.
 */
final class FloatMath {
  private static final double LOG2E = 1.4426950408889634;
  private static final double LN2 = 0.6931471805599453;

  private final LlvmBuilder b;
  private final TargetLowering target;
  private final boolean exact;

  FloatMath(LlvmBuilder b, TargetLowering target, boolean exact) {
    this.b = b;
    this.target = target;
    this.exact = exact;
  }

  static LlvmValue fma(LlvmBuilder b, LlvmValue x, LlvmValue y, LlvmValue z) {
    return b.call(LlvmIntrinsic.uniform("llvm.fma", x.type(), 3), x, y, z);
  }

  LlvmValue unary(UnaryKind kind, LlvmValue x) {
    return switch (kind) {
      case SQRT -> exact ? builtin("llvm.sqrt", x) : own(kind, x);
      case RCP -> exact ? b.fdiv(one(), x) : own(kind, x);
      case RSQRT, EXP2 -> own(kind, x);
      case EXP -> exp(x);
      case LOG -> logarithm(x, LN2, 1);
      case LOG2 -> logarithm(x, 1, LOG2E);
      case SIN -> sine(x, 0);
      case COS -> sine(x, 1);
      case TANH -> tanh(x);
      case ERF -> erf(x);
      case SIGMOID -> sigmoid(x);
      case NEG, ABS, FLOOR, CEIL, ROUND, NOT -> throw new IllegalStateException(kind + " is no special function");
    };
  }

  /** By the target's own instruction, or as LLVM does it. */
  private LlvmValue own(UnaryKind kind, LlvmValue x) {
    return target.unary(b, kind, x).orElseGet(() -> switch (kind) {
      case SQRT -> builtin("llvm.sqrt", x);
      case RSQRT -> b.fdiv(one(), builtin("llvm.sqrt", x));
      case RCP -> b.fdiv(one(), x);
      case EXP2 -> builtin("llvm.exp2", x);
      case NEG, ABS, FLOOR, CEIL, ROUND, EXP, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID, NOT ->
          throw new IllegalStateException(kind + " is not a target's");
    });
  }

  private LlvmValue builtin(String name, LlvmValue x) {
    return b.call(LlvmIntrinsic.uniform(name, x.type(), 1), x);
  }

  private LlvmValue builtin(String name, LlvmValue x, LlvmValue y) {
    return b.call(LlvmIntrinsic.uniform(name, x.type(), 2), x, y);
  }

  private static LlvmValue c(double value) {
    return LlvmValue.f32(value);
  }

  private static LlvmValue one() {
    return c(1);
  }

  private LlvmValue fma(LlvmValue x, LlvmValue y, LlvmValue z) {
    return fma(b, x, y, z);
  }

  /** c[0] + x c[1] + x² c[2] + … */
  private LlvmValue polynomial(LlvmValue x, double... coefficients) {
    LlvmValue sum = c(coefficients[coefficients.length - 1]);
    for (int i = coefficients.length - 2; i >= 0; i--) {
      sum = fma(sum, x, c(coefficients[i]));
    }
    return sum;
  }

  /**
   * 2^t for t = x log2(e) rounded, times 1 + what the rounding lost. The factor is kept near 1 by a minimum and
   * maximum that drop a NaN, so that infinite and overflowing arguments come out right.
   */
  private LlvmValue exp(LlvmValue x) {
    LlvmValue t = b.fmul(x, c(LOG2E));
    LlvmValue lost = fma(x, c(LOG2E), b.fneg(t));
    lost = fma(x, c(LOG2E - (float) LOG2E), lost);
    LlvmValue factor = builtin("llvm.maxnum", builtin("llvm.minnum", fma(lost, c(LN2), one()), c(2)), c(0.5));
    return b.fmul(own(UnaryKind.EXP2, t), factor);
  }

  /**
   * 1 / (1 + e^−x), e^−x as 2^t (1 + what rounding t lost). The bounds keep that finite: at the upper one 2^t is 0, at
   * the lower one, the first number with infinite 2^t, nothing is lost. A NaN passes through both.
   */
  private LlvmValue sigmoid(LlvmValue x) {
    LlvmValue bounded = builtin("llvm.minimum", builtin("llvm.maximum", x, c(-88.72283935546875)), c(104));
    LlvmValue t = b.fmul(bounded, c(-LOG2E));
    LlvmValue lost = fma(t, c(-LN2), b.fneg(bounded));
    lost = fma(t, c((float) LN2 - LN2), lost);
    LlvmValue power = own(UnaryKind.EXP2, t);
    return target.reciprocalOfNormal(b, b.fadd(one(), fma(power, lost, power)));
  }

  /** A function of which only a rounding to 16 bits is seen. */
  LlvmValue coarse(UnaryKind kind, LlvmValue x) {
    LlvmValue power = own(UnaryKind.EXP2, b.fmul(x, c(kind == UnaryKind.SIGMOID ? -LOG2E : LOG2E)));
    return kind == UnaryKind.EXP ? power : target.reciprocalOfNormal(b, b.fadd(one(), power));
  }

  /**
   * The sigmoids of two numbers with one reciprocal, of which only a rounding is seen and one NaN may make two. The
   * bound keeps the product of both finite, and its reciprocal normal.
   */
  List<LlvmValue> coarseSigmoids(LlvmValue x, LlvmValue y) {
    LlvmValue u = onePlusPower(x);
    LlvmValue v = onePlusPower(y);
    LlvmValue r = target.reciprocalOfNormal(b, b.fmul(u, v));
    return List.of(b.fmul(r, v), b.fmul(r, u));
  }

  private LlvmValue onePlusPower(LlvmValue x) {
    return b.fadd(one(), own(UnaryKind.EXP2, builtin("llvm.minimum", b.fmul(x, c(-LOG2E)), c(62))));
  }

  /** log(x) · {@code perE} for x = 2^i (1 + f), f in [−1/3, 1/3): i · {@code perTwo} + log1p(f) · {@code perE}. */
  private LlvmValue logarithm(LlvmValue x, double perTwo, double perE) {
    LlvmValue tiny = b.fcmp(RealCompare.OLT, x, c(0x1p-126));
    LlvmValue scaled = b.select(tiny, b.fmul(x, c(0x1p23)), x);
    LlvmValue bits = b.bitcast(scaled, LlvmType.I32);
    int third = Float.floatToRawIntBits(2f / 3);
    LlvmValue up = b.and(b.sub(bits, LlvmValue.i32(third)), LlvmValue.i32(0xFF800000));
    LlvmValue f = b.fsub(b.bitcast(b.sub(bits, up), LlvmType.FLOAT), one());
    LlvmValue whole = b.sitofp(b.ashr(up, LlvmValue.i32(23)), LlvmType.FLOAT);
    LlvmValue i = b.fadd(whole, b.select(tiny, c(-23), c(0)));
    LlvmValue square = b.fmul(f, f);
    LlvmValue high = polynomial(f, 0.3333333432674408, -0.24999816715717316, 0.19999858736991882, -0.16679728031158447,
        0.14297020435333252, -0.12193939089775085, 0.10836237668991089, -0.1285233199596405, 0.11698208749294281);
    LlvmValue log1p = fma(fma(high, f, c(-0.5)), square, f);
    LlvmValue result = perTwo == 1
        ? b.fadd(i, fma(log1p, c(perE), b.fmul(log1p, c(perE - (float) perE))))
        : fma(i, c(perTwo), fma(i, c(perTwo - (float) perTwo), log1p));
    // Zero, negative numbers, infinity and NaN.
    LlvmValue infinity = c(Double.POSITIVE_INFINITY);
    LlvmValue special = b.select(b.fcmp(RealCompare.OEQ, x, c(0)), c(Double.NEGATIVE_INFINITY),
        b.select(b.fcmp(RealCompare.OEQ, x, infinity), infinity, c(Double.NaN)));
    LlvmValue ordinary = b.and(b.fcmp(RealCompare.OGT, x, c(0)), b.fcmp(RealCompare.OLT, x, infinity));
    return b.select(ordinary, result, special);
  }

  private LlvmValue tanh(LlvmValue x) {
    LlvmValue a = builtin("llvm.fabs", x);
    LlvmValue e = own(UnaryKind.EXP2, b.fmul(a, c(2 * LOG2E)));
    LlvmValue large = fma(target.reciprocalOfNormal(b, b.fadd(e, one())), c(-2), one());
    LlvmValue square = b.fmul(x, x);
    LlvmValue p = polynomial(square, -0.33333295583724976, 0.13331879675388336, -0.05378039926290512,
        0.020785147324204445, -0.005883233156055212);
    LlvmValue small = fma(b.fmul(p, square), x, x);
    return b.select(b.fcmp(RealCompare.OLT, a, c(0.6)), small, builtin("llvm.copysign", large, x));
  }

  private LlvmValue erf(LlvmValue x) {
    LlvmValue a = builtin("llvm.fabs", x);
    LlvmValue square = b.fmul(x, x);
    LlvmValue p = polynomial(square, 0.12837916612625122, -0.37612634897232056, 0.11283691227436066,
        -0.026859166100621223, 0.005200474057346582, -0.0008136516553349793, 8.344453090103343e-05);
    LlvmValue small = fma(p, x, x);
    // 1 − erf(a) = 2^−q(a); beyond 4 the difference to 1 is lost.
    LlvmValue bounded = builtin("llvm.minimum", a, c(4));
    LlvmValue q = polynomial(bounded, -0.0002516614622436464, 1.6295456886291504, 0.913722574710846,
        0.15622375905513763,
        -0.03624816611409187, 0.006021949462592602, -0.000627945875748992, 3.055488195968792e-05);
    LlvmValue large = b.fsub(one(), own(UnaryKind.EXP2, b.fneg(q)));
    return b.select(b.fcmp(RealCompare.OLT, a, c(0.921875)), small, builtin("llvm.copysign", large, x));
  }

  /** sin(x + {@code quarter} π/2), the argument reduced in f64. */
  private LlvmValue sine(LlvmValue x, int quarter) {
    TrigReduction.Reduced reduced = TrigReduction.reduce(b, x);
    LlvmValue quadrant = b.add(reduced.quadrant(), LlvmValue.i32(quarter));
    LlvmValue r = b.fptrunc(reduced.rest(), LlvmType.FLOAT);
    LlvmValue square = b.fmul(r, r);
    LlvmValue sin = fma(b.fmul(polynomial(square, -0.1666666716337204, 0.008333329111337662, -0.00019839291053358465,
        2.7179471544513945e-06), square), r, r);
    LlvmValue cos = fma(fma(polynomial(square, 0.04166664555668831, -0.0013887336244806647, 2.4435263185296208e-05),
        square, c(-0.5)), square, one());
    LlvmValue odd = isSet(quadrant, 1);
    LlvmValue value = b.select(odd, cos, sin);
    return b.select(isSet(quadrant, 2), b.fneg(value), value);
  }

  private LlvmValue isSet(LlvmValue x, int bit) {
    return b.icmp(Compare.NE, b.and(x, LlvmValue.i32(bit)), LlvmValue.i32(0));
  }

  /** Small whole exponents by products, the rest in f64. */
  LlvmValue pow(LlvmValue x, LlvmValue y) {
    FastMath[] flags = exact ? new FastMath[0] : new FastMath[] {FastMath.CONTRACT};
    if (y.equals(c(1))) {
      return x;
    }
    if (y.equals(c(2))) {
      return b.fmul(x, x, flags);
    }
    if (y.equals(c(-1))) {
      return unary(UnaryKind.RCP, x);
    }
    return b.fptrunc(new DoubleMath(b).pow(b.fpext(x, LlvmType.DOUBLE), b.fpext(y, LlvmType.DOUBLE)), LlvmType.FLOAT);
  }
}
