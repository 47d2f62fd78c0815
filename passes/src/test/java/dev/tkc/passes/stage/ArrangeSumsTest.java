package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which scratch memory lies as products hold what is added to it, and that nobody notices. */
class ArrangeSumsTest {
  /** Products of a matrix's tiles with themselves, added to scratch memory in one phase and read in another. */
  private static final String SUMS = """
      kernel @sums(%a: ptr<bf16> div 16, %c: ptr<f32> div 16, %M: i64 div 64) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %c64 = constant {value = 64 : i64} : i64
        %ta = make_tensor %a, [%M, %c64], [%c64, %c1] {access = in, name = "a"} : tensor<bf16, 2>
        %tc = make_tensor %c, [%M, %c64], [%c64, %c1] {access = out, name = "c"} : tensor<f32, 2>
        %t = temp [%M, %c64] {element = f32, name = "t"} : tensor<f32, 2>
        parallel %c0, %M {step = 64} (%i: i64) {
          %li = sub %M, %i : i64
          %ri = range %i, %c1, %li {size = 64} : range<64>
          %rk = range %c0, %c1, %c64 {size = 64} : range<64>
          %zero = constant {value = 0.0 : f32} : f32
          %zeros = splat %zero {shape = [64, 64]} : f32[64, 64]
          store %t, [%ri, %rk], %zeros
          yield []
        }
        parallel %c0, %M {step = 64} (%i2: i64) {
          %li2 = sub %M, %i2 : i64
          %ri2 = range %i2, %c1, %li2 {size = 64} : range<64>
          %rk2 = range %c0, %c1, %c64 {size = 64} : range<64>
          %zero2 = constant {value = 0.0 : f32} : f32
          %zeros2 = splat %zero2 {shape = [64, 64]} : f32[64, 64]
          %x = load %ta, [%ri2, %rk2], _ : bf16[64, 64]
          %y = permute %x {order = [1, 0]} : bf16[64, 64]
          %d = dot %x, %y, %zeros2 {precision = default} : f32[64, 64]
          atomic %t, [%ri2, %rk2], %d {kind = add}
          yield []
        }
        parallel %c0, %M {step = 64} (%i3: i64) {
          %li3 = sub %M, %i3 : i64
          %ri3 = range %i3, %c1, %li3 {size = 64} : range<64>
          %rk3 = range %c0, %c1, %c64 {size = 64} : range<64>
          %s = load %t, [%ri3, %rk3], _ : f32[64, 64]
          store %tc, [%ri3, %rk3], %s
          yield []
        }
        yield []
      }
      """;

  private static final String TURNED = SUMS.replace("atomic %t, [%ri2, %rk2], %d", """
      %e = permute %d {order = [1, 0]} : f32[64, 64]
          atomic %t, [%ri2, %rk2], %e""");

  /** Two blocks leave a part of each tile's sum; who is last adds them. */
  static final String PARTS = """
      kernel @parts(%a: ptr<bf16> div 16, %c: ptr<f32> div 16, %M: i64 div 64) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %c2 = constant {value = 2 : i64} : i64
        %c64 = constant {value = 64 : i64} : i64
        %m2 = mul %M, %c64 : i64
        %ta = make_tensor %a, [%c2, %M, %c64], [%m2, %c64, %c1] {access = in, name = "a"} : tensor<bf16, 3>
        %tc = make_tensor %c, [%M, %c64], [%c64, %c1] {access = out, name = "c"} : tensor<f32, 2>
        %t = temp [%c2, %M, %c64] {element = f32, name = "t"} : tensor<f32, 3>
        parallel %c0, %c2 {step = 1} (%s: i64) {
          parallel %c0, %M {step = 64} (%i: i64) {
            %li = sub %M, %i : i64
            %ri = range %i, %c1, %li {size = 64} : range<64>
            %rk = range %c0, %c1, %c64 {size = 64} : range<64>
            %zero = constant {value = 0.0 : f32} : f32
            %zeros = splat %zero {shape = [64, 64]} : f32[64, 64]
            %d = for %c0, %c64, [%zeros] {step = 32} (%k: i64, %sum: f32[64, 64]) {
              %c32 = constant {value = 32 : i64} : i64
              %rx = range %k, %c1, %c32 {size = 32} : range<32>
              %x = load %ta, [%s, %ri, %rx], _ : bf16[64, 32]
              %y = permute %x {order = [1, 0]} : bf16[32, 64]
              %more = dot %x, %y, %sum {precision = default} : f32[64, 64]
              yield [%more]
            } : f32[64, 64]
            store %t, [%s, %ri, %rk], %d
            yield []
          }
          yield []
        }
        parallel %c0, %M {step = 64} (%i2: i64) {
          %li2 = sub %M, %i2 : i64
          %ri2 = range %i2, %c1, %li2 {size = 64} : range<64>
          %rk2 = range %c0, %c1, %c64 {size = 64} : range<64>
          %zero2 = constant {value = 0.0 : f32} : f32
          %zeros2 = splat %zero2 {shape = [64, 64]} : f32[64, 64]
          %total = for %c0, %c2, [%zeros2] {step = 1} (%s2: i64, %so: f32[64, 64]) {
            %part = load %t, [%s2, %ri2, %rk2], _ : f32[64, 64]
            %with = add %so, %part : f32[64, 64]
            yield [%with]
          } : f32[64, 64]
          store %tc, [%ri2, %rk2], %total
          yield []
        }
        yield []
      }
      """;

