package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.OpShape;
import java.util.List;

/** Bulk copies, transaction barriers and asynchronous dots. */
final class AsyncEval {
  AsyncEval(Machine machine) {}

  List<Datum> evaluate(Inst inst, AsyncOp op, Frame frame) {
    throw new IllegalStateException(OpShape.mnemonic(op) + " is not interpreted");
  }
}
