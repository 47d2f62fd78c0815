package dev.tkc.ir.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The algebra against brute force: every input of many layouts. */
class LinearLayoutTest {
  private static final RandomLayouts RANDOM = new RandomLayouts(7);

  private interface Input {
    void at(int register, int lane, int warp);
  }

  private static void everyInput(LinearLayout layout, Input input) {
    for (int r = 0; r < layout.count(InDim.REGISTER); r++) {
      for (int l = 0; l < layout.count(InDim.LANE); l++) {
        for (int w = 0; w < layout.count(InDim.WARP); w++) {
          input.at(r, l, w);
        }
      }
    }
  }

  @Test
  void applyIsLinear() {
    LinearLayout x = RANDOM.next(List.of(8, 16), 3, 3, 1, 0);
    everyInput(x, (r, l, w) -> {
      List<Integer> whole = x.apply(r, l, w);
      List<Integer> register = x.apply(r, 0, 0);
      List<Integer> rest = x.apply(0, l, w);
      assertThat(whole).containsExactly(register.get(0) ^ rest.get(0), register.get(1) ^ rest.get(1));
    });
  }

  @Test
  void inverseUndoesAndPseudoInverseFindsAHolder() {
    for (int i = 0; i < 50; i++) {
      Gf2 one = RANDOM.next(List.of(128), 3, 3, 1, 0).matrix();
      assertThat(one.inverse().times(one)).isEqualTo(Gf2.identity(7));
      LinearLayout duplicated = RANDOM.next(List.of(32), 3, 3, 1, 2);
      assertThat(duplicated.matrix().times(duplicated.pseudoInverse())).isEqualTo(Gf2.identity(5));
      assertThat(duplicated.isSurjective()).isTrue();
      assertThat(duplicated.isInjective()).isFalse();
      assertThat(duplicated.matrix().rank()).isEqualTo(5);
    }
    assertThatThrownBy(() -> Gf2.of(2, 1, 1).inverse()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void kernelAndSolveAgreeWithSearch() {
    for (int i = 0; i < 50; i++) {
      Gf2 m = Gf2.of(4, RANDOM.next(List.of(16), 3, 3, 0, 2).flatBasis(InDim.REGISTER))
          .beside(Gf2.of(4, RANDOM.next(List.of(16), 3, 3, 0, 2).flatBasis(InDim.LANE)));
      Set<Long> zeros = new HashSet<>();
      Set<Long> images = new HashSet<>();
      for (long x = 0; x < 64; x++) {
        images.add(m.apply(x));
        if (m.apply(x) == 0) {
          zeros.add(x);
        }
      }
      Gf2 kernel = Gf2.of(6, m.kernel());
      Set<Long> spanned = new HashSet<>();
      for (long x = 0; x < 1L << kernel.columnCount(); x++) {
        spanned.add(kernel.apply(x));
      }
      assertThat(spanned).isEqualTo(zeros);
      for (long y = 0; y < 16; y++) {
        Optional<Long> x = m.solve(y);
        assertThat(x.isPresent()).isEqualTo(images.contains(y));
        if (x.isPresent()) {
          assertThat(m.apply(x.get())).isEqualTo(y);
        }
      }
    }
  }

  @Test
  void invertAndComposeFindsTheSameCoordinates() {
    for (int i = 0; i < 30; i++) {
      LinearLayout a = RANDOM.next(List.of(8, 8), 3, 3, 1, 1);
      LinearLayout b = RANDOM.next(List.of(8, 8), 2, 4, 1, 1);
      Gf2 map = a.invertAndCompose(b);
      for (long x = 0; x < 128; x++) {
        assertThat(b.matrix().apply(map.apply(x))).isEqualTo(a.matrix().apply(x));
      }
    }
  }

  @Test
  void freeMaskNamesTheBitsWhoseRemovalLosesNothing() {
    for (int i = 0; i < 50; i++) {
      LinearLayout x = RANDOM.next(List.of(4, 8), 3, 3, 1, 2);
      int registers = x.freeMask(InDim.REGISTER);
      int lanes = x.freeMask(InDim.LANE);
      int warps = x.freeMask(InDim.WARP);
      assertThat(Integer.bitCount(registers) + Integer.bitCount(lanes) + Integer.bitCount(warps)).isEqualTo(2);
      Set<Long> held = new HashSet<>();
      everyInput(x, (r, l, w) -> {
        if ((r & registers) == 0 && (l & lanes) == 0 && (w & warps) == 0) {
          assertThat(held.add(x.flat(r, l, w))).isTrue();
        }
      });
      assertThat(held).hasSize(32);
      assertThat(x.withoutFreeRegisters().freeMask(InDim.REGISTER)).isZero();
    }
  }

  @Test
  void shapesOfTheTileFollowTheElements() {
    LinearLayout x = RANDOM.next(List.of(8, 4, 2), 3, 2, 1, 0);
    LinearLayout permuted = x.permute(List.of(2, 0, 1));
    LinearLayout reduced = x.reduced(1);
    LinearLayout reshaped = x.reshape(List.of(2, 32));
    everyInput(x, (r, l, w) -> {
      List<Integer> c = x.apply(r, l, w);
      assertThat(permuted.apply(r, l, w)).containsExactly(c.get(2), c.get(0), c.get(1));
      assertThat(reduced.apply(r, l, w)).containsExactly(c.get(0), 0, c.get(2));
      int flat = (c.get(0) * 4 + c.get(1)) * 2 + c.get(2);
      assertThat(reshaped.apply(r, l, w)).containsExactly(flat / 32, flat % 32);
    });
    assertThat(reduced.size(1)).isEqualTo(1);
    assertThat(permuted.permute(List.of(1, 2, 0))).isEqualTo(x);
  }

  @Test
  void productPutsTheOuterBitsAbove() {
    LinearLayout inner = RANDOM.next(List.of(4, 2), 1, 2, 0, 0);
    LinearLayout outer = RANDOM.next(List.of(2, 4), 1, 1, 1, 0);
    LinearLayout product = inner.product(outer);
    assertThat(product.sizes()).containsExactly(8, 8);
    everyInput(product, (r, l, w) -> {
      List<Integer> low = inner.apply(r & 1, l & 3, 0);
      List<Integer> high = outer.apply(r >> 1, l >> 2, w);
      assertThat(product.apply(r, l, w)).containsExactly(
          low.get(0) + 4 * high.get(0), low.get(1) + 2 * high.get(1));
    });
  }

  @Test
  void composeIsApplicationInTurn() {
    LinearLayout first = RANDOM.next(List.of(64), 2, 3, 1, 0);
    LinearLayout second = SharedLayouts.swizzled(
        List.of(8, 8), List.of(1, 0), new SharedLayouts.Swizzle(2, 1, 4));
    LinearLayout both = first.compose(second);
    everyInput(first, (r, l, w) ->
        assertThat(both.flat(r, l, w)).isEqualTo(second.matrix().apply(first.flat(r, l, w))));
  }

  @Test
  void halvesAndDoublesAlongRegisters() {
    LinearLayout x = RANDOM.next(List.of(4, 8), 2, 2, 1, 0);
    LinearLayout doubled = x.doubled(1);
    assertThat(doubled.sizes()).containsExactly(4, 16);
    assertThat(doubled.half(1)).contains(x);
    everyInput(x, (r, l, w) -> {
      List<Integer> c = x.apply(r, l, w);
      assertThat(doubled.apply(r, l, w)).isEqualTo(c);
      assertThat(doubled.apply(r + 4, l, w)).containsExactly(c.get(0), c.get(1) + 8);
    });
    LinearLayout overLanes = LinearLayout.identity1d(InDim.LANE, 8, 0, 1);
    assertThat(overLanes.half(0)).isEmpty();
  }

  @Test
  void contiguityIsWhatASearchFinds() {
    for (int i = 0; i < 200; i++) {
      LinearLayout x = RANDOM.dealt(List.of(8, 8), 3, 2, 1);
      for (int axis = 0; axis < 2; axis++) {
        assertThat(x.contiguity(axis)).as("%s axis %d", x, axis).isEqualTo(searchedContiguity(x, axis));
      }
    }
  }

  private static int searchedContiguity(LinearLayout x, int axis) {
    int best = 1;
    for (int width = 2; width <= x.registersPerThread(); width *= 2) {
      boolean[] holds = {true};
      int w = width;
      everyInput(x, (r, l, warp) -> {
        List<Integer> here = new ArrayList<>(x.apply(r, l, warp));
        List<Integer> start = new ArrayList<>(x.apply(r / w * w, l, warp));
        holds[0] &= start.get(axis) % w == 0 && here.get(axis) == start.get(axis) + r % w;
        here.set(axis, 0);
        start.set(axis, 0);
        holds[0] &= here.equals(start);
      });
      if (holds[0]) {
        best = width;
      }
    }
    return best;
  }

  @Test
  void coversArePowersOfTwo() {
    assertThat(LinearLayout.cover(List.of(1, 48, 64, 80))).containsExactly(1, 64, 64, 128);
  }

  @Test
  void textReadsBack() throws LayoutText.Malformed {
    for (int i = 0; i < 50; i++) {
      LinearLayout x = RANDOM.next(List.of(4, 1, 8), 3, 3, 1, 2);
      assertThat(LayoutText.parse(x.toString())).isEqualTo(x);
      assertThat(LayoutText.parse(x.toString()).hashCode()).isEqualTo(x.hashCode());
    }
    LinearLayout none = LinearLayout.ofFlat(List.of(), Map.of(InDim.WARP, List.of(0L)));
    assertThat(none.toString()).isEqualTo("#lay<[], warp = [[]]>");
    assertThat(LayoutText.parse(none.toString())).isEqualTo(none);
    LinearLayout small = LinearLayout.distributed(
        List.of(2, 4), List.of(List.of(0, 1)), List.of(List.of(0, 2), List.of(1, 0)), List.of());
    assertThat(small.toString())
        .isEqualTo("#lay<[2, 4], register = [[0, 1]], lane = [[0, 2], [1, 0]], warp = []>");
  }

  @Test
  void malformedTextSaysWhere() {
    assertThatThrownBy(() -> LayoutText.parse("#lay<[3], lane = []>")).hasMessageContaining("power of two");
    assertThatThrownBy(() -> LayoutText.parse("#lay<[4], lane = [[4]]>")).hasMessageContaining("outside");
    assertThatThrownBy(() -> LayoutText.parse("#lay<[4], line = []>")).hasMessageContaining("line");
    assertThatThrownBy(() -> LayoutText.parse("#lay<[4], lane = [], lane = []>")).hasMessageContaining("twice");
    assertThatThrownBy(() -> LayoutText.parse("#lay<[99999999999]>")).hasMessageContaining("number");
    assertThatThrownBy(() -> LayoutText.parse("#lay<[4]")).hasMessageContaining("'>'");
    assertThatThrownBy(() -> LayoutText.parse("#lay<[4]> x")).hasMessageContaining("after");
  }
}
