package dev.tkc.ir.interp;

import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.type.Element;

/**
 * Arithmetic on arrays of integers in canonical form, and of bools. Divisors and exponents have been looked at before.
 */
final class LongLoops {
  private LongLoops() {}

  static void unary(UnaryKind kind, Element e, long[] x, long[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = switch (kind) {
        case NEG -> Integers.wrap(e, -x[i]);
        case ABS -> e.isSigned() ? Integers.wrap(e, Math.abs(x[i])) : x[i];
        case NOT -> Integers.wrap(e, ~x[i]);
        case FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID ->
            throw new IllegalStateException(kind.mnemonic() + " of an integer");
      };
    }
  }

  static void binary(BinaryKind kind, Element e, long[] a, long[] b, long[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = switch (kind) {
        case ADD -> Integers.wrap(e, a[i] + b[i]);
        case SUB -> Integers.wrap(e, a[i] - b[i]);
        case MUL -> Integers.wrap(e, a[i] * b[i]);
        case DIV -> Integers.floorDiv(e, a[i], b[i]);
        case REM -> Integers.floorMod(e, a[i], b[i]);
        case POW -> Integers.pow(e, a[i], b[i]);
        case MIN -> Integers.min(e, a[i], b[i]);
        case MAX -> Integers.max(e, a[i], b[i]);
        case AND -> a[i] & b[i];
        case OR -> a[i] | b[i];
        case XOR -> a[i] ^ b[i];
        case SHL -> Integers.shl(e, a[i], b[i]);
        case SHR -> Integers.shr(e, a[i], b[i]);
      };
    }
  }

  static void logical(BinaryKind kind, boolean[] a, boolean[] b, boolean[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = switch (kind) {
        case AND -> a[i] & b[i];
        case OR -> a[i] | b[i];
        case XOR -> a[i] ^ b[i];
        case ADD, SUB, MUL, DIV, REM, POW, MIN, MAX, SHL, SHR ->
            throw new IllegalStateException(kind.mnemonic() + " of bools");
      };
    }
  }

  static void compare(CompareKind kind, Element e, long[] a, long[] b, boolean[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = holds(kind, Integers.compare(e, a[i], b[i]));
    }
  }

  static void compare(CompareKind kind, boolean[] a, boolean[] b, boolean[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = holds(kind, Boolean.compare(a[i], b[i]));
    }
  }

  private static boolean holds(CompareKind kind, int order) {
    return switch (kind) {
      case EQ -> order == 0;
      case NE -> order != 0;
      case LT -> order < 0;
      case LE -> order <= 0;
      case GT -> order > 0;
      case GE -> order >= 0;
    };
  }
}
