package dev.tkc.ir.interp;

import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.type.Shapes;
import java.util.List;

/** A place in shared memory: part of a slot, its dimensions in some order. */
record SlotView(SharedSlots buffer, int stage, AsyncOp.SharedView op) implements Datum {
  /** What lies there now. */
  Tile read() {
    Tile whole = buffer.slots[stage].tile;
    long[] strides = Shapes.strides(whole.shape());
    long base = 0;
    for (int d = 0; d < strides.length; d++) {
      base += op.offsets().get(d) * strides[d];
    }
    List<Integer> shape = op.order().stream().map(op.shape()::get).toList();
    long[] steps = op.order().stream().mapToLong(d -> strides[d]).toArray();
    return whole.gathered(shape, ShapeEval.positions(shape, base, steps), whole.spread());
  }

  /** Whether its rows are not rows of the slot. */
  boolean isTransposed() {
    return op.order().getFirst() != 0;
  }

  @Override
  public long bytes() {
    return 0;
  }
}
