package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
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
   * in this turn. Both follow from the position, which counts the slots of two phases and then begins anew, and is all
   * that loops carry. All are i32, so that they take no more registers than they need.
   */
  record Cursor(Value position, Value slot, Value parity) {

    /** The parity of the phase in which the slot was emptied, as the one who fills it again waits for it. */
    Value emptied(Builder b) {
      return b.sub(number(b, 1), parity);
    }
  }

  private static Value number(Builder b, long n) {
    return b.constant(Literal.of(Element.I32, n));
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

  Cursor start(Builder b) {
    return at(b, number(b, 0));
  }

  /** The cursor at a position. */
  Cursor at(Builder b, Value position) {
    if (stages == 1) {
      return new Cursor(position, number(b, 0), position);
    }
    if (isPowerOfTwo()) {
      return new Cursor(position, b.binary(BinaryKind.AND, position, number(b, stages - 1)),
          b.binary(BinaryKind.SHR, position, number(b, Integer.numberOfTrailingZeros(stages))));
    }
    Value second = b.compare(CompareKind.GE, position, number(b, stages));
    return new Cursor(position,
        b.emit(new ElementwiseOp.Select(second, b.sub(position, number(b, stages)), position)),
        b.emit(new ElementwiseOp.Select(second, number(b, 1), number(b, 0))));
  }

  private boolean isPowerOfTwo() {
    return Integer.bitCount(stages) == 1;
  }

  /** The slot before this one. */
  Value before(Builder b, Cursor at) {
    if (stages == 1) {
      return at.slot;
    }
    if (isPowerOfTwo()) {
      return b.binary(BinaryKind.AND, b.add(at.position, number(b, stages - 1)), number(b, stages - 1));
    }
    Value wraps = b.compare(CompareKind.EQ, at.slot, number(b, 0));
    return b.emit(new ElementwiseOp.Select(wraps, number(b, stages - 1), b.sub(at.slot, number(b, 1))));
  }

  /** The cursor after this slot. */
  Cursor next(Builder b, Cursor at) {
    Value following = b.add(at.position, number(b, 1));
    if (isPowerOfTwo()) {
      return at(b, b.binary(BinaryKind.AND, following, number(b, 2L * stages - 1)));
    }
    Value wraps = b.compare(CompareKind.EQ, following, number(b, 2L * stages));
    return at(b, b.emit(new ElementwiseOp.Select(wraps, number(b, 0), following)));
  }
}
