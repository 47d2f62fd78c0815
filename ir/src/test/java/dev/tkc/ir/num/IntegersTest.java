package dev.tkc.ir.num;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.type.Element;
import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntegersTest {
  @Test
  void divisionRoundsTowardMinusInfinity() {
    assertThat(Integers.floorDiv(Element.I32, -7, 2)).isEqualTo(-4);
    assertThat(Integers.floorMod(Element.I32, -7, 2)).isEqualTo(1);
    assertThat(Integers.floorMod(Element.I32, 7, -2)).isEqualTo(-1);
    assertThat(Integers.floorDiv(Element.U64, -1L, 2)).isEqualTo(Long.MAX_VALUE);
    assertThat(Integers.floorDiv(Element.I8, -128, -1)).isEqualTo(-128);
    assertThat(Integers.floorDiv(Element.I64, Long.MIN_VALUE, -1)).isEqualTo(Long.MIN_VALUE);
  }

  @Test
  void shiftsByTheWidthOrMore() {
    assertThat(Integers.shl(Element.I32, 1, 31)).isEqualTo(Integer.MIN_VALUE);
    assertThat(Integers.shl(Element.I32, 1, 32)).isZero();
    assertThat(Integers.shl(Element.U8, 255, 4)).isEqualTo(0xf0);
    assertThat(Integers.shr(Element.I8, -128, 3)).isEqualTo(-16);
    assertThat(Integers.shr(Element.I8, -128, 8)).isEqualTo(-1);
    assertThat(Integers.shr(Element.I64, -5, 64)).isEqualTo(-1);
    assertThat(Integers.shr(Element.I64, 5, 1L << 40)).isZero();
    assertThat(Integers.shr(Element.U64, -1L, 63)).isEqualTo(1);
    assertThat(Integers.shr(Element.U32, 0xffffffffL, 32)).isZero();
  }

  @Test
  void powerWraps() {
    Random random = new Random(1);
    for (int i = 0; i < 500; i++) {
      long x = random.nextInt(2000) - 1000;
      int n = random.nextInt(40);
      BigInteger exact = BigInteger.valueOf(x).pow(n);
      assertThat(Integers.pow(Element.I32, x, n)).isEqualTo(exact.intValue());
      assertThat(Integers.pow(Element.I64, x, n)).isEqualTo(exact.longValue());
    }
    assertThat(Integers.pow(Element.I32, 0, 0)).isEqualTo(1);
  }

  @Test
  void orderOfU64() {
    assertThat(Integers.max(Element.U64, -1L, 1)).isEqualTo(-1L);
    assertThat(Integers.min(Element.U64, -1L, 1)).isEqualTo(1);
    assertThat(Integers.max(Element.I64, -1L, 1)).isEqualTo(1);
  }

  @Test
  void log2() {
    assertThat(Integers.log2Ceil(1)).isZero();
    assertThat(Integers.log2Ceil(2)).isEqualTo(1);
    assertThat(Integers.log2Ceil(3)).isEqualTo(2);
    assertThat(Integers.log2Ceil(1L << 40)).isEqualTo(40);
    assertThat(Integers.log2Ceil((1L << 40) + 1)).isEqualTo(41);
  }
}
