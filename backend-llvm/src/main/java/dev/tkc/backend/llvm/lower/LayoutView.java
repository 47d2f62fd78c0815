package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.layout.Gf2;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * A tile's layout as one thread sees it: which registers are worth computing, where each lies, which of its places are
 * padding. Facts hold for all threads of the team at once.
 */
final class LayoutView {
  private final LinearLayout layout;
  private final List<Integer> shape;
  private final int[] twin;
  private final long[] place;
  private final long[] lanes;
  private final long[] threads;
  /** For each axis the parts of the coordinate that the team's warps have. */
  private final long[][] warps;

  /** The tile as a thread of a team of so many warps sees it. */
  LayoutView(LinearLayout layout, List<Integer> shape, int teamWarps) {
    this.layout = layout;
    this.shape = shape;
    Gf2 registers = layout.matrix(InDim.REGISTER);
    twin = new int[layout.registersPerThread()];
    place = new long[twin.length];
    for (int r = 0; r < twin.length; r++) {
      place[r] = registers.apply(r);
      twin[r] = registers.solve(place[r]).orElseThrow().intValue();
    }
    lanes = bits(InDim.LANE);
    threads = bits(InDim.WARP);
    warps = new long[threads.length][];
    List<List<Integer>> parts = IntStream.range(0, Math.min(teamWarps, layout.count(InDim.WARP)))
        .mapToObj(w -> layout.apply(0, 0, w)).toList();
    for (int axis = 0; axis < threads.length; axis++) {
      int along = axis;
      warps[axis] = parts.stream().mapToLong(at -> at.get(along)).distinct().toArray();
      threads[axis] |= lanes[axis];
    }
  }

  static LayoutView of(TileType type, int teamWarps) {
    return new LayoutView(type.layout(), type.shape(), teamWarps);
  }

  /** The bits that an input dimension can set in the coordinate along each axis. */
  private long[] bits(InDim dim) {
    long[] bits = new long[layout.rank()];
    for (List<Integer> vector : layout.basis(dim)) {
      for (int axis = 0; axis < bits.length; axis++) {
        bits[axis] |= vector.get(axis);
      }
    }
    return bits;
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

  /** The register's part of the coordinates. */
  List<Integer> coordinates(int register) {
    return layout.coordinates(place[register]);
  }

  /** Whether along these axes a coordinate is the sum of the register's part and the thread's. */
  boolean addsAlong(IntPredicate axes) {
    return IntStream.range(0, rank()).filter(axes)
        .allMatch(axis -> IntStream.range(0, registers()).allMatch(r -> (coordinate(r, axis) & threads[axis]) == 0));
  }

  /** The bits that threads can set in the coordinate along an axis. */
  long threadBits(int axis) {
    return threads[axis];
  }

  /** Whether some thread may hold padding there. */
  boolean mayPad(int register, int axis) {
    if (layout.size(axis) == shape.get(axis)) {
      return false;
    }
    int own = coordinate(register, axis);
    return Arrays.stream(warps[axis]).anyMatch(w -> (own ^ w | lanes[axis]) >= shape.get(axis));
  }

  /** Whether some thread may hold padding somewhere. */
  boolean mayPad() {
    return IntStream.range(0, rank()).anyMatch(this::mayPadAlong);
  }

  /** Whether some thread may hold padding past the end of the axis. */
  boolean mayPadAlong(int axis) {
    return layout.size(axis) != shape.get(axis) && IntStream.range(0, registers()).anyMatch(r -> mayPad(r, axis));
  }

  /** Whether every thread holds padding there. */
  boolean allPadding(int register) {
    return IntStream.range(0, rank()).anyMatch(axis -> allPadding(register, axis));
  }

  /** Whether every thread holds there what lies past the end of the axis. */
  boolean allPadding(int register, int axis) {
    if (layout.size(axis) == shape.get(axis)) {
      return false;
    }
    int own = coordinate(register, axis);
    return Arrays.stream(warps[axis]).allMatch(w -> ((own ^ w) & ~lanes[axis]) >= shape.get(axis));
  }

  /**
   * A tile made by computing each register that is not a duplicate; registers that are all padding get {@code padding}.
   */
  Lowered.Tile map(LlvmValue padding, IntFunction<LlvmValue> compute) {
    List<LlvmValue> values = new ArrayList<>(twin.length);
    for (int r = 0; r < twin.length; r++) {
      // A twin has the lower number, so it is there already.
      values.add(twin[r] != r ? values.get(twin[r]) : allPadding(r) ? padding : compute.apply(r));
    }
    return new Lowered.Tile(values);
  }
}
