package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Surjective layouts of one tile, with duplicates where asked for: the inputs of the exhaustive tests. */
final class RandomLayouts {
  private final Random random;

  RandomLayouts(long seed) {
    random = new Random(seed);
  }

  /**
   * A random one-to-one matrix whose columns go to registers, lanes and warps; {@code zeros} further bits are
   * duplicates.
   */
  LinearLayout next(List<Integer> sizes, int registers, int lanes, int warps, int zeros) {
    int n = registers + lanes + warps;
    int m = n - zeros;
    List<Long> columns = new ArrayList<>();
    while (columns.size() < m) {
      List<Long> more = new ArrayList<>(columns);
      more.add(random.nextLong(1L << m));
      if (Gf2.of(m, more).isInjective()) {
        columns = more;
      }
    }
    for (int i = 0; i < zeros; i++) {
      columns.add(0L);
    }
    Collections.shuffle(columns, random);
    return LinearLayout.ofFlat(sizes, Map.of(
        InDim.REGISTER, columns.subList(0, registers),
        InDim.LANE, columns.subList(registers, registers + lanes),
        InDim.WARP, columns.subList(registers + lanes, n)));
  }

  /** The same unit vectors dealt anew: like real layouts, where most bits go to one tile dimension. */
  LinearLayout dealt(List<Integer> sizes, int registers, int lanes, int warps) {
    List<Long> columns = new ArrayList<>(Subspace.whole(registers + lanes + warps).basis());
    Collections.shuffle(columns, random);
    return LinearLayout.ofFlat(sizes, Map.of(
        InDim.REGISTER, columns.subList(0, registers),
        InDim.LANE, columns.subList(registers, registers + lanes),
        InDim.WARP, columns.subList(registers + lanes, columns.size())));
  }

  /** The layout's registers mixed with each other, lanes with registers: what shuffles within a warp can reach. */
  LinearLayout mixedWithinWarps(LinearLayout layout) {
    int registers = layout.bits(InDim.REGISTER);
    int lanes = layout.bits(InDim.LANE);
    LinearLayout mixer = random.nextBoolean()
        ? next(List.of(1 << (registers + lanes)), registers, lanes, 0, 0)
        : dealt(List.of(1 << (registers + lanes)), registers, lanes, 0);
    Gf2 within = layout.matrix(InDim.REGISTER).beside(layout.matrix(InDim.LANE));
    return LinearLayout.ofFlat(layout.sizes(), Map.of(
        InDim.REGISTER, mixer.flatBasis(InDim.REGISTER).stream().map(within::apply).toList(),
        InDim.LANE, mixer.flatBasis(InDim.LANE).stream().map(within::apply).toList(),
        InDim.WARP, layout.flatBasis(InDim.WARP)));
  }

  /** A dealt layout of 3 register, 4 lane and 1 warp bits where nothing is duplicated, else any. */
  LinearLayout dealtOrNext(List<Integer> sizes, int zeros) {
    return zeros == 0 ? dealt(sizes, 3, 4, 1) : next(sizes, 3, 4, 1, zeros);
  }
}
