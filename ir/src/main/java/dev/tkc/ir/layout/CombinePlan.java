package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How the elements along some axes of a register tile come together: which register bits, then lane bits, then warps
 * are combined, and in which places of shared scratch warps exchange what they have.
 *
 * <p>Every step combines, for one or more input bits, the holders that differ in exactly those bits; bits that hold
 * duplicates are left out, so each element counts once. An {@code ordered} plan goes through the axis from its lowest
 * bit to its highest, so that every step joins neighbouring runs, as scans and functions that do not commute need. An
 * unordered one does registers first, then lanes, then all warps at once, which moves the least.
 */
public record CombinePlan(List<Step> steps) {

  public sealed interface Step {}

  /** Registers that differ in this bit. */
  public record Registers(int bit) implements Step {}

  /** Lanes that differ in this bit. */
  public record Lanes(int bit) implements Step {}

  /**
   * Warps that differ in these bits. Each thread writes its partial results to {@code place} (a map from flat register,
   * lane, warp), and reads those of all warps: its own place with the {@code bits.size()} highest place bits counting
   * up. {@code elements} places are used.
   */
  public record Warps(List<Integer> bits, Gf2 place, int elements) implements Step {
    public Warps {
      bits = List.copyOf(bits);
    }
  }

  public CombinePlan {
    steps = List.copyOf(steps);
  }

  /** The most places that any exchange between warps uses; 0 where warps need not meet. */
  public int scratchElements() {
    int most = 0;
    for (Step step : steps) {
      if (step instanceof Warps w) {
        most = Math.max(most, w.elements);
      }
    }
    return most;
  }

  /**
   * Whether {@link #of} accepts the layout: no vector runs along reduced and kept axes at once, or (ordered) crosswise.
   */
  public static boolean fits(LinearLayout layout, List<Integer> axes, boolean ordered) {
    long along = mask(layout, axes);
    long free = layout.matrix().dependentColumns();
    Gf2 all = layout.matrix();
    int beforeWarps = layout.bits(InDim.REGISTER) + layout.bits(InDim.LANE);
    for (int i = 0; i < all.columnCount(); i++) {
      long v = all.column(i);
      if ((free >> i & 1) != 0 || (v & along) == 0) {
        continue;
      }
      boolean single = Long.bitCount(v) == 1;
      if ((v & ~along) != 0 || !single && (ordered || i >= beforeWarps)) {
        return false;
      }
    }
    return true;
  }

  /** The plan for combining {@code axes}; {@code ordered} takes one axis. */
  public static CombinePlan of(LinearLayout layout, List<Integer> axes, boolean ordered) {
    if (!fits(layout, axes, ordered) || ordered && axes.size() != 1) {
      throw new IllegalStateException("no plan to combine axes " + axes + " of " + layout);
    }
    long along = mask(layout, axes);
    List<Integer> inputs = inputs(layout, along);
    if (ordered) {
      Gf2 all = layout.matrix();
      inputs.sort(Comparator.comparingLong(all::column));
    }
    return new CombinePlan(steps(layout, inputs, along, ordered));
  }

  /** The input bits that tell elements along the axes apart, duplicates left out. */
  private static List<Integer> inputs(LinearLayout layout, long along) {
    Gf2 all = layout.matrix();
    long free = all.dependentColumns();
    List<Integer> inputs = new ArrayList<>();
    for (int i = 0; i < all.columnCount(); i++) {
      if ((free >> i & 1) == 0 && (all.column(i) & along) != 0) {
        inputs.add(i);
      }
    }
    return inputs;
  }

  private static List<Step> steps(LinearLayout layout, List<Integer> inputs, long along, boolean ordered) {
    int registers = layout.bits(InDim.REGISTER);
    int lanes = layout.bits(InDim.LANE);
    List<Step> steps = new ArrayList<>();
    long waiting = ordered ? along : 0;
    for (int i = 0; i < inputs.size(); i++) {
      int input = inputs.get(i);
      waiting &= ~layout.matrix().column(input);
      if (input < registers) {
        steps.add(new Registers(input));
      } else if (input < registers + lanes) {
        steps.add(new Lanes(input - registers));
      } else {
        List<Integer> group = new ArrayList<>(List.of(input));
        while (i + 1 < inputs.size() && inputs.get(i + 1) >= registers + lanes) {
          group.add(inputs.get(++i));
          waiting &= ~layout.matrix().column(inputs.get(i));
        }
        steps.add(exchange(layout, group, registers + lanes, ~along & all(layout) | waiting));
      }
    }
    return steps;
  }

  /** {@code kept}: the bits of the flat coordinate that still tell partial results apart. */
  private static Warps exchange(LinearLayout layout, List<Integer> group, int firstWarp, long kept) {
    Gf2 all = layout.matrix();
    long grouped = 0;
    for (int input : group) {
      grouped |= all.column(input);
    }
    int low = Long.bitCount(kept);
    List<Long> columns = new ArrayList<>();
    for (int i = 0; i < all.columnCount(); i++) {
      long v = all.column(i);
      columns.add(Long.compress(v, kept) | Long.compress(v, grouped) << low);
    }
    int bits = low + group.size();
    return new Warps(group.stream().map(i -> i - firstWarp).toList(), Gf2.of(bits, columns), 1 << bits);
  }

  private static long all(LinearLayout layout) {
    return (1L << layout.outBits()) - 1;
  }

  /** The bits of the flat coordinate that belong to the axes. */
  private static long mask(LinearLayout layout, List<Integer> axes) {
    long mask = 0;
    int bit = 0;
    for (int axis = layout.rank() - 1; axis >= 0; axis--) {
      int bits = LinearLayout.log2(layout.size(axis));
      if (axes.contains(axis)) {
        mask |= ((1L << bits) - 1) << bit;
      }
      bit += bits;
    }
    return mask;
  }
}
