package dev.tkc.ir.num;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The known answers that the algorithm's authors publish with it, and the mapping of seed and offset. */
class PhiloxTest {
  @Test
  void knownAnswers() {
    assertThat(Philox.block(new int[] {0, 0, 0, 0}, 0, 0))
        .containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    assertThat(Philox.block(new int[] {-1, -1, -1, -1}, -1, -1))
        .containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    assertThat(Philox.block(new int[] {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0))
        .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
  }

  @Test
  void wordsAreTakenFourToACounter() {
    int[] block = Philox.block(new int[] {5, 2, 0, 0}, 0x89abcdef, 0x01234567);
    long offset = 4 * ((2L << 32) + 5);
    for (int i = 0; i < 4; i++) {
      assertThat(Philox.word(0x0123456789abcdefL, offset + i)).isEqualTo(block[i]);
    }
  }

  @Test
  void uniformIsInItsRange() {
    assertThat(Philox.uniform(-1)).isEqualTo(1 - 0x1p-24f);
    assertThat(Philox.uniform(0xff)).isZero();
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < 100_000; i++) {
      sum += Philox.uniform(42, i);
      double n = Philox.normal(42, i);
      squares += n * n;
    }
    assertThat(sum / 100_000).isBetween(0.495, 0.505);
    assertThat(squares / 100_000).isBetween(0.98, 1.02);
  }
}
