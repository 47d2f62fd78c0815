package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Layouts in which each thread owns small bricks of consecutive elements: what global memory wants. Sizes are powers of
 * two throughout; {@code order} names the tile dimensions, the one that varies fastest first.
 */
public final class BlockedLayouts {
  private BlockedLayouts() {}

  /** How a blocked layout spreads a tile; each list has one entry per tile dimension. */
  public record Spread(List<Integer> perThread, List<Integer> lanes, List<Integer> warps, List<Integer> order) {
    public Spread {
      perThread = List.copyOf(perThread);
      lanes = List.copyOf(lanes);
      warps = List.copyOf(warps);
      order = List.copyOf(order);
    }
  }

  /**
   * The layout of a tile under a spread: bricks of {@code perThread} elements over the lanes, those over the warps, and
   * the whole repeated in further registers until it covers the tile. Where the tile is smaller the surplus threads
   * hold duplicates.
   */
  public static LinearLayout blocked(List<Integer> shape, Spread spread) {
    List<Integer> sizes = LinearLayout.cover(shape);
    List<Integer> room = new ArrayList<>(sizes);
    LinearLayout layout = LinearLayout.ofFlat(Collections.nCopies(sizes.size(), 1), emptyBases());
    layout = grow(layout, InDim.REGISTER, spread.perThread, spread.order, room, false);
    layout = grow(layout, InDim.LANE, spread.lanes, spread.order, room, true);
    layout = grow(layout, InDim.WARP, spread.warps, spread.order, room, true);
    return grow(layout, InDim.REGISTER, List.copyOf(room), spread.order, room, false);
  }

  /**
   * The spread of a tile that gives each thread up to {@code vector} consecutive elements along {@code order}'s first
   * dimension, fills a warp along that dimension before it turns to the next, then the warps likewise.
   */
  public static Spread coalesced(List<Integer> shape, List<Integer> order, int vector, int lanes, int warps) {
    List<Integer> room = new ArrayList<>(LinearLayout.cover(shape));
    List<Integer> perThread = new ArrayList<>(Collections.nCopies(room.size(), 1));
    if (!order.isEmpty()) {
      // A vector is worth it only while every thread still has an element of its own to start from.
      long elements = room.stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
      long fair = Math.max(1, elements / ((long) lanes * warps));
      int fastest = order.getFirst();
      int width = (int) Math.min(Math.min(vector, room.get(fastest)), Long.highestOneBit(fair));
      perThread.set(fastest, width);
      room.set(fastest, room.get(fastest) / width);
    }
    return new Spread(perThread, take(lanes, order, room), take(warps, order, room), order);
  }

  /**
   * The layout of that spread; a tile of rank 0 is held by every thread. Where warps are no power of two their groups
   * share out the slowest dimension that they can, or hold the same ({@link WarpTeam}).
   */
  public static LinearLayout coalescedLayout(
      List<Integer> shape, List<Integer> order, int vector, int lanes, int warps) {
    WarpTeam team = new WarpTeam(warps);
    if (shape.isEmpty()) {
      return team.repeat(LinearLayout.ofFlat(List.of(), emptyBases())
          .product(LinearLayout.zeros1d(InDim.LANE, lanes, 0))
          .product(LinearLayout.zeros1d(InDim.WARP, team.inner(), 0)));
    }
    for (int axis : order.reversed()) {
      if (team.groups() > 1 && team.divides(shape.get(axis))) {
        List<Integer> share = team.shareOf(shape, axis);
        return team.share(blocked(share, coalesced(share, order, vector, lanes, team.inner())), axis);
      }
    }
    return team.repeat(blocked(shape, coalesced(shape, order, vector, lanes, team.inner())));
  }

  /** The dimensions of a row-major tensor's tile, fastest first. */
  public static List<Integer> rowMajorOrder(int rank) {
    List<Integer> order = new ArrayList<>();
    for (int axis = rank - 1; axis >= 0; axis--) {
      order.add(axis);
    }
    return order;
  }

  private static List<Integer> take(int count, List<Integer> order, List<Integer> room) {
    List<Integer> taken = new ArrayList<>(Collections.nCopies(room.size(), 1));
    int left = count;
    for (int axis : order) {
      int here = Math.min(left, room.get(axis));
      taken.set(axis, here);
      room.set(axis, room.get(axis) / here);
      left /= here;
    }
    if (!order.isEmpty()) {
      // What the tile has no room for still has to be somebody: these hold duplicates.
      int slowest = order.getLast();
      taken.set(slowest, taken.get(slowest) * left);
    }
    return taken;
  }

  private static LinearLayout grow(
      LinearLayout inner, InDim dim, List<Integer> counts, List<Integer> order, List<Integer> room, boolean duplicate) {
    LinearLayout layout = inner;
    int rank = room.size();
    for (int axis : order) {
      int here = Math.min(counts.get(axis), room.get(axis));
      layout = layout.product(LinearLayout.identity1d(dim, here, axis, rank));
      if (duplicate) {
        layout = layout.product(LinearLayout.zeros1d(dim, counts.get(axis) / here, rank));
      }
      room.set(axis, room.get(axis) / here);
    }
    return layout;
  }

  private static Map<InDim, List<Long>> emptyBases() {
    return Map.of(InDim.REGISTER, List.of(), InDim.LANE, List.of(), InDim.WARP, List.of());
  }
}
