package dev.tkc.ir.interp;

import dev.tkc.ir.num.Elementary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import java.util.function.DoubleUnaryOperator;

/** Arithmetic on arrays of f64. */
final class DoubleLoops {
  private DoubleLoops() {}

  static void unary(UnaryKind kind, double[] x, double[] out) {
    switch (kind) {
      case NEG -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = -x[i];
        }
      }
      case ABS -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Math.abs(x[i]);
        }
      }
      case RCP -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = 1 / x[i];
        }
      }
      case FLOOR -> each(x, out, Math::floor);
      case CEIL -> each(x, out, Math::ceil);
      case ROUND -> each(x, out, Math::rint);
      case SQRT -> each(x, out, Math::sqrt);
      case RSQRT -> each(x, out, Elementary::rsqrt);
      case EXP -> each(x, out, Elementary::exp);
      case EXP2 -> each(x, out, Elementary::exp2);
      case LOG -> each(x, out, Elementary::log);
      case LOG2 -> each(x, out, Elementary::log2);
      case SIN -> each(x, out, Elementary::sin);
      case COS -> each(x, out, Elementary::cos);
      case TANH -> each(x, out, Elementary::tanh);
      case ERF -> each(x, out, Elementary::erf);
      case SIGMOID -> each(x, out, Elementary::sigmoid);
      case NOT -> throw new IllegalStateException("not of a float");
    }
  }

  private static void each(double[] x, double[] out, DoubleUnaryOperator f) {
    for (int i = 0; i < out.length; i++) {
      out[i] = f.applyAsDouble(x[i]);
    }
  }

  static void binary(BinaryKind kind, double[] a, double[] b, double[] out) {
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
          out[i] = Elementary.pow(a[i], b[i]);
        }
      }
      case AND, OR, XOR, SHL, SHR -> throw new IllegalStateException(kind.mnemonic() + " of floats");
    }
  }

  static void compare(CompareKind kind, double[] a, double[] b, boolean[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = switch (kind) {
        case EQ -> a[i] == b[i];
        case NE -> a[i] != b[i];
        case LT -> a[i] < b[i];
        case LE -> a[i] <= b[i];
        case GT -> a[i] > b[i];
        case GE -> a[i] >= b[i];
      };
    }
  }
}
