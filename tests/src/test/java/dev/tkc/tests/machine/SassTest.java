package dev.tkc.tests.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.tests.machine.Sass.Instruction;
import dev.tkc.tests.machine.Sass.Kind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@link Sass} on words whose text was seen with {@code cuobjdump}. */
class SassTest {
  private static final long ARRIVE = 0x00000000000079c5L;
  private static final long HGMMA = 0x01e00008181879f0L;
  private static final long UMOV = 0x0000000700087c82L;
  private static final long R2UR = 0x00000000000572caL;
  private static final long TRYWAIT = 0x03800000ff0075a7L;
  /** {@code @!P1 BRA} to the instruction before. */
  private static final long AGAIN = 0xfffffffc00f89947L;

  private static Sass code(long... words) {
    List<Instruction> code = new ArrayList<>();
    for (int n = 0; n < words.length; n++) {
      code.add(Instruction.of(16L * n, words[n]));
    }
    return new Sass("f", code);
  }

  @Test
  void branchesSayWhereTheyGo() {
    assertThat(Instruction.of(0x90, 0x0000000000341947L).target()).hasValue(0x170);
    assertThat(Instruction.of(0x1d60, 0xfffffff800809947L).target()).hasValue(0x1770);
    assertThat(Instruction.of(0x8b70, 0xffffff9400f4c947L).target()).hasValue(0x2350);
    assertThat(Instruction.of(0x8c50, AGAIN).target()).hasValue(0x8c40);
  }

  @Test
  void operationsAreToldByTheirLowestBits() {
    assertThat(code(ARRIVE, HGMMA, 0x01e00008181879f1L, R2UR, TRYWAIT, AGAIN, UMOV, 0x0000000000007983L).instructions())
        .extracting(Instruction::kind)
        .containsExactly(Kind.WARPGROUP, Kind.PRODUCT, Kind.PRODUCT, Kind.TO_UNIFORM, Kind.TRANSACTION, Kind.BRANCH,
            Kind.OTHER, Kind.LOCAL);
  }

  @Test
  void gapsEndWhereProductsAreWaitedFor() {
    Sass code = code(HGMMA, UMOV, R2UR, HGMMA, HGMMA, ARRIVE, UMOV, HGMMA);
    assertThat(code.gaps()).extracting(List::size).containsExactly(2, 0);
  }

  @Test
  void theInnermostLoopOfProductsIsFound() {
    // Ten instructions, the last of which goes back to the second, around a wait out of the way that is no loop.
    long back = 0xfffffffc00dc9947L;
    Sass code = code(UMOV, UMOV, HGMMA, UMOV, HGMMA, UMOV, R2UR, UMOV, UMOV, UMOV, back, TRYWAIT, AGAIN,
        0xfffffffc00cc7947L);
    assertThat(Instruction.of(16 * 10, back).target()).hasValue(32);
    assertThat(code.loops()).singleElement().satisfies(l -> {
      assertThat(l.count(Kind.PRODUCT)).isEqualTo(2);
      assertThat(l.count(Kind.TO_UNIFORM)).isEqualTo(1);
      assertThat(l.body()).hasSize(9);
    });
  }
}
