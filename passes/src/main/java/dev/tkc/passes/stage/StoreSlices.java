package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;

/**
 * How a tile leaves a role that computes: in slices of so many bytes of each row. Those of a bulk store go through so many buffers in
 * turn; those that the threads store are exchanged among them through the same scratch, one after the other.
 */
final class StoreSlices {
  static final int BUFFERS = 2;
  static final int ROW_BYTES = 128;

  private StoreSlices() {}

  /** Columns of the slices in which the threads store a tile; 0 where they store it at once. */
  static int columnsByThreads(Inst inst) {
    if (!(inst.op() instanceof MemoryOp.Store s) || inst.flag("bulk")) {
      return 0;
    }
    TileType t = s.value().tile();
    int columns = ROW_BYTES * 8 / t.element().bits();
    Value last = s.indices().getLast();
    boolean ranges = s.indices().stream().noneMatch(i -> i.type() instanceof TileType x && x.rank() > 0)
        && last.type() instanceof RangeType && last.definition() != null && last.definition().op() instanceof MemoryOp.Range;
    boolean wide = t.rank() == 2 && t.element().bits() >= 8 && t.shape().getLast() > columns && t.shape().getLast() % columns == 0;
    return ranges && wide ? columns : 0;
  }

  /** Bytes of shared memory through which a tile goes whose rows and columns are exchanged before it is stored. */
  static long turningBytes(Inst inst) {
    long bytes = 0;
    for (Value v = ((MemoryOp.Store) inst.op()).value(); v.definition() != null; v = v.definition().operands().getFirst()) {
      switch (v.definition().op()) {
        case ElementwiseOp.Cast _ -> { }
        case ShapeOp.Permute p -> bytes += p.x().tile().element().bytes(p.x().tile().count());
        default -> {
          return bytes;
        }
      }
    }
    return bytes;
  }

  /** Bytes of shared memory that a store needs. */
  static long bytes(Inst inst) {
    TileType t = ((MemoryOp.Store) inst.op()).value().tile();
    long rows = t.count() / t.shape().getLast();
    return inst.flag("bulk") ? BUFFERS * rows * ROW_BYTES : columnsByThreads(inst) > 0 ? rows * ROW_BYTES : t.element().bytes(t.count());
  }
}
