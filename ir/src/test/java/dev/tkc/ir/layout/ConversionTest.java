package dev.tkc.ir.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Plans are carried out, element by element, over every thread of a block. */
class ConversionTest {
  private static final Banks BANKS = Banks.BY_128_BYTES;

  /** What each (register, lane, warp) of the target holds after the conversion; must be its own coordinate. */
  private static void check(LinearLayout source, LinearLayout target, Conversion plan) {
    int lanes = source.count(InDim.LANE);
    int registers = target.registersPerThread();
    for (int w = 0; w < source.count(InDim.WARP); w++) {
      long[][] held = new long[lanes][source.registersPerThread()];
      long[][] got = new long[lanes][registers];
      for (int l = 0; l < lanes; l++) {
        Arrays.fill(got[l], -1);
        for (int r = 0; r < held[l].length; r++) {
          held[l][r] = source.flat(r, l, w);
        }
      }
      switch (plan) {
        case Conversion.None _ -> got = held;
        case Conversion.Permute p -> {
          for (int l = 0; l < lanes; l++) {
            for (int r = 0; r < registers; r++) {
              got[l][r] = held[l][p.from().get(r)];
            }
          }
        }
        case Conversion.Shuffle s -> shuffle(s.plan(), held, got);
        case Conversion.Shared s -> throughShared(s.scratch(), source, target, w, got);
      }
      for (int l = 0; l < lanes; l++) {
        for (int r = 0; r < registers; r++) {
          assertThat(got[l][r]).as("%s from %s, lane %d register %d", target, source, l, r)
              .isEqualTo(target.flat(r, l, w));
        }
      }
    }
  }

  private static void shuffle(ShufflePlan plan, long[][] held, long[][] got) {
    int group = 1 << plan.pack();
    for (ShufflePlan.Round round : plan.rounds()) {
      int[] published = new int[held.length];
      for (int l = 0; l < held.length; l++) {
        published[l] = round.publish() ^ (int) plan.publishByLane().apply(l);
      }
      for (int l = 0; l < held.length; l++) {
        int from = round.from() ^ (int) plan.fromByLane().apply(l);
        int into = round.into() ^ (int) plan.intoByLane().apply(l);
        for (int e = 0; e < group; e++) {
          got[l][into * group + e] = held[from][published[from] * group + e];
        }
      }
    }
    for (long[] lane : got) {
      for (int r = 0; r < lane.length; r++) {
        lane[r] = lane[plan.copies().get(r)];
      }
    }
  }

  private static void throughShared(
      Scratch scratch, LinearLayout source, LinearLayout target, int warp, long[][] got) {
    long[] memory = new long[1 << source.outBits()];
    Arrays.fill(memory, -1);
    Gf2 inverse = scratch.layout().matrix().inverse();
    for (int w = 0; w < source.count(InDim.WARP); w++) {
      for (int l = 0; l < source.count(InDim.LANE); l++) {
        for (List<Integer> access : scratch.write().accesses()) {
          long start = inverse.apply(source.flat(access.getFirst(), l, w));
          assertThat(start % scratch.write().width()).isZero();
          for (int e = 0; e < access.size(); e++) {
            memory[(int) start + e] = source.flat(access.get(e), l, w);
          }
        }
      }
    }
    List<Integer> copies = ShufflePlan.copies(target);
    for (int l = 0; l < target.count(InDim.LANE); l++) {
      for (List<Integer> access : scratch.read().accesses()) {
        long start = inverse.apply(target.flat(access.getFirst(), l, warp));
        assertThat(start % scratch.read().width()).isZero();
        for (int e = 0; e < access.size(); e++) {
          got[l][access.get(e)] = memory[(int) start + e];
        }
      }
      for (int r = 0; r < got[l].length; r++) {
        got[l][r] = got[l][copies.get(r)];
      }
    }
  }

  @Test
  void anyTwoLayoutsConvert() {
    RandomLayouts random = new RandomLayouts(1);
    for (int i = 0; i < 300; i++) {
      int zeros = i % 3;
      List<Integer> sizes = List.of(1 << 4, 1 << (8 - zeros - 4));
      LinearLayout source = random.next(sizes, 3, 4, 1, zeros);
      LinearLayout target = i % 2 == 0 ? random.next(sizes, 3, 4, 1, zeros) : random.dealtOrNext(sizes, zeros);
      check(source, target, Conversion.plan(source, target, 16, BANKS));
      check(source, target, new Conversion.Shared(Scratch.between(source, target, 32, BANKS)));
    }
  }

