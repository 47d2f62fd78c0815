package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.Computation;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import dev.tkc.passes.cost.RepackingCost;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Which operands are copied into rows that copy engines can address, what then becomes of them, and that the results
 * are the same.
 */
class RepackOperandsTest {
  private static final String GEMM = Programs.gemm(64, 64);

  private static Module after(String text, String last) {
    return Programs.after(last, text, TestTargets.BULK);
  }

  private static String repacked(String text) {
    return IrPrinter.print(after(text, "repack-operands"));
  }

  @Test
  void aTensorIsCopiedIntoRowsOfWholeVectorsInAPhaseOfItsOwn() {
    assertThat(repacked(GEMM)).containsPattern("""
        %3 = and %1, %2 : i64
          %4 = temp .%M, %3. .element = bf16, name = "a". #.repack. : tensor<bf16, 2>
        """.strip()).containsPattern("make_tensor %\\d+, .%M, %K., .%3, %\\d+. .access = in, name = \"a\".")
        .contains("label = \"repack_a\"").contains("label = \"repack_b\"").contains("#{repacked = \"a, b\"}");
  }

  @Test
  void bothOperandsBecomeBulkCopies() {
    Module m = after(GEMM, "choose-async");
    assertThat(m.funcs().stream().map(Func::name)).containsExactly("gemm", "gemm_repack_a", "gemm_repack_b", "gemm_2");
    String product = IrPrinter.print(m);
    product = product.substring(product.indexOf("device @gemm_2"));
    assertThat(product).doesNotContain("synchronous = ").contains("instruction = ");
    assertThat(product.lines().filter(l -> l.contains("= load "))).hasSize(2).allMatch(l -> l.contains("#{bulk}"));
  }

  @ParameterizedTest
  @CsvSource({"%K: i64, b", "%N: i64, a"})
  void onlyTheTensorThatStandsInTheWay(String odd, String other) {
    String text = GEMM.replace(odd, odd + " div 8");
    assertThat(repacked(text)).contains("#{repacked = \"" + other + "\"}");
  }

  @Test
  void rowsThatEnginesCanAddressStay() {
    String text = GEMM.replace("%K: i64", "%K: i64 div 8").replace("%N: i64", "%N: i64 div 8");
    assertThat(repacked(text)).isEqualTo(IrPrinter.print(after(text, "replace-products")));
  }

  @Test
  void whereSomethingElseStandsInTheWayNothingIsCopied() {
    for (String text : List.of(GEMM.replace("access = in, name = \"b\"", "access = inout, name = \"b\""),
        Programs.gemm(4, 64))) {
      assertThat(repacked(text)).isEqualTo(IrPrinter.print(after(text, "replace-products")));
    }
  }

  @Test
  void aScheduleTurnsItOff() {
    Module m = IrParser.parse(GEMM);
    m.kernel().annotations().put("repack", false);
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withStopAfter("repack-operands")));
    assertThat(IrPrinter.print(m)).doesNotContain("temp [").doesNotContain("repacked");
  }

  private static Computation computation(String text, int m, int k, int n) {
    return new Computation(text, List.of(Computation.normal(Element.BF16, 1, m * k),
        Computation.normal(Element.BF16, 2, k * n), new byte[2 * m * n]), List.of(m, k, n));
  }

  @ParameterizedTest
  @CsvSource({"65, 33, 135", "3, 40, 300"})
  void whatThreadsStoreOfAWideTileLeavesInSlices(int m, int k, int n) {
    Computation wide = computation(Programs.gemm(64, 128), m, k, n);
    Module module = after(wide.text(), "stage-stores");
    String text = IrPrinter.print(module);
    text = text.substring(text.indexOf("device @gemm_2"));
    assertThat(text.lines().filter(l -> l.contains("slice "))).hasSize(2).allMatch(l -> l.endsWith("f32[64, 64]"));
    assertThat(text.lines().filter(l -> l.contains("store %"))).hasSize(2);
    assertThat(wide.run(module)).usingRecursiveComparison().isEqualTo(wide.run(IrParser.parse(wide.text())));
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "65, 33, 71", "64, 40, 129", "130, 0, 9", "0, 5, 3", "4, 7, 0"})
  void theSameBitsAfterEveryPass(int m, int k, int n) {
    assertThat(computation(GEMM, m, k, n).sameAfterEveryPass(Optional.of(TestTargets.BULK)))
        .contains("repack-operands", "partition-roles", "insert-barriers");
  }

  @ParameterizedTest
  @CsvSource({
    "4095, 4103, 4097, true", "8205, 5921, 2949, true", "2001, 2001, 2001, true",
    "16, 4103, 4097, false", "4095, 4103, 16, false", "129, 131, 127, false", "0, 5, 7, false"
  })
  void itPaysWhereManyTilesShareAnOperand(long m, long k, long n, boolean expected) {
    assertThat(RepackingCost.pays(after(GEMM, "choose-async"), Map.of("M", m, "K", k, "N", n), TestTargets.BULK))
        .isEqualTo(expected);
  }
}
