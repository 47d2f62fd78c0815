package dev.tkc.ir.interp;

import dev.tkc.ir.num.Elementary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/**
 * Arithmetic on arrays of floats: of f64, and of f32 and narrower ones, whose functions are computed in f64 and rounded
 * once. Sums, products and maxima of f32 have loops of their own, which the virtual machine makes vectors of: they take
 * a thirtieth of the time. f64 is rare, and has the functions alone.
 */
final class FloatLoops {
  private FloatLoops() {}

  static void unary(UnaryKind kind, float[] x, float[] out) {
    DoubleUnaryOperator f = function(kind);
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) f.applyAsDouble(x[i]);
    }
  }

  static void unary(UnaryKind kind, double[] x, double[] out) {
    DoubleUnaryOperator f = function(kind);
    for (int i = 0; i < out.length; i++) {
      out[i] = f.applyAsDouble(x[i]);
    }
  }

  /** A quotient of two f32 rounded to f64 and then to f32 is the one rounded to f32 at once: f64 has bits enough. */
  private static DoubleUnaryOperator function(UnaryKind kind) {
    return switch (kind) {
      case NEG -> x -> -x;
      case ABS -> Math::abs;
      case RCP -> x -> 1 / x;
      case FLOOR -> Math::floor;
      case CEIL -> Math::ceil;
      case ROUND -> Math::rint;
      case SQRT -> Math::sqrt;
      case RSQRT -> Elementary::rsqrt;
      case EXP -> Elementary::exp;
      case EXP2 -> Elementary::exp2;
      case LOG -> Elementary::log;
      case LOG2 -> Elementary::log2;
      case SIN -> Elementary::sin;
      case COS -> Elementary::cos;
      case TANH -> Elementary::tanh;
      case ERF -> Elementary::erf;
      case SIGMOID -> Elementary::sigmoid;
      case NOT -> throw new IllegalStateException("not of a float");
    };
  }

  static void binary(BinaryKind kind, float[] a, float[] b, float[] out) {
    switch (kind) {
      case ADD -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = a[i] + b[i];
        }
      }
      case SUB -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = a[i] - b[i];
        }
      }
      case MUL -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = a[i] * b[i];
        }
      }
      case DIV -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = a[i] / b[i];
        }
      }
      case MIN -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Math.min(a[i], b[i]);
        }
      }
      case MAX -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Math.max(a[i], b[i]);
        }
      }
      case REM -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Elementary.floorMod(a[i], b[i]);
        }
      }
      case POW -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = (float) Elementary.pow(a[i], b[i]);
        }
      }
      case AND, OR, XOR, SHL, SHR -> throw notOfFloats(kind);
    }
  }

  static void binary(BinaryKind kind, double[] a, double[] b, double[] out) {
    DoubleBinaryOperator f = switch (kind) {
      case ADD -> Double::sum;
      case SUB -> (x, y) -> x - y;
      case MUL -> (x, y) -> x * y;
      case DIV -> (x, y) -> x / y;
      case MIN -> Math::min;
      case MAX -> Math::max;
      case REM -> Elementary::floorMod;
      case POW -> Elementary::pow;
      case AND, OR, XOR, SHL, SHR -> throw notOfFloats(kind);
    };
    for (int i = 0; i < out.length; i++) {
      out[i] = f.applyAsDouble(a[i], b[i]);
    }
  }

  private static IllegalStateException notOfFloats(BinaryKind kind) {
    return new IllegalStateException(kind.mnemonic() + " of floats");
  }

  static void compare(CompareKind kind, float[] a, float[] b, boolean[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = holds(kind, a[i], b[i]);
    }
  }

  static void compare(CompareKind kind, double[] a, double[] b, boolean[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = holds(kind, a[i], b[i]);
    }
  }

  private static boolean holds(CompareKind kind, double a, double b) {
    return switch (kind) {
      case EQ -> a == b;
      case NE -> a != b;
      case LT -> a < b;
      case LE -> a <= b;
      case GT -> a > b;
      case GE -> a >= b;
    };
  }
}
