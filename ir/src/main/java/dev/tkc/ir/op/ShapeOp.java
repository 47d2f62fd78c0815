package dev.tkc.ir.op;

import dev.tkc.ir.Value;
import java.util.List;

/** Moves elements without computing on them. */
public sealed interface ShapeOp extends Op {

  /** A scalar at every place of {@code shape}. */
  record Splat(Value scalar, List<Integer> shape) implements ShapeOp {
    public Splat {
      shape = List.copyOf(shape);
    }
  }

  /** Repeats along the dimensions in which the operand has size 1 and {@code shape} has another; ranks are equal. */
  record Broadcast(Value x, List<Integer> shape) implements ShapeOp {
    public Broadcast {
      shape = List.copyOf(shape);
    }
  }

  /** The same elements in row-major order under another shape. To and from rank 0 too, when there is one element. */
  record Reshape(Value x, List<Integer> shape) implements ShapeOp {
    public Reshape {
      shape = List.copyOf(shape);
    }
  }

  /** Dimension i of the result is dimension {@code order[i]} of the operand. */
  record Permute(Value x, List<Integer> order) implements ShapeOp {
    public Permute {
      order = List.copyOf(order);
    }
  }

  record Concat(List<Value> parts, int axis) implements ShapeOp {
    public Concat {
      parts = List.copyOf(parts);
    }
  }

  /** The block of {@code shape} at {@code offsets}. */
  record Slice(Value x, List<Integer> offsets, List<Integer> shape) implements ShapeOp {
    public Slice {
      offsets = List.copyOf(offsets);
      shape = List.copyOf(shape);
    }
  }

  /** 0, 1, … as i32[n]. */
  record Iota(int size) implements ShapeOp {}

  /** The same tile under the result type's layout. Placed level only. */
  record ConvertLayout(Value x) implements ShapeOp {}
}
