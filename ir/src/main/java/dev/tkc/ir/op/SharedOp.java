package dev.tkc.ir.op;

import dev.tkc.ir.Value;
import dev.tkc.ir.type.SharedType;
import java.util.List;

/**
 * Buffers shared by the threads of a block, and copies into them. Every op is executed by the whole block together.
 * Staged and placed levels only.
 */
public sealed interface SharedOp extends Op {

  /** A buffer, undefined at first. Its bytes are given by the annotation {@code offset} once allocated. */
  record SharedAlloc(SharedType type, String name) implements SharedOp {}

  /** Reads the block of {@code shape} at {@code offsets} of slot {@code stage} (i32 or i64). */
  record SharedLoad(Value buffer, Value stage, List<Integer> offsets, List<Integer> shape) implements SharedOp {
    public SharedLoad {
      offsets = List.copyOf(offsets);
      shape = List.copyOf(shape);
    }
  }

  /**
   * Reads slots {@code stage} (i64) to {@code stage + groups - 1}, whose rows follow each other in the result. The
   * team's warps are so many groups, and group n holds, and so reads, the rows of slot {@code stage + n} alone. Placed
   * level only.
   */
  record GroupLoad(Value buffer, Value stage, int groups) implements SharedOp {}

  /** Writes a whole slot. */
  record SharedStore(Value buffer, Value stage, Value tile) implements SharedOp {}

  /**
   * Starts copying the tile that the {@code load} of the same operands would read into a slot; outside lanes give 0.
   * The slot may be read after a {@code copy_wait} that covers the copy's group and a {@code barrier}.
   */
  record CopyAsync(Value tensor, List<Value> indices, Value buffer, Value stage) implements SharedOp {
    public CopyAsync {
      indices = List.copyOf(indices);
    }
  }

  /** Closes the group of the copies started since the last one; an empty group counts too. */
  record CopyCommit() implements SharedOp {}

  /** Waits until at most the {@code pending} youngest groups are still under way. */
  record CopyWait(int pending) implements SharedOp {}

  /** Every thread of the block waits for the others; shared memory written before is visible after. */
  record Barrier() implements SharedOp {}
}