  @Test
  void layoutsThatAgreeOnWarpsShuffle() {
    RandomLayouts random = new RandomLayouts(2);
    int shuffled = 0;
    for (int i = 0; i < 300; i++) {
      LinearLayout source = random.next(List.of(32, 16), 3, 5, 1, 0);
      LinearLayout target = random.mixedWithinWarps(source);
      Conversion plan = Conversion.plan(source, target, i % 2 == 0 ? 32 : 16, BANKS);
      check(source, target, plan);
      shuffled += plan instanceof Conversion.Shuffle ? 1 : 0;
    }
    assertThat(shuffled).isGreaterThan(100);
  }

  @Test
  void aBijectionBetweenRegistersAndLanesAlwaysHasAShufflePlanWithOneRoundPerRegister() {
    RandomLayouts random = new RandomLayouts(3);
    for (int i = 0; i < 200; i++) {
      LinearLayout source = random.next(List.of(256), 3, 5, 0, 0);
      LinearLayout target = random.mixedWithinWarps(source);
      Gf2 map = source.matrix().inverse().times(target.matrix());
      Optional<ShufflePlan> plan = ShufflePlan.of(source, target, map, 32);
      assertThat(plan).isPresent();
      assertThat(plan.get().rounds()).hasSize(8);
      check(source, target, new Conversion.Shuffle(plan.get()));
    }
  }

  @Test
  void renamedRegistersAreFree() {
    LinearLayout source = LinearLayout.distributed(
        List.of(8, 32), List.of(List.of(1, 0), List.of(2, 0), List.of(4, 0)),
        List.of(List.of(0, 1), List.of(0, 2), List.of(0, 4), List.of(0, 8), List.of(0, 16)), List.of());
    LinearLayout target = LinearLayout.distributed(
        List.of(8, 32), List.of(List.of(4, 0), List.of(1, 0), List.of(2, 0)),
        source.basis(InDim.LANE), List.of());
    assertThat(Conversion.plan(source, source, 32, BANKS)).isEqualTo(new Conversion.None());
    Conversion plan = Conversion.plan(source, target, 32, BANKS);
    assertThat(plan).isInstanceOf(Conversion.Permute.class);
    check(source, target, plan);
  }

  @Test
  void aTransposeThroughSharedMemoryMeetsNoConflicts() {
    for (int bits : new int[] {16, 32}) {
      int vector = 128 / bits;
      BlockedLayouts.Spread rows =
          BlockedLayouts.coalesced(List.of(64, 64), List.of(1, 0), vector, 32, 4);
      BlockedLayouts.Spread columns =
          BlockedLayouts.coalesced(List.of(64, 64), List.of(0, 1), vector, 32, 4);
      LinearLayout source = BlockedLayouts.blocked(List.of(64, 64), rows);
      LinearLayout target = BlockedLayouts.blocked(List.of(64, 64), columns);
      Scratch scratch = Scratch.between(source, target, bits, BANKS);
      assertThat(scratch.writeCost().isConflictFree()).as("%s", scratch).isTrue();
      assertThat(scratch.readCost().isConflictFree()).as("%s", scratch).isTrue();
      check(source, target, new Conversion.Shared(scratch));
    }
  }

  @Test
  void anAccumulatorReachesCoalescedRowsInWideReadsWithoutConflicts() {
    LinearLayout source = MatrixFragments.tiled(MatrixFragments.mmaSync(16).c(), List.of(128, 128),
        List.of(new MatrixFragments.Warps(0, 2), new MatrixFragments.Warps(1, 2)), List.of(1, 0));
    LinearLayout target = BlockedLayouts.coalescedLayout(List.of(128, 128), List.of(1, 0), 8, 32, 4);
    Scratch scratch = Scratch.between(source, target, 16, BANKS);
    assertThat(scratch.writeCost().isConflictFree()).as("%s %s", scratch.writeCost(), scratch.readCost()).isTrue();
    assertThat(scratch.readCost().isConflictFree()).isTrue();
    check(source, target, Conversion.plan(source, target, 16, BANKS));
  }

  @Test
  void duplicatesOverWarpsAreReadFromAnyHolder() {
    LinearLayout source = LinearLayout.ofFlat(List.of(64), Map.of(
        InDim.REGISTER, List.of(1L), InDim.LANE, List.of(2L, 4L, 8L, 16L, 32L), InDim.WARP, List.of(0L, 0L)));
    LinearLayout target = LinearLayout.ofFlat(List.of(64), Map.of(
        InDim.REGISTER, List.of(), InDim.LANE, List.of(1L, 2L, 4L, 8L, 16L), InDim.WARP, List.of(32L, 0L)));
    check(source, target, Conversion.plan(source, target, 32, BANKS));
    check(target, source, Conversion.plan(target, source, 32, BANKS));
  }
}
