package dev.tkc.ir.op;

import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import java.util.List;

/** Combines elements along dimensions. Reduced dimensions stay, with size 1. */
public sealed interface ReductionOp extends Op {

  enum ReduceKind {
    SUM,
    PROD,
    MIN,
    MAX,
    /** Of bools: disjunction. */
    ANY,
    /** Of bools: conjunction. */
    ALL
  }

  enum ArgKind {
    ARGMAX,
    ARGMIN
  }

  enum ScanKind {
    SUM,
    PROD,
    MAX
  }

  /** On a sum that is divided by the number of its terms, among which padding counts. */
  String MEAN = "mean";

  /** The type is kept, so narrow types are cast before. An empty sum is 0, an empty maximum −inf or the least. */
  record Reduce(ReduceKind kind, Value x, List<Integer> axes) implements ReductionOp {
    public Reduce {
      axes = List.copyOf(axes);
    }
  }

  /** The i32 index along {@code axis} of the extreme: the lowest on ties, the first NaN if there is any. */
  record ArgReduce(ArgKind kind, Value x, int axis) implements ReductionOp {}

  /** Running totals along {@code axis}; {@code exclusive} leaves out the element itself. */
  record Scan(ScanKind kind, Value x, int axis, boolean reverse, boolean exclusive) implements ReductionOp {}

  /**
   * Combines several tiles of one shape together along {@code axis} by an associative function. The region's
   * parameters are two tuples of scalars, left then right, and it yields one. One result for each operand.
   */
  record ReduceWith(List<Value> xs, int axis, Region combine) implements ReductionOp {
    public ReduceWith {
      xs = List.copyOf(xs);
    }
  }

  /** The inclusive running form of {@link ReduceWith}. */
  record ScanWith(List<Value> xs, int axis, boolean reverse, Region combine) implements ReductionOp {
    public ScanWith {
      xs = List.copyOf(xs);
    }
  }
}
