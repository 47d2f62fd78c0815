package dev.tkc.ir.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.layout.MatrixFragments.Warps;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Layouts of teams whose warps are no power of two: the warps that exist hold all of a tile, and say so. */
class WarpTeamTest {
  private static final List<List<Integer>> SHAPES = List.of(List.of(192, 64), List.of(192), List.of(192, 1),
      List.of(1, 128), List.of(64, 96), List.of(5, 7), List.of(2, 24, 16), List.of(384, 8), List.of());

  /** The places of a tile that warps 0 up to {@code count} hold. */
  private static Set<List<Integer>> held(LinearLayout layout, List<Integer> shape, int count) {
    Set<List<Integer>> held = new HashSet<>();
    for (int warp = 0; warp < count; warp++) {
      for (int lane = 0; lane < layout.count(InDim.LANE); lane++) {
        for (int r = 0; r < layout.registersPerThread(); r++) {
          List<Integer> at = layout.apply(r, lane, warp);
          boolean inside = true;
          for (int axis = 0; axis < shape.size(); axis++) {
            inside &= at.get(axis) < shape.get(axis);
          }
          if (inside) {
            held.add(at);
          }
        }
      }
    }
    return held;
  }

  @Test
  void theWarpsThatExistHoldEverything() {
    for (int warps : List.of(4, 8, 12, 16, 20, 24)) {
      for (List<Integer> shape : SHAPES) {
        LinearLayout layout = BlockedLayouts.coalescedLayout(
            shape, BlockedLayouts.rowMajorOrder(shape.size()), 8, 32, warps);
        assertThat(layout.sizes()).isEqualTo(LinearLayout.cover(shape));
        assertThat(new WarpTeam(warps).holds(layout, shape)).as("%s over %d", shape, warps).isTrue();
        assertThat(held(layout, shape, warps)).as("%s over %d", shape, warps)
            .hasSize(shape.stream().reduce(1, (a, b) -> a * b));
      }
    }
  }

  @Test
  void accumulatorsOfThreeGroups() {
    LinearLayout c = MatrixFragments.interleaved(
        MatrixFragments.mmaSync(16).c(), List.of(192, 64), new Warps(0, 12), List.of(1, 0));
    assertThat(c.basis(InDim.WARP)).containsExactly(List.of(16, 0), List.of(32, 0), List.of(64, 0), List.of(128, 0));
    assertThat(held(c, List.of(192, 64), 12)).hasSize(192 * 64);
    assertThat(new WarpTeam(12).holds(c, List.of(192, 64))).isTrue();
    // The same layout of more rows, or the same rows where the missing warps have some of them.
    assertThat(new WarpTeam(12).holds(c, List.of(256, 64))).isFalse();
    assertThat(new WarpTeam(12).holds(c.permute(List.of(1, 0)), List.of(64, 192))).isTrue();
    assertThat(new WarpTeam(12).holds(BlockedLayouts.coalescedLayout(List.of(192, 64), List.of(1, 0), 8, 32, 16),
        List.of(192, 64))).isFalse();
    assertThatThrownBy(() -> MatrixFragments.interleaved(
        MatrixFragments.mmaSync(16).c(), List.of(128, 64), new Warps(0, 12), List.of(1, 0)))
            .hasMessageContaining("3 groups");
  }

  @Test
  void numbersOfATeam() {
    WarpTeam twelve = new WarpTeam(12);
    assertThat(List.of(twelve.inner(), twelve.groups(), twelve.bits())).containsExactly(4, 3, 4);
    assertThat(twelve.divides(192)).isTrue();
    assertThat(twelve.divides(128)).isFalse();
    assertThat(List.of(new WarpTeam(8).inner(), new WarpTeam(8).groups(), new WarpTeam(8).bits()))
        .containsExactly(8, 1, 3);
  }
}
