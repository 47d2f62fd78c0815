package dev.tkc.ir.op;

import dev.tkc.ir.Value;
import dev.tkc.ir.type.Element;

/**
 * Element by element. Operands have exactly one shape (and, placed, one layout): broadcasting is the explicit
 * {@code splat} and {@code broadcast}. Operands have one element type except where said; f16, bf16 and fp8 take part
 * only in {@code max min neg abs select cast}, everything else on them is in f32 after a {@code cast}.
 */
public sealed interface ElementwiseOp extends Op {

  /** Functions of one operand. The type is kept. */
  enum UnaryKind implements Mnemonic {
    NEG,
    ABS,
    FLOOR,
    CEIL,
    /** To the nearest integer, ties to even. */
    ROUND,
    SQRT,
    RSQRT,
    RCP,
    EXP,
    EXP2,
    LOG,
    LOG2,
    SIN,
    COS,
    TANH,
    ERF,
    SIGMOID,
    /** Bitwise complement of an integer; logical negation of a bool. */
    NOT
  }

  /** Functions of two operands of one type; the result has it too. */
  enum BinaryKind implements Mnemonic {
    ADD,
    SUB,
    MUL,
    /** Floats: IEEE division. Integers: toward minus infinity. */
    DIV,
    /** Integers: the sign of the divisor. Floats: {@code x - floor(x / y) * y}. */
    REM,
    /** Integers take a non-negative exponent. */
    POW,
    /** NaN if either is NaN. */
    MIN,
    /** NaN if either is NaN. */
    MAX,
    /** Bitwise, or logical on bools. */
    AND,
    OR,
    XOR,
    /** A shift by the width or more gives 0. */
    SHL,
    /** Arithmetic on signed types, logical on unsigned; a shift by the width or more gives 0, or the sign. */
    SHR
  }

  enum CompareKind implements Mnemonic {
    EQ,
    NE,
    LT,
    LE,
    GT,
    GE
  }

  enum CastKind {
    /** Nearest even, saturating for fp8; integers wrap; float → int truncates and saturates, NaN gives 0. */
    SATURATE,
    /** As {@code SATURATE}, but an overflow to fp8 gives infinity (e5m2) or NaN (e4m3). */
    WRAP,
    /** i64 → narrower integer that must fit; the interpreter stops where it does not. */
    FIT
  }

  /** A scalar constant. */
  record Constant(Literal value) implements ElementwiseOp {}

  /** {@code exact}: on a target no product may be fused into a sum here. */
  record Unary(UnaryKind kind, Value x, boolean exact) implements ElementwiseOp {
    public Unary(UnaryKind kind, Value x) {
      this(kind, x, false);
    }
  }

  record Binary(BinaryKind kind, Value lhs, Value rhs, boolean exact) implements ElementwiseOp {
    public Binary(BinaryKind kind, Value lhs, Value rhs) {
      this(kind, lhs, rhs, false);
    }
  }

  /** Gives bool. Comparisons with NaN are false, {@code ne} is true. */
  record Compare(CompareKind kind, Value lhs, Value rhs) implements ElementwiseOp {}

  /** {@code condition ? then : otherwise}, by a bool of the same shape. */
  record Select(Value condition, Value then, Value otherwise) implements ElementwiseOp {}

  /** {@code a * b + c} with one rounding, f32 or f64. */
  record Fma(Value a, Value b, Value c) implements ElementwiseOp {}

  record Cast(Value x, Element to, CastKind kind) implements ElementwiseOp {
    public Cast(Value x, Element to) {
      this(x, to, CastKind.SATURATE);
    }
  }

  /** The same bits as another element type of the same width. */
  record Bitcast(Value x, Element to) implements ElementwiseOp {}

  /**
   * u32 random words: word {@code offset % 4} of Philox4x32-10 at counter {@code offset / 4}, key = the halves of the
   * u64 scalar {@code seed}. {@code offset} is an i64 tile.
   */
  record Philox(Value seed, Value offset) implements ElementwiseOp {}
}
