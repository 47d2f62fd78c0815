package dev.tkc.passes.analysis;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.MemoryOp;

/** What messages and buffers are told of a tensor. */
public final class Tensors {
  private Tensors() {}

  /** What the program calls it, or else what its value is called. */
  public static String name(Value tensor) {
    return tensor.definition() != null && tensor.definition().op() instanceof MemoryOp.MakeTensor t ? t.name()
        : tensor.name();
  }
}
