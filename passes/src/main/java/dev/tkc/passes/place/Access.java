package dev.tkc.passes.place;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One access between a tensor and a tile: which tile dimension is consecutive in memory, how wide vectors along it may
 * be, and which indices need no guard.
 */
record Access(Value tensor, List<Value> indices, List<Integer> shape) {

  /** The access an instruction makes, if it makes one of rank 1 or more. */
  static Optional<Access> of(Inst inst) {
    Op op = inst.op();
    if (op instanceof MemoryOp.Load l) {
      return of(l.tensor(), l.indices(), inst.result().tile());
    }
    if (op instanceof MemoryOp.Store s) {
      return of(s.tensor(), s.indices(), s.value().tile());
    }
    if (op instanceof MemoryOp.Atomic a) {
      return of(a.tensor(), a.indices(), a.value().tile());
    }
    if (op instanceof SharedOp.CopyAsync c) {
      return of(c.tensor(), c.indices(), ((SharedType) c.buffer().type()).tile());
    }
    return Optional.empty();
  }

  private static Optional<Access> of(Value tensor, List<Value> indices, TileType tile) {
    return tile.isScalar() ? Optional.empty() : Optional.of(new Access(tensor, indices, tile.shape()));
  }

  Element element() {
    return ((TensorType) tensor.type()).element();
  }

  /** The tile dimension of each index, or −1 for a scalar; all the same for pointwise index tiles. */
  private List<Integer> axes() {
    List<Integer> axes = new ArrayList<>();
    int next = 0;
    for (Value index : indices) {
      boolean scalar = index.type() instanceof TileType t && t.isScalar();
      axes.add(scalar ? -1 : isPointwise(index) ? 0 : next++);
    }
    return axes;
  }

  static boolean isPointwise(Value index) {
    return index.type() instanceof TileType t && t.rank() >= 2;
  }

  /** The tile dimension an index tile of rank 1 stands for. */
  int axisOf(int index) {
    return axes().get(index);
  }

  /** Tile dimensions from the one consecutive in memory to the slowest. */
  List<Integer> order() {
    int rank = shape.size();
    List<Integer> order = new ArrayList<>();
    if (indices.stream().noneMatch(Access::isPointwise)) {
      List<Integer> axes = axes();
      for (int d = 0; d < indices.size(); d++) {
        if (axes.get(d) >= 0 && Regions.isInteger(stride(d), 1) && shape.get(axes.get(d)) > 1) {
          order.add(axes.get(d));
        }
      }
    }
    for (int axis = rank - 1; axis >= 0; axis--) {
      if (!order.contains(axis)) {
        order.add(axis);
      }
    }
    return order;
  }

  private Value stride(int dimension) {
    return tensor.definition() != null && tensor.definition().op() instanceof MemoryOp.MakeTensor t
        ? t.strides().get(dimension) : tensor;
  }

  /** The widest vector, in elements along the consecutive dimension, that is aligned and whole everywhere. */
  static int widest(Inst inst, AccessPattern.Finder patterns, int vectorBytes) {
    Access access = of(inst).orElseThrow();
    Optional<AccessPattern> pattern = patterns.of(inst);
    if (pattern.isEmpty() || pattern.get().contiguous() != access.order().getFirst() || access.element().bits() < 8) {
      return 1;
    }
    return Integer
        .highestOneBit(Math.min(pattern.get().vector(), Math.max(1, vectorBytes * 8 / access.element().bits())));
  }

  static Optional<MemoryOp.Range> range(Value index) {
    return index.type() instanceof RangeType && index.definition() != null
        && index.definition().op() instanceof MemoryOp.Range r ? Optional.of(r) : Optional.empty();
  }

  /**
   * What share of the memory a warp touches with its first runs of consecutive elements it also uses, under a layout:
   * sectors of 32 bytes are moved whole.
   */
  double efficiency(LinearLayout layout) {
    int axis = order().getFirst();
    int width = layout.contiguity(axis);
    double bytes = Math.max(1, width * element().bits() / 8.0);
    Set<String> sectors = new HashSet<>();
    Set<List<Integer>> held = new HashSet<>();
    for (int lane = 0; lane < layout.count(InDim.LANE); lane++) {
      List<Integer> at = new ArrayList<>(layout.apply(0, lane, 0));
      if (!held.add(List.copyOf(at))) {
        continue;
      }
      long first = (long) at.get(axis) * element().bits() / 8;
      at.set(axis, 0);
      for (long s = first / 32; s <= (first + (long) bytes - 1) / 32; s++) {
        sectors.add(at + ":" + s);
      }
    }
    return held.size() * bytes / (sectors.size() * 32.0);
  }
}
