package dev.tkc.ir.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Blocked layouts, matrix fragments and shared memory against the formulas in the vendors' manuals. */
class HardwareLayoutsTest {

  @Test
  void blockedLayoutsGiveEachThreadItsBrick() {
    LinearLayout x = BlockedLayouts.blocked(List.of(64, 128),
        new BlockedLayouts.Spread(List.of(1, 8), List.of(4, 8), List.of(2, 2), List.of(1, 0)));
    assertThat(x.isInjective()).isTrue();
    assertThat(x.contiguity(1)).isEqualTo(8);
    assertThat(x.apply(3, 9, 1)).containsExactly(1, 64 + 8 + 3);
    assertThat(x.apply(8, 0, 2)).containsExactly(4 + 8, 0);
  }

  @Test
  void coalescedLayoutsCoverEveryTile() {
    for (int rows : new int[] {1, 3, 16, 128}) {
      for (int columns : new int[] {1, 8, 48, 256, 1024}) {
        for (int warps : new int[] {1, 4, 8}) {
          LinearLayout x = BlockedLayouts.coalescedLayout(
              List.of(rows, columns), List.of(1, 0), 8, 32, warps);
          assertThat(x.isSurjective()).isTrue();
          assertThat(x.count(InDim.LANE)).isEqualTo(32);
          assertThat(x.count(InDim.WARP)).isEqualTo(warps);
          assertThat(x.freeMask(InDim.REGISTER)).isZero();
        }
      }
    }
    LinearLayout row = BlockedLayouts.coalescedLayout(List.of(8192), List.of(0), 8, 32, 8);
    assertThat(row.contiguity(0)).isEqualTo(8);
    assertThat(row.apply(0, 1, 0)).containsExactly(8);
    LinearLayout scalar = BlockedLayouts.coalescedLayout(List.of(), List.of(), 8, 32, 4);
    assertThat(scalar.count(InDim.LANE) * scalar.count(InDim.WARP)).isEqualTo(128);
  }

  @Test
  void mmaSyncFragmentsAreThoseOfThePtxIsa() {
    MatrixFragments.Fragments half = MatrixFragments.mmaSync(16);
    MatrixFragments.Fragments byteWide = MatrixFragments.mmaSync(8);
    MatrixFragments.Fragments tf32 = MatrixFragments.mmaSync(32);
    for (int lane = 0; lane < 32; lane++) {
      int group = lane >> 2;
      int inGroup = lane % 4;
      for (int i = 0; i < 4; i++) {
        assertThat(half.c().apply(i, lane, 0)).containsExactly(group + (i < 2 ? 0 : 8), inGroup * 2 + (i & 1));
        assertThat(half.b().apply(i, lane, 0)).containsExactly(inGroup * 2 + (i & 1) + (i < 2 ? 0 : 8), group);
        assertThat(tf32.a().apply(i, lane, 0))
            .containsExactly(group + (i % 2 == 0 ? 0 : 8), inGroup + (i < 2 ? 0 : 4));
      }
      for (int i = 0; i < 8; i++) {
        assertThat(half.a().apply(i, lane, 0)).containsExactly(
            group + (i < 2 || i >= 4 && i < 6 ? 0 : 8), inGroup * 2 + (i & 1) + (i < 4 ? 0 : 8));
        assertThat(byteWide.b().apply(i, lane, 0)).containsExactly(inGroup * 4 + (i & 3) + (i < 4 ? 0 : 16), group);
      }
      for (int i = 0; i < 16; i++) {
        assertThat(byteWide.a().apply(i, lane, 0)).containsExactly(
            group + (i < 4 || i >= 8 && i < 12 ? 0 : 8), inGroup * 4 + (i & 3) + (i < 8 ? 0 : 16));
      }
      for (int i = 0; i < 2; i++) {
        assertThat(tf32.b().apply(i, lane, 0)).containsExactly(inGroup + 4 * i, group);
      }
    }
    assertThat(List.of(half.m(), half.n(), half.k())).containsExactly(16, 8, 16);
    assertThat(byteWide.k()).isEqualTo(32);
    assertThat(tf32.k()).isEqualTo(8);
    MatrixFragments.Fragments f64 = MatrixFragments.mmaSyncF64();
    assertThat(f64.a().apply(0, 13, 0)).containsExactly(3, 1);
    assertThat(f64.b().apply(0, 13, 0)).containsExactly(1, 3);
    assertThat(f64.c().apply(1, 13, 0)).containsExactly(3, 3);
  }

