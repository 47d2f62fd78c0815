package dev.tkc.passes.place;

import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.WarpTeam;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Optional;

/** How layouts go through shape ops and reductions so that no data moves between threads. */
final class Transfer {
  private Transfer() {}

  /** The layout of a tile reduced along the axes: who held a part holds the total, once per thread. */
  static LinearLayout reduced(LinearLayout layout, List<Integer> axes) {
    LinearLayout result = layout;
    for (int axis : axes) {
      result = result.reduced(axis);
    }
    return result.withoutFreeRegisters();
  }

  /** The axes along which {@code from} has size 1 and {@code to} has not. */
  static List<Integer> broadcastAxes(List<Integer> from, List<Integer> to) {
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < from.size(); i++) {
      if (from.get(i) == 1 && to.get(i) != 1) {
        axes.add(i);
      }
    }
    return axes;
  }

  /** The layout under another shape with the same row-major order, where the covers agree on that order. */
  static Optional<LinearLayout> reshaped(LinearLayout layout, List<Integer> from, List<Integer> to) {
    List<Integer> a = from.stream().filter(n -> n != 1).toList();
    List<Integer> b = to.stream().filter(n -> n != 1).toList();
    boolean powers = LinearLayout.cover(from).equals(from) && LinearLayout.cover(to).equals(to);
    return a.equals(b) || powers ? Optional.of(layout.reshape(LinearLayout.cover(to))) : Optional.empty();
  }

  /** What a thread needs of a rank-1 index tile that stands for one axis of an access. */
  static LinearLayout projected(LinearLayout layout, int axis) {
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < layout.rank(); i++) {
      if (i != axis) {
        others.add(i);
      }
    }
    return reduced(layout, others).reshape(List.of(layout.size(axis)));
  }

  /**
   * The layout of the block of {@code shape} at {@code offsets}: lower bits stay, and the bits that choose the block
   * must be registers'. Nothing where the block is not aligned to its own size or other bits choose it.
   */
  static Optional<LinearLayout> sliced(LinearLayout layout, List<Integer> offsets, List<Integer> shape) {
    List<Integer> sizes = LinearLayout.cover(shape);
    LinearLayout result = layout;
    for (int axis = 0; axis < shape.size(); axis++) {
      boolean whole = sizes.get(axis).equals(layout.size(axis)) && offsets.get(axis) == 0;
      if (!whole && (!sizes.get(axis).equals(shape.get(axis)) || offsets.get(axis) % shape.get(axis) != 0)) {
        return Optional.empty();
      }
      while (result.size(axis) > sizes.get(axis)) {
        Optional<LinearLayout> half = result.half(axis);
        if (half.isEmpty()) {
          return Optional.empty();
        }
        result = half.get();
      }
    }
    return Optional.of(result);
  }

  /**
   * The other way round: a layout of the whole of {@code sizes} of which the block lies as {@code layout} does, further
   * registers choosing the block. Nothing where the block is not aligned to its own size.
   */
  static Optional<LinearLayout> extended(
      LinearLayout layout, List<Integer> offsets, List<Integer> shape, List<Integer> sizes) {
    LinearLayout result = layout;
    for (int axis = shape.size() - 1; axis >= 0; axis--) {
      int ratio = sizes.get(axis) / layout.size(axis);
      if (ratio > 1 && (layout.size(axis) != shape.get(axis) || offsets.get(axis) % shape.get(axis) != 0)) {
        return Optional.empty();
      }
      result = result.product(LinearLayout.identity1d(InDim.REGISTER, ratio, axis, shape.size()));
    }
    return Optional.of(result);
  }

  /** A layout in which every thread holds all of {@code axis}: slices and joins along it stay within threads. */
  static LinearLayout wholeAlong(LinearLayout otherAxes, int axis, int size) {
    LinearLayout rest = reduced(otherAxes, List.of(axis));
    return LinearLayout.identity1d(InDim.REGISTER, size, axis, rest.rank()).product(rest);
  }

  /** Every thread holds the whole tile. */
  static LinearLayout replicated(List<Integer> shape, int lanes, int warps) {
    List<Integer> sizes = LinearLayout.cover(shape);
    int bits = 0;
    for (int size : sizes) {
      bits += Integer.numberOfTrailingZeros(size);
    }
    EnumMap<InDim, List<Long>> bases = new EnumMap<>(InDim.class);
    List<Long> registers = new ArrayList<>();
    for (int i = 0; i < bits; i++) {
      registers.add(1L << i);
    }
    bases.put(InDim.REGISTER, registers);
    bases.put(InDim.LANE, Collections.nCopies(Integer.numberOfTrailingZeros(lanes), 0L));
    bases.put(InDim.WARP, Collections.nCopies(new WarpTeam(warps).bits(), 0L));
    return LinearLayout.ofFlat(sizes, bases);
  }
}
