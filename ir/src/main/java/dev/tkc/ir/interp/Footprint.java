package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.type.Shapes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The elements of a tensor that one access touches: for each lane of the tile whether it is inside, and its offset.
 *
 * <p>An access is an outer product of axes: each range and each rank-1 index tile is one; index tiles of higher rank
 * together are a single axis, as long as their element count. Along an axis a lane adds its own offset and is inside or
 * not by itself.
 */
final class Footprint {
  private record Axis(long[] offsets, boolean[] inside) {
    int size() {
      return offsets.length;
    }
  }

  /** Receives {@code n} inside lanes from tile position {@code at} on, at {@code offset, offset + step, …}. */
  interface Run {
    void accept(long offset, long step, int at, int n);
  }

  /** Receives one inside lane. */
  interface Lane {
    void accept(long offset, int at);
  }

  private final TensorView tensor;
  private final List<Integer> shape;
  private final List<Axis> axes = new ArrayList<>();
  private long base;
  private boolean mayCoincide;

  private Footprint(TensorView tensor, List<Integer> shape) {
    this.tensor = tensor;
    this.shape = shape;
  }

  /** The lanes of an access; an integer index outside the tensor is an error. */
  static Footprint of(Inst inst, TensorView tensor, List<Datum> indices) {
    Footprint f = new Footprint(tensor, shape(indices));
    long[] pointwise = null;
    boolean[] pointwiseInside = null;
    for (int d = 0; d < indices.size(); d++) {
      long size = tensor.sizes()[d];
      long stride = tensor.strides()[d];
      switch (indices.get(d)) {
        case LaneRange r -> f.range(r, size, stride);
        case Tile t when t.isScalar() -> f.base += scalar(inst, tensor, d, t.asLong()) * stride;
        case Tile t when t.shape().size() == 1 -> {
          Axis axis = new Axis(new long[t.count()], new boolean[t.count()]);
          Arrays.fill(axis.inside, true);
          gather(t, size, stride, axis.offsets, axis.inside);
          f.axes.add(axis);
          f.mayCoincide = true;
        }
        case Tile t -> {
          if (pointwise == null) {
            pointwise = new long[t.count()];
            pointwiseInside = new boolean[t.count()];
            Arrays.fill(pointwiseInside, true);
            f.axes.add(new Axis(pointwise, pointwiseInside));
          }
          gather(t, size, stride, pointwise, pointwiseInside);
          f.mayCoincide = true;
        }
        case TensorView _, Buffer _, SharedSlots _, TensorMap _, BarrierRing _, SlotView _, Product _,
            UndefinedTile _ -> throw new IllegalStateException("no index");
      }
    }
    return f;
  }

  private static List<Integer> shape(List<Datum> indices) {
    List<Integer> outer = new ArrayList<>();
    for (Datum index : indices) {
      switch (index) {
        case LaneRange r -> outer.add(r.size());
        case Tile t -> {
          if (t.shape().size() > 1) {
            return t.shape();
          }
          outer.addAll(t.shape());
        }
        case TensorView _, Buffer _, SharedSlots _, TensorMap _, BarrierRing _, SlotView _, Product _,
            UndefinedTile _ -> throw new IllegalStateException("no index");
      }
    }
    return outer;
  }

  private static long scalar(Inst inst, TensorView tensor, int dimension, long index) {
    if (index < 0 || index >= tensor.sizes()[dimension]) {
      throw new DiagnosticException(
          Faults.error(Code.INDEX_OUTSIDE, inst, "index " + index + " in dimension " + dimension
          + " is outside " + tensor.described()).note("in a " + OpShape.mnemonic(inst.op())
          + "; an integer index is never silently dropped, a range is"));
    }
    return index;
  }

  private void range(LaneRange r, long size, long stride) {
    Axis axis = new Axis(new long[r.size()], new boolean[r.size()]);
    for (int t = 0; t < r.size(); t++) {
      long p = r.position(t);
      axis.inside[t] = r.isValid(t) && p >= 0 && p < size;
      axis.offsets[t] = p * stride;
    }
    axes.add(axis);
    mayCoincide |= r.stride() == 0 || stride == 0;
  }

  private static void gather(Tile t, long size, long stride, long[] offsets, boolean[] inside) {
    long[] index = t.longs();
    for (int i = 0; i < index.length; i++) {
      inside[i] &= index[i] >= 0 && index[i] < size;
      offsets[i] += index[i] * stride;
    }
  }

  TensorView tensor() {
    return tensor;
  }

  List<Integer> shape() {
    return shape;
  }

  long count() {
    return Shapes.count(shape);
  }

  /** Whether every lane is inside. */
  boolean isFull() {
    for (Axis axis : axes) {
      for (boolean in : axis.inside) {
        if (!in) {
          return false;
        }
      }
    }
    return true;
  }

  void forEachLane(Lane visit) {
    forEachRun((offset, step, at, n) -> {
      for (int i = 0; i < n; i++) {
        visit.accept(offset + i * step, at + i);
      }
    });
  }

  /** Visits the inside lanes in row-major order, as long runs as possible. */
  void forEachRun(Run visit) {
    if (count() == 0) {
      return;
    }
    if (axes.isEmpty()) {
      visit.accept(base, 0, 0, 1);
      return;
    }
    List<int[]> pieces = pieces(axes.getLast());
    walk(visit, pieces, 0, base, 0);
  }

  private void walk(Run visit, List<int[]> pieces, int depth, long offset, int at) {
    Axis axis = axes.get(depth);
    if (depth == axes.size() - 1) {
      for (int[] piece : pieces) {
        int first = piece[0];
        long start = axis.offsets[first];
        long step = piece[1] > 1 ? axis.offsets[first + 1] - start : 0;
        visit.accept(offset + start, step, at * axis.size() + first, piece[1]);
      }
      return;
    }
    for (int t = 0; t < axis.size(); t++) {
      if (axis.inside[t]) {
        walk(visit, pieces, depth + 1, offset + axis.offsets[t], at * axis.size() + t);
      }
    }
  }

  /** The inside lanes of an axis as stretches [first, length] of constant step. */
  private static List<int[]> pieces(Axis axis) {
    List<int[]> out = new ArrayList<>();
    int t = 0;
    while (t < axis.size()) {
      if (!axis.inside[t]) {
        t++;
        continue;
      }
      int end = t + 1;
      while (end < axis.size() && axis.inside[end]
          && (end == t + 1 || axis.offsets[end] - axis.offsets[end - 1] == axis.offsets[t + 1] - axis.offsets[t])) {
        end++;
      }
      out.add(new int[] {t, end - t});
      t = end;
    }
    return out;
  }

  /** The offset that two inside lanes have in common, or −1. Only index tiles and steps of 0 can make them coincide. */
  long coinciding() {
    if (!mayCoincide) {
      return -1;
    }
    Set<Long> seen = new HashSet<>();
    long[] found = {-1};
    forEachLane((offset, _) -> {
      if (!seen.add(offset) && found[0] < 0) {
        found[0] = offset;
      }
    });
    return found[0];
  }
}