  @Test
  void mfmaFragmentsFollowTheGenericFormula() {
    int[][] shapes = {{32, 32, 8, 4}, {16, 16, 16, 4}, {16, 16, 32, 4}, {32, 32, 16, 4}, {16, 16, 4, 1},
        {16, 16, 64, 4}};
    for (int[] s : shapes) {
      MatrixFragments.Fragments f = MatrixFragments.mfma(s[0], s[1], s[2], s[3]);
      int perLane = s[2] * s[0] / 64;
      for (int lane = 0; lane < 64; lane++) {
        for (int i = 0; i < perLane; i++) {
          int k = lane / s[0] * perLane + i;
          assertThat(f.a().apply(i, lane, 0)).containsExactly(lane % s[0], k);
          assertThat(f.b().apply(i, lane, 0)).containsExactly(k, lane % s[1]);
        }
        for (int r = 0; r < s[0] * s[1] / 64; r++) {
          int rowGroups = 64 / s[1];
          int row = r / s[3] * s[3] * rowGroups + lane / s[1] * s[3] + r % s[3];
          assertThat(f.c().apply(r, lane, 0)).containsExactly(row, lane % s[1]);
        }
      }
    }
    LinearLayout wide = MatrixFragments.mfma(32, 32, 8, 4).c();
    assertThat(wide.apply(6, 33, 0)).containsExactly(8 + 4 + 2, 1);
  }

  @Test
  void tiledFragmentsCoverTheBlocksTileAndAgreeOnWarps() {
    MatrixFragments.Fragments f = MatrixFragments.mmaSync(16);
    LinearLayout c = MatrixFragments.tiled(f.c(), List.of(128, 128),
        List.of(new MatrixFragments.Warps(0, 2), new MatrixFragments.Warps(1, 2)), List.of(1, 0));
    LinearLayout a = MatrixFragments.tiled(f.a(), List.of(128, 32),
        List.of(new MatrixFragments.Warps(0, 2), new MatrixFragments.Warps(MatrixFragments.Warps.NONE, 2)),
        List.of(1, 0));
    assertThat(c.isInjective() && c.isSurjective()).isTrue();
    assertThat(c.registersPerThread()).isEqualTo(128);
    assertThat(a.freeMask(InDim.WARP)).isEqualTo(2);
    for (int w = 0; w < 4; w++) {
      assertThat(c.apply(0, 0, w).get(0)).isEqualTo(a.apply(0, 0, w).get(0));
    }
  }

  @Test
  void swizzledSharedLayoutsAreOneToOneAndFollowTheFormula() {
    SharedLayouts.Swizzle swizzle = SharedLayouts.Swizzle.forRows(64, 16);
    assertThat(swizzle).isEqualTo(new SharedLayouts.Swizzle(8, 1, 8));
    LinearLayout shared = SharedLayouts.swizzled(List.of(32, 64), List.of(1, 0), swizzle);
    Set<List<Integer>> seen = new HashSet<>();
    for (int offset = 0; offset < 32 * 64; offset++) {
      int row = offset / 64;
      assertThat(shared.coordinates(shared.applyFlat(InDim.OFFSET, offset)))
          .containsExactly(row, offset % 64 ^ row % 8 * 8);
      seen.add(shared.coordinates(shared.applyFlat(InDim.OFFSET, offset)));
    }
    assertThat(seen).hasSize(32 * 64);
  }

