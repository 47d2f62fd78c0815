package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Tensors;
import java.util.List;
import java.util.Objects;

/**
 * A ring of slots that consumers empty: one shared buffer for each tile that is copied together, and for each slot a
 * barrier that says it is full and one that says it is empty. A producer fills it by bulk copies; or the consumers fill
 * it with what they computed and each other's products read.
 */
final class Ring {
  /** What one slot holds: a tile of a tensor, or one that was computed. */
  record Member(String name, TileType type) {
    static Member of(Value tensor, TileType type) {
      return new Member(Tensors.name(tensor), type);
    }
  }

  /**
   * Where a role stands in a ring: the slot that is next, and the parity of the phase that its full barrier completes
   * in this turn (both i64).
   */
  record Cursor(Value slot, Value parity) {
    static Cursor start(Builder b) {
      return new Cursor(b.constant(0), b.constant(0));
    }

    /** The parity of the phase in which the slot was emptied, as the one who fills it again waits for it. */
    Value emptied(Builder b) {
      return b.sub(b.constant(1), parity);
    }
  }

  final List<Member> members;
  /** Whether the consumers fill it. */
  final boolean handed;
  private int stages;
  private List<Value> buffers = List.of();
  private Value full;
  private Value empty;

  Ring(List<Member> members, boolean handed) {
    this.members = List.copyOf(members);
    this.handed = handed;
    // What is computed goes into one slot while another is read.
    this.stages = handed ? 2 : 1;
  }

  int stages() {
    return stages;
  }

  void setStages(int count) {
    stages = count;
  }

  /** Bytes of shared memory that one slot of all buffers takes. */
  long slotBytes() {
    return members.stream().mapToLong(m -> Panels.of(m.type.shape(), m.type.element().bits()).map(Panels::slotBytes)
        .orElseGet(() -> m.type.element().bytes(m.type.count()))).sum();
  }

  /** Bytes that are copied into one slot of all buffers. */
  long bytes() {
    return members.stream().mapToLong(m -> m.type.element().bytes(m.type.count())).sum();
  }

  void place(List<Value> sharedBuffers, Value fullBarriers, Value emptyBarriers) {
    buffers = List.copyOf(sharedBuffers);
    full = Objects.requireNonNull(fullBarriers);
    empty = Objects.requireNonNull(emptyBarriers);
  }

  Value buffer(int member) {
    return buffers.get(member);
  }

  Value full() {
    return full;
  }

  Value empty() {
    return empty;
  }

  /** The slot before this one. */
  Value before(Builder b, Cursor at) {
    if (stages == 1) {
      return at.slot;
    }
    if (stages == 2) {
      return b.sub(b.constant(1), at.slot);
    }
    Value wraps = b.compare(CompareKind.EQ, at.slot, b.constant(0));
    return b.emit(new ElementwiseOp.Select(wraps, b.constant(stages - 1L), b.sub(at.slot, b.constant(1))));
  }

  /** The cursor after this slot. */
  Cursor next(Builder b, Cursor at) {
    Value flipped = b.sub(b.constant(1), at.parity);
    if (stages == 1) {
      return new Cursor(at.slot, flipped);
    }
    Value following = b.add(at.slot, b.constant(1));
    Value wraps = b.compare(CompareKind.EQ, following, b.constant(stages));
    return new Cursor(b.emit(new ElementwiseOp.Select(wraps, b.constant(0), following)),
        b.emit(new ElementwiseOp.Select(wraps, flipped, at.parity)));
  }
}