  @Test
  void partsLieAsTheirBlocksHoldThemWhereOneOfThoseAddsThem() {
    assertThat(arranged(PARTS)).contains("last_arrival").contains("reshape %d {shape = [4, 2, 8, 8, 4, 2]}")
        .containsPattern("store %t, .%s, %\\d+, %\\d+, %\\d+., %\\d+\n")
        .containsPattern("load %t, .%\\w+, %\\d+, %\\d+, %\\d+., _ : f32.4096.").contains("yield [%d]");
  }

  @Test
  void partsThatAnotherPhaseReadsLieByRows() {
    Module m = IrParser.parse(PARTS);
    PassDriver.run(m, PassContext.of(TestTargets.BULK,
        PassOptions.checked().withDisabled(Set.of("merge-phases")).withStopAfter("arrange-sums")));
    assertThat(IrPrinter.print(m)).doesNotContain("reshape");
  }

  @Test
  void partsAddUpToTheSameBits() {
    Computation parts = new Computation(PARTS,
        List.of(Computation.normal(Element.BF16, 1, 2 * 128 * 64), new byte[4 * 128 * 64]), List.of(128));
    assertThat(parts.sameAfterEveryPass(Optional.of(TestTargets.BULK))).contains("merge-phases", "arrange-sums");
  }

  private static String arranged(String text) {
    return IrPrinter.print(Programs.after("arrange-sums", text, TestTargets.BULK));
  }

  @Test
  void aTileIsAStretchInTheOrderOfFragments() {
    assertThat(arranged(SUMS)).containsPattern("temp \\[%\\w+, %\\w+, %\\w+] .element = f32, name = \"t\"")
        .contains("reshape %d {shape = [4, 2, 8, 8, 4, 2]} : f32[4, 2, 8, 8, 4, 2]")
        .contains("{order = [0, 3, 2, 4, 1, 5]} : f32[4, 8, 8, 4, 2, 2]")
        .containsPattern("atomic %t, .%\\d+, %\\d+, %\\d+., %\\d+ .kind = add")
        .containsPattern("load %t, .%\\d+, %\\d+, %\\d+., _ : f32.4096.");
  }

  @Test
  void aTransposedProductLiesAsBeforeItWasTransposed() {
    // The transposition is undone by another, and both are gone once the program has been cleaned.
    String text = IrPrinter.print(Programs.after("clean-device", TURNED, TestTargets.BULK));
    assertThat(text).contains("reshape %d {shape = [4, 2, 8, 8, 4, 2]}").contains(": f32[4096]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "turned"})
  void theSameBitsAfterEveryPass(String which) {
    Computation sums = new Computation(which.equals("plain") ? SUMS : TURNED,
        List.of(Computation.normal(Element.BF16, 1, 128 * 64), new byte[4 * 128 * 64]), List.of(128));
    assertThat(sums.sameAfterEveryPass(Optional.of(TestTargets.BULK))).contains("arrange-sums", "insert-barriers");
  }

  private static void stays(String text) {
    assertThat(arranged(text)).doesNotContain("reshape").doesNotContain("f32[4096]");
  }

  @Test
  void tilesThatMayBePartialStay() {
    stays(SUMS.replace("%M: i64 div 64", "%M: i64 div 32"));
  }

  @Test
  void memoryThatIsReadInOtherTilesStays() {
    int last = SUMS.lastIndexOf("parallel");
    stays(SUMS.substring(0, last) + SUMS.substring(last).replace("step = 64", "step = 32")
        .replace("{size = 64} : range<64>\n"
        + "    %rk3", "{size = 32} : range<32>\n    %rk3").replace("f32[64, 64]", "f32[32, 64]"));
  }

  @Test
  void whatIsNoProductIsAddedByRows() {
    stays(SUMS.replace("atomic %t, [%ri2, %rk2], %d", "atomic %t, [%ri2, %rk2], %zeros2"));
  }

  @Test
  void argumentsStay() {
    stays(SUMS.replace("%t = temp [%M, %c64] {element = f32, name = \"t\"} : tensor<f32, 2>",
        "%t = make_tensor %c, [%M, %c64], [%c64, %c1] {access = inout, name = \"t\"} : tensor<f32, 2>"));
  }
}