  @Test
  void matrixLoadsFillOperandFragmentsFromSwizzledTilesWithoutConflicts() {
    MatrixFragments.Fragments f = MatrixFragments.mmaSync(16);
    LinearLayout a = MatrixFragments.tiled(f.a(), List.of(64, 64), List.of(new MatrixFragments.Warps(0, 4)),
        List.of(1, 0));
    LinearLayout b = MatrixFragments.tiled(f.b(), List.of(64, 64), List.of(new MatrixFragments.Warps(1, 4)),
        List.of(0, 1));
    SharedLayouts.Swizzle swizzle = SharedLayouts.Swizzle.forRows(64, 16);
    LinearLayout rowMajor = SharedLayouts.swizzled(List.of(64, 64), List.of(1, 0), swizzle);
    LinearLayout columnMajor = SharedLayouts.swizzled(List.of(64, 64), List.of(0, 1), swizzle);
    assertThat(SharedLayouts.matrixLoad(rowMajor, a, 16)).contains(new SharedLayouts.MatrixLoad(false, 4));
    assertThat(SharedLayouts.matrixLoad(columnMajor, b, 16)).contains(new SharedLayouts.MatrixLoad(false, 4));
    assertThat(SharedLayouts.matrixLoad(rowMajor, b, 16)).contains(new SharedLayouts.MatrixLoad(true, 4));
    assertThat(SharedLayouts.matrixLoad(columnMajor, a, 16)).contains(new SharedLayouts.MatrixLoad(true, 4));
    assertThat(SharedLayouts.matrixLoad(rowMajor, b, 8)).isEmpty();
    // The eight rows of each 8x8 matrix lie in eight different groups of four banks.
    Gf2 offsets = SharedLayouts.offsets(rowMajor, a);
    Set<Long> groups = new HashSet<>();
    for (int row = 0; row < 8; row++) {
      groups.add(offsets.apply((long) (row * 4) << a.bits(InDim.REGISTER)) * 2 / 16 % 8);
    }
    assertThat(groups).hasSize(8);
  }

  @Test
  void conflictCountsAreThoseOfTextbookAccesses() {
    LinearLayout column = LinearLayout.identity1d(InDim.LANE, 32, 0, 2)
        .product(LinearLayout.identity1d(InDim.REGISTER, 32, 1, 2));
    LinearLayout plain = SharedLayouts.swizzled(List.of(32, 32), List.of(1, 0), SharedLayouts.Swizzle.NONE);
    Gf2 offsets = SharedLayouts.offsets(plain, column);
    VectorAccess scalar = VectorAccess.of(offsets, 5, 1);
    Banks.Cost worst = Banks.BY_128_BYTES.cost(offsets, 5, 5, scalar, 32);
    assertThat(worst.rounds()).isEqualTo(32 * 32);
    assertThat(worst.idealRounds()).isEqualTo(32);
    LinearLayout swizzled = SharedLayouts.swizzled(List.of(32, 32), List.of(1, 0), new SharedLayouts.Swizzle(1, 1, 32));
    Gf2 better = SharedLayouts.offsets(swizzled, column);
    assertThat(Banks.BY_128_BYTES.cost(better, 5, 5, VectorAccess.of(better, 5, 1), 32).isConflictFree()).isTrue();
    VectorAccess wide = VectorAccess.of(offsets, 5, 4);
    assertThat(wide.width()).isEqualTo(4);
    assertThat(wide.accesses()).hasSize(8);
    assertThat(wide.accesses().getFirst()).containsExactly(0, 1, 2, 3);
  }

  @Test
  void warpsFollowEachOtherBeforeRegistersRepeatThem() {
    LinearLayout c = MatrixFragments.interleaved(
        MatrixFragments.mmaSync(16).c(), List.of(256, 16), new MatrixFragments.Warps(0, 8), List.of(1, 0));
    assertThat(c.basis(InDim.WARP)).containsExactly(List.of(16, 0), List.of(32, 0), List.of(64, 0));
    assertThat(c.basis(InDim.REGISTER)).containsExactly(List.of(0, 1), List.of(8, 0), List.of(0, 8), List.of(128, 0));
  }

  @Test
  void groupsOfWarpsHaveOnePieceOfTheRowsEach() {
    MatrixFragments.Warps eight = new MatrixFragments.Warps(0, 8);
    LinearLayout fragment = MatrixFragments.mmaSync(16).c();
    LinearLayout c = MatrixFragments.grouped(fragment, List.of(256, 16), eight, 4, List.of(1, 0));
    assertThat(c.basis(InDim.WARP)).containsExactly(List.of(16, 0), List.of(32, 0), List.of(128, 0));
    assertThat(c.basis(InDim.REGISTER)).containsExactly(List.of(0, 1), List.of(8, 0), List.of(0, 8), List.of(64, 0));
    for (int rows : List.of(64, 128)) {
      assertThat(MatrixFragments.grouped(fragment, List.of(rows, 16), eight, 4, List.of(1, 0)))
          .isEqualTo(MatrixFragments.interleaved(fragment, List.of(rows, 16), eight, List.of(1, 0)));
    }
  }
}
