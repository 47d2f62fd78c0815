package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How one matrix instruction's operands lie over the registers and lanes of a warp, and how such fragments tile a
 * block's tile. A is [M, K], B is [K, N], C is [M, N]. The formulas are those of the vendors' instruction manuals.
 */
public final class MatrixFragments {
  private MatrixFragments() {}

  /** The three operands of one instruction, over registers and lanes. */
  public record Fragments(LinearLayout a, LinearLayout b, LinearLayout c) {
    public int m() {
      return c.size(0);
    }

    public int n() {
      return c.size(1);
    }

    public int k() {
      return a.size(1);
    }

    public int lanes() {
      return c.count(InDim.LANE);
    }
  }

  /** Warps along one dimension of a tile, or holding duplicates where {@code axis} is {@link #NONE}. */
  public record Warps(int axis, int count) {
    public static final int NONE = -1;
  }

  /**
   * The m16n8 family of {@code mma.sync} whose A and B elements have {@code bits} bits (PTX ISA, "Matrix Fragments for
   * mma.m16n8k16" and its siblings): a 32-bit register holds {@code 32 / bits} consecutive k, four lanes make 16 bytes
   * of k, eight groups of four lanes the rows, further registers rows + 8, then the other half of k.
   */
  public static Fragments mmaSync(int bits) {
    int pack = 32 / bits;
    int k = 8 * pack;
    LinearLayout kInRegister = LinearLayout.identity1d(InDim.REGISTER, pack, 1, 2);
    LinearLayout kOverLanes = LinearLayout.identity1d(InDim.LANE, 4, 1, 2);
    LinearLayout rowsOverLanes = LinearLayout.identity1d(InDim.LANE, 8, 0, 2);
    LinearLayout group = kInRegister.product(kOverLanes).product(rowsOverLanes);
    LinearLayout a = group
        .product(LinearLayout.identity1d(InDim.REGISTER, 2, 0, 2))
        .product(LinearLayout.identity1d(InDim.REGISTER, k / (4 * pack), 1, 2));
    LinearLayout b = group
        .product(LinearLayout.identity1d(InDim.REGISTER, k / (4 * pack), 1, 2))
        .permute(List.of(1, 0));
    LinearLayout c = LinearLayout.identity1d(InDim.REGISTER, 2, 1, 2)
        .product(kOverLanes)
        .product(rowsOverLanes)
        .product(LinearLayout.identity1d(InDim.REGISTER, 2, 0, 2));
    return new Fragments(a, b, c);
  }

  /** {@code mma.sync} m8n8k4 on f64. */
  public static Fragments mmaSyncF64() {
    LinearLayout rows = LinearLayout.identity1d(InDim.LANE, 8, 0, 2);
    LinearLayout a = LinearLayout.identity1d(InDim.LANE, 4, 1, 2).product(rows).product(noRegister());
    LinearLayout c = LinearLayout.identity1d(InDim.REGISTER, 2, 1, 2)
        .product(LinearLayout.identity1d(InDim.LANE, 4, 1, 2)).product(rows);
    return new Fragments(a, a.permute(List.of(1, 0)), c);
  }

  /**
   * An MFMA of one block in a wave of 64 (CDNA3 ISA 7.1.4.2). {@code group} is the rows of C that consecutive registers
   * hold: 4, but 1 for f64.
   */
  public static Fragments mfma(int m, int n, int k, int group) {
    int perLane = k * m / 64;
    int rowGroups = 64 / n;
    LinearLayout a = fromHolders(m, k, (i, kk) -> kk % perLane, (i, kk) -> i + m * (kk / perLane));
    LinearLayout b = fromHolders(k, n, (kk, j) -> kk % perLane, (kk, j) -> j + n * (kk / perLane));
    LinearLayout c = fromHolders(m, n, (i, j) -> i % group + group * (i / (group * rowGroups)),
        (i, j) -> j + n * (i / group % rowGroups));
    return new Fragments(a, b, c);
  }

