package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The warps that hold a tile together, as layouts number them. A layout is linear and so has a power of two of warps; a
 * team may have fewer, such as twelve: three groups of four. Then its layouts are those of the next power of two,
 * sixteen, and the last warps do not exist. The bits of a warp's number are those inside a group ({@link #inner}, a
 * power of two) and, above them, the group's ({@link #groups}, odd).
 *
 * <p>Such a team holds a tile only if nothing of it is the missing warps' ({@link #holds}): either each group holds a
 * share of one dimension, whose size is then so many powers of two as there are groups, so that the missing groups'
 * share lies in the padding; or all groups hold the same.
 */
public record WarpTeam(int count) {
  public WarpTeam {
    if (count < 1) {
      throw new IllegalStateException("a team of " + count + " warps");
    }
  }

  /** Warps of a group. */
  public int inner() {
    return Integer.lowestOneBit(count);
  }

  /** How many groups there are: 1 where the warps are a power of two. */
  public int groups() {
    return count / inner();
  }

  /** The bits of a warp's number in a layout. */
  public int bits() {
    return LinearLayout.log2(inner()) + LinearLayout.log2(coveredGroups());
  }

  private int coveredGroups() {
    return LinearLayout.cover(List.of(groups())).getFirst();
  }

  /** The layout in which every group holds what {@code group} says of one. */
  public LinearLayout repeat(LinearLayout group) {
    return group.product(LinearLayout.zeros1d(InDim.WARP, coveredGroups(), group.rank()));
  }

  /** The layout in which group n holds the n-th share along the axis, which lies as {@code group} says. */
  public LinearLayout share(LinearLayout group, int axis) {
    return group.product(LinearLayout.identity1d(InDim.WARP, coveredGroups(), axis, group.rank()));
  }

  /** Whether the groups can share out a dimension of this size. */
  public boolean divides(int size) {
    return size % groups() == 0 && Integer.bitCount(size / groups()) == 1;
  }

  /** The shape of one group's share along the axis. */
  public List<Integer> shareOf(List<Integer> shape, int axis) {
    List<Integer> share = new ArrayList<>(shape);
    share.set(axis, shape.get(axis) / groups());
    return Collections.unmodifiableList(share);
  }

  /** Whether the warps that exist hold every element of a tile of this shape. */
  public boolean holds(LinearLayout layout, List<Integer> shape) {
    if (groups() == 1) {
      return true;
    }
    int first = LinearLayout.log2(inner());
    if (layout.bits(InDim.WARP) != bits()) {
      return false;
    }
    List<Long> choose = layout.flatBasis(InDim.WARP).subList(first, bits());
    if (choose.stream().allMatch(v -> v == 0)) {
      return true;
    }
    for (int axis = 0; axis < layout.rank(); axis++) {
      if (divides(shape.get(axis)) && chooseAlone(layout, axis, shape.get(axis) / groups())) {
        return true;
      }
    }
    return false;
  }

  /** Whether the group's bits, and nothing else, say which share of an axis an element is in, and say nothing else. */
  private boolean chooseAlone(LinearLayout layout, int axis, int share) {
    for (InDim dim : layout.inDims()) {
      List<List<Integer>> vectors = layout.basis(dim);
      for (int i = 0; i < vectors.size(); i++) {
        int group = dim == InDim.WARP ? i - LinearLayout.log2(inner()) : -1;
        List<Integer> v = vectors.get(i);
        int elsewhere = v.stream().mapToInt(c -> c).sum() - v.get(axis);
        if (group < 0 ? v.get(axis) >= share : v.get(axis) != share << group || elsewhere != 0) {
          return false;
        }
      }
    }
    return true;
  }
}
