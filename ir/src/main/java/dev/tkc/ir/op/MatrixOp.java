package dev.tkc.ir.op;

import dev.tkc.ir.Value;

/** Matrix products. */
public sealed interface MatrixOp extends Op {

  enum Precision {
    /** By the operands' types: f16, bf16, fp8 → f32; i8, u8 → i32; f64 → f64; f32 as host code only. */
    DEFAULT,
    /** f32 operands rounded to tf32. */
    TF32,
    /** f32 by three tf32 products. */
    TF32X3,
    /** f32 products and sums. */
    IEEE
  }

  /**
   * {@code acc + a @ b} over the last two dimensions; leading dimensions are batch, equal in all three. The
   * accumulator has the accumulation type.
   */
  record Dot(Value a, Value b, Value acc, Precision precision) implements MatrixOp {}
}
