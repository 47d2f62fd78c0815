package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.Computation;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which products of few rows are computed the other way about, and that their results are the same. */
class TurnProductsTest {
  private static final String GEMM = gemm(16);

  /** Rows of operands can be addressed by copy engines. */
  private static String gemm(int rows) {
    return Programs.gemm(rows, 64).replace("%K: i64, %N: i64", "%K: i64 div 8, %N: i64 div 8");
  }

  private static Module after(String text, String last) {
    return Programs.after(last, text, TestTargets.BULK);
  }

  private static String turned(String text) {
    return IrPrinter.print(after(text, "turn-products"));
  }

  @Test
  void theLoopCarriesTheTurnedSumAndItIsTurnedBackOnce() {
    assertThat(turned(GEMM)).containsPattern("for %\\w+, %K, .%\\d+. .step = 32. .%k: i64, %s: f32.64, 16.. .")
        .containsPattern("dot %\\d+, %\\d+, %s .precision = default. : f32.64, 16.")
        .contains("#{turned}")
        .satisfies(t -> assertThat(t.lines().filter(l -> l.contains("permute"))).hasSize(3));
  }

  @Test
  void theProductIsAsynchronous() {
    Module m = after(GEMM, "choose-async");
    assertThat(IrPrinter.print(m)).contains("instruction = \"wgmma.bf16\"").doesNotContain("synchronous = ");
  }

  @Test
  void productsOfEnoughRowsStay() {
    assertThat(turned(gemm(64))).doesNotContain("turned").doesNotContain("permute");
  }

  @Test
  void whatWouldNotBeAsynchronousTurnedStays() {
    assertThat(turned(GEMM.replace("[%K, %N], [%N, %c1]", "[%K, %N], [%c1, %K]"))).doesNotContain("permute");
    assertThat(turned(GEMM.replace("[%M, %K], [%K, %c1]", "[%M, %K], [%c1, %M]"))).doesNotContain("permute");
  }

  @ParameterizedTest
  @CsvSource({"1, 8, 8", "16, 64, 64", "33, 40, 72", "16, 0, 8", "0, 8, 8", "4, 8, 0"})
  void theSameBitsAfterEveryPass(int m, int k, int n) {
    Computation gemm = new Computation(GEMM, List.of(Computation.normal(Element.BF16, 1, m * k),
        Computation.normal(Element.BF16, 2, k * n), new byte[2 * m * n]), List.of(m, k, n));
    assertThat(gemm.sameAfterEveryPass(Optional.of(TestTargets.BULK)))
        .contains("turn-products", "partition-roles", "insert-barriers");
  }
}
