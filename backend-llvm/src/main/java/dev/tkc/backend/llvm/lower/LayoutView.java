package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.layout.Gf2;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A tile's layout as one thread sees it: which registers are worth computing, where each lies, which of its places are
 * padding. Facts hold for all threads of a block at once.
 */
final class LayoutView {
  private final LinearLayout layout;
  private final List<Integer> shape;
  private final int[] twin;
  private final long[] place;
  private final long[] threads;

  LayoutView(LinearLayout layout, List<Integer> shape) {
    this.layout = layout;
    this.shape = shape;
    Gf2 registers = layout.matrix(InDim.REGISTER);
    twin = new int[layout.registersPerThread()];
    place = new long[twin.length];
    for (int r = 0; r < twin.length; r++) {
      place[r] = registers.apply(r);
      twin[r] = registers.solve(place[r]).orElseThrow().intValue();
    }
    threads = new long[layout.rank()];
    for (int axis = 0; axis < threads.length; axis++) {
      for (InDim dim : List.of(InDim.LANE, InDim.WARP)) {
        for (List<Integer> vector : layout.basis(dim)) {
          threads[axis] |= vector.get(axis);
        }
      }
    }
  }

  static LayoutView of(TileType type) {
    return new LayoutView(type.layout(), type.shape());
  }

  LinearLayout layout() {
    return layout;
  }

  List<Integer> shape() {
    return shape;
  }

  int rank() {
    return shape.size();
  }

  int registers() {
    return twin.length;
  }

  /** The register that holds the same element and has no duplicate bits. */
  int twin(int register) {
    return twin[register];
  }

  boolean isFirst(int register) {
    return twin[register] == register;
  }

  /** The register's part of the flat coordinate. */
  long place(int register) {
    return place[register];
  }

  /** The register's part of the coordinate along an axis. */
  int coordinate(int register, int axis) {
    return layout.coordinates(place[register]).get(axis);
  }

  /** The bits that threads can set in the coordinate along an axis. */
  long threadBits(int axis) {
    return threads[axis];
  }

  /** Whether some thread may hold padding there. */
  boolean mayPad(int register, int axis) {
    return (coordinate(register, axis) | threads[axis]) >= shape.get(axis);
  }

  /** Whether some thread may hold padding somewhere. */
  boolean mayPad() {
    return !layout.sizes().equals(shape);
  }

  /** Whether every thread holds padding there. */
  boolean allPadding(int register) {
    for (int axis = 0; axis < rank(); axis++) {
      if ((coordinate(register, axis) & ~threads[axis]) >= shape.get(axis)) {
        return true;
      }
    }
    return false;
  }

  /** A tile made by computing each register that is not a duplicate; registers that are all padding get {@code padding}. */
  Lowered.Tile map(LlvmValue padding, IntFunction<LlvmValue> compute) {
    List<LlvmValue> values = new ArrayList<>(twin.length);
    for (int r = 0; r < twin.length; r++) {
      // A twin has the lower number, so it is there already.
      values.add(twin[r] != r ? values.get(twin[r]) : allPadding(r) ? padding : compute.apply(r));
    }
    return new Lowered.Tile(values);
  }
}
