package dev.tkc.ir.num;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.type.Element;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The shortest text that reads back as the same value. */
class DecimalsTest {
  @ParameterizedTest
  @CsvSource({
    "F32, 1e-5, 1e-5", "F32, 0.1, 0.1", "F64, 0.1, 0.1", "F16, 0.3333, 0.3333", "BF16, 3.14, 3.14", "F32, 3, 3.0",
    "F32, -0.00012, -0.00012", "F32, 16777216, 16777216.0", "F64, 1e10, 1e10", "F32, -1.5e30, -1.5e30",
    "F64, 1e-300, 1e-300", "F32, 1e-45, 1e-45", "E4M3, 448, 450.0", "F64, 0.30000000000000004, 0.30000000000000004"
  })
  void isShort(Element element, double x, String text) {
    double held = element == Element.F64 ? x : Conversions.toFloat(element, x, false);
    assertThat(Decimals.text(element, held)).isEqualTo(text);
  }

  @Test
  void namesWhatHasNoDigits() {
    assertThat(Decimals.text(Element.F32, Double.NaN)).isEqualTo("nan");
    assertThat(Decimals.text(Element.F32, Double.NEGATIVE_INFINITY)).isEqualTo("-inf");
    assertThat(Decimals.text(Element.F32, -0.0)).isEqualTo("-0.0");
  }

  @Test
  void readsBack() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 20_000; i++) {
      float f = Float.intBitsToFloat(random.nextInt());
      double d = Double.longBitsToDouble(random.nextLong());
      if (Float.isFinite(f) && Double.isFinite(d)) {
        assertThat(Float.parseFloat(Decimals.text(Element.F32, f))).isEqualTo(f);
        assertThat(Double.parseDouble(Decimals.text(Element.F64, d))).isEqualTo(d);
      }
    }
  }
}
