package dev.tkc.ir.op;

import dev.tkc.ir.Value;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.Optional;

/**
 * Tensors in global memory, ranges, and the accesses between them and tiles.
 *
 * <p>The {@code indices} of an access are one per tensor dimension, each
 *
 * <ul>
 *   <li>an i64 scalar: drops the dimension; outside the tensor it is an error;
 *   <li>a range: gives one tile dimension of its size;
 *   <li>an integer tile of rank 1: gives one tile dimension, element by element (a gather or scatter);
 *   <li>integer tiles of rank 2 and up: then every other index is a scalar or a tile of that same shape, and the
 *       access has that shape, pointwise.
 * </ul>
 *
 * A lane is <em>outside</em> where a range is invalid or an index (of a range or tile) lies outside the tensor.
 */
public sealed interface MemoryOp extends Op {
  /**
   * On a {@code make_tensor} whose addresses wrap around, so that its sizes say nothing about the memory it takes: who
   * accesses it sees to it that what is inside is in memory.
   */
  String WRAPS = "wraps";

  /** What the kernel may do with a tensor. {@code OUT} and {@code TEMP} tensors are undefined until written. */
  enum Access {
    IN,
    OUT,
    INOUT,
    TEMP
  }

  /** How an atomic update combines; {@code SUB} is kept apart from {@code ADD} because integers wrap. */
  enum AtomicKind {
    ADD,
    SUB,
    MIN,
    MAX
  }

  /** A tensor of the given sizes and strides (i64, in elements) at a pointer; {@code name} is for messages. */
  record MakeTensor(Value pointer, List<Value> sizes, List<Value> strides, Access access, String name)
      implements MemoryOp {
    public MakeTensor {
      sizes = List.copyOf(sizes);
      strides = List.copyOf(strides);
    }
  }

  /** Scratch memory that lives as long as the launch: a contiguous, undefined tensor. Only in a kernel. */
  record Temp(List<Value> sizes, Element element, String name) implements MemoryOp {
    public Temp {
      sizes = List.copyOf(sizes);
    }
  }

  /**
   * The address of {@code count} numbers i32 in global memory for {@code number_draw} and {@code last_arrival}: all 0
   * before the kernel's first run, and left at 0 by each launch that counts with them, so that nothing has to clear
   * them in between. Only in a kernel.
   */
  record Counter(Value count) implements MemoryOp {}

  /** The same contiguous memory with other sizes, whose product is the same. */
  record View(Value tensor, List<Value> sizes) implements MemoryOp {
    public View {
      sizes = List.copyOf(sizes);
    }
  }

  /** The address of a tensor's first element, to pass it to a device function. */
  record AddressOf(Value tensor) implements MemoryOp {}

  /**
   * The tensor as a copy engine needs it (PTX ISA 5.5, tensors): boxes of so many elements in each dimension are copied
   * at a time, and rows of {@code swizzle} bytes exchange their 16-byte pieces in shared memory (0: none). Only in a
   * kernel.
   */
  record MakeTensorMap(Value tensor, List<Integer> box, int swizzle) implements MemoryOp {
    public MakeTensorMap {
      box = List.copyOf(box);
    }
  }

  /**
   * A range of {@code size} lanes: lane t stands for {@code start + t * stride} and is valid if {@code t < count}.
   * All three are i64; {@code count} may be negative or beyond {@code size}.
   */
  record Range(Value start, Value stride, Value count, int size) implements MemoryOp {}

  /** The positions of a range's lanes, i32[size], invalid ones included. */
  record Lanes(Value range) implements MemoryOp {}

  /** Which lanes of a range are valid, bool[size]. */
  record Valid(Value range) implements MemoryOp {}

  /** Reads a tile. Outside lanes give {@code pad}, a scalar of the element type, or 0 ("neutral") without one. */
  record Load(Value tensor, List<Value> indices, Optional<Value> pad) implements MemoryOp {
    public Load {
      indices = List.copyOf(indices);
    }
  }

  /** Writes a tile; outside lanes are dropped. Two lanes that write one element are an error. */
  record Store(Value tensor, List<Value> indices, Value value) implements MemoryOp {
    public Store {
      indices = List.copyOf(indices);
    }
  }

  /**
   * This block is one of the {@code expected} that arrive at counter {@code number} of {@code counters} in a launch:
   * whether (bool scalar) it is the last of them. What any of them wrote to global memory before it arrived is there
   * for the last one to read. A {@code barrier} for the team, which executes it together.
   */
  record LastArrival(Value counters, Value number, Value expected) implements MemoryOp {}

  /** Combines each element of the tile into memory atomically, coinciding lanes too; outside lanes are dropped. */
  record Atomic(Value tensor, List<Value> indices, Value value, AtomicKind kind) implements MemoryOp {
    public Atomic {
      indices = List.copyOf(indices);
    }
  }
}