  /**
   * The layout of a block's tile made of copies of one fragment: registers repeat it along {@code order}'s dimensions
   * (fastest first) over what each warp owns, which is one contiguous brick. Dimensions before the fragment's two are
   * batch dimensions.
   */
  public static LinearLayout tiled(
      LinearLayout fragment, List<Integer> shape, List<Warps> warps, List<Integer> order) {
    List<Integer> sizes = LinearLayout.cover(shape);
    int rank = sizes.size();
    LinearLayout layout = expanded(fragment, sizes);
    List<Integer> room = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      room.add(sizes.get(axis) / layout.size(axis));
    }
    LinearLayout grid = LinearLayout.zeros1d(InDim.WARP, 1, rank);
    for (Warps w : warps) {
      int here = w.axis == Warps.NONE ? 1 : Math.min(w.count, room.get(w.axis));
      if (w.axis != Warps.NONE) {
        grid = grid.product(LinearLayout.identity1d(InDim.WARP, here, w.axis, rank));
        room.set(w.axis, room.get(w.axis) / here);
      }
      grid = grid.product(LinearLayout.zeros1d(InDim.WARP, w.count / here, rank));
    }
    for (int axis : order) {
      layout = layout.product(LinearLayout.identity1d(InDim.REGISTER, room.get(axis), axis, rank));
    }
    return layout.product(grid);
  }

  /**
   * The layout of a block's tile made of copies of one fragment: warps follow each other along one dimension, fragment
   * by fragment, and registers repeat all of that along {@code order}'s dimensions. Warps beyond the tile hold
   * duplicates. Where warps are no power of two, this is so for each group's share of that dimension
   * ({@link WarpTeam}).
   */
  public static LinearLayout interleaved(LinearLayout fragment, List<Integer> shape, Warps warps, List<Integer> order) {
    WarpTeam team = new WarpTeam(warps.count);
    if (team.groups() > 1) {
      if (!team.divides(shape.get(warps.axis))) {
        throw new IllegalStateException(team.groups() + " groups of warps do not share out " + shape);
      }
      List<Integer> share = team.shareOf(shape, warps.axis);
      return team.share(interleaved(fragment, share, new Warps(warps.axis, team.inner()), order), warps.axis);
    }
    List<Integer> sizes = LinearLayout.cover(shape);
    int rank = sizes.size();
    LinearLayout layout = expanded(fragment, sizes);
    int here = Math.min(warps.count, sizes.get(warps.axis) / layout.size(warps.axis));
    layout = layout.product(LinearLayout.identity1d(InDim.WARP, here, warps.axis, rank))
        .product(LinearLayout.zeros1d(InDim.WARP, warps.count / here, rank));
    for (int axis : order) {
      layout = layout.product(
          LinearLayout.identity1d(InDim.REGISTER, sizes.get(axis) / layout.size(axis), axis, rank));
    }
    return layout;
  }

  /**
   * The same for so many warps at a time: each such group has the next rows, all of them, so that what it writes and
   * stores is one piece. Tiles that have not even a fragment for each warp lie as {@link #interleaved} says.
   */
  public static LinearLayout grouped(
      LinearLayout fragment, List<Integer> shape, Warps warps, int group, List<Integer> order) {
    int groups = Math.max(1, new WarpTeam(warps.count).inner() / group);
    int size = shape.get(warps.axis);
    int rows = fragment.size(warps.axis - (shape.size() - 2));
    if (groups == 1 || size != LinearLayout.cover(List.of(size)).getFirst() || size < rows * warps.count) {
      return interleaved(fragment, shape, warps, order);
    }
    List<Integer> share = new ArrayList<>(shape);
    share.set(warps.axis, size / groups);
    LinearLayout one = interleaved(fragment, share, new Warps(warps.axis, warps.count / groups), order);
    return one.product(LinearLayout.identity1d(InDim.WARP, groups, warps.axis, shape.size()));
  }

  /** The fragment as the last two dimensions of a tile that has room for it. */
  private static LinearLayout expanded(LinearLayout fragment, List<Integer> sizes) {
    int rank = sizes.size();
    List<Integer> expanded = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      expanded.add(axis < rank - 2 ? 1 : fragment.size(axis - (rank - 2)));
    }
    LinearLayout layout = fragment.reshape(expanded);
    requireRoom(layout, sizes);
    return layout;
  }

  private static void requireRoom(LinearLayout fragment, List<Integer> sizes) {
    for (int axis = 0; axis < sizes.size(); axis++) {
      if (fragment.size(axis) > sizes.get(axis)) {
        throw new IllegalStateException(
            "a tile covered by " + sizes + " is smaller than the fragment " + fragment.sizes());
      }
    }
  }

  private static LinearLayout noRegister() {
    return LinearLayout.zeros1d(InDim.REGISTER, 1, 2);
  }

  private interface Holder {
    int of(int row, int column);
  }

  /** The layout whose element (row, column) is held where the two formulas say; they must be linear and one to one. */
  private static LinearLayout fromHolders(int rows, int columns, Holder register, Holder lane) {
    int registerBits = LinearLayout.log2((long) rows * columns / 64);
    long[] images = new long[LinearLayout.log2((long) rows * columns)];
    for (int bit = 0; bit < images.length; bit++) {
      int row = (1 << bit) / columns;
      int column = (1 << bit) % columns;
      images[bit] = register.of(row, column) | (long) lane.of(row, column) << registerBits;
    }
    Gf2 toElement = Gf2.of(images.length, images).inverse();
    List<Long> all = new ArrayList<>();
    for (int i = 0; i < toElement.columnCount(); i++) {
      all.add(toElement.column(i));
    }
    return LinearLayout.ofFlat(List.of(rows, columns), Map.of(
        InDim.REGISTER, all.subList(0, registerBits), InDim.LANE, all.subList(registerBits, all.size())));
  }
}
