package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Step;
import dev.tkc.passes.TestTargets;
import dev.tkc.passes.cost.RepackingCost;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Which operands are copied into rows that copy engines can address, what then becomes of them, and that the results
 * are the same.
 */
class RepackOperandsTest {
  private static final String GEMM = """
      kernel @gemm(%a: ptr<bf16> div 16, %b: ptr<bf16> div 16, %c: ptr<bf16> div 16, %M: i64, %K: i64, %N: i64) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %ta = make_tensor %a, [%M, %K], [%K, %c1] {access = in, name = "a"} : tensor<bf16, 2>
        %tb = make_tensor %b, [%K, %N], [%N, %c1] {access = in, name = "b"} : tensor<bf16, 2>
        %tc = make_tensor %c, [%M, %N], [%N, %c1] {access = out, name = "c"} : tensor<bf16, 2>
        parallel %c0, %M {step = 64} (%i: i64) {
          parallel %c0, %N {step = 64} (%j: i64) {
            %zero = constant {value = 0.0 : f32} : f32
            %zeros = splat %zero {shape = [64, 64]} : f32[64, 64]
            %li = sub %M, %i : i64
            %ri = range %i, %c1, %li {size = 64} : range<64>
            %lj = sub %N, %j : i64
            %rj = range %j, %c1, %lj {size = 64} : range<64>
            %acc = for %c0, %K, [%zeros] {step = 32} (%k: i64, %s: f32[64, 64]) {
              %lk = sub %K, %k : i64
              %rk = range %k, %c1, %lk {size = 32} : range<32>
              %x = load %ta, [%ri, %rk], _ : bf16[64, 32]
              %y = load %tb, [%rk, %rj], _ : bf16[32, 64]
              %d = dot %x, %y, %s {precision = default} : f32[64, 64]
              yield [%d]
            } : f32[64, 64]
            %r = cast %acc {to = bf16, kind = saturate} : bf16[64, 64]
            store %tc, [%ri, %rj], %r
            yield []
          }
          yield []
        }
        yield []
      }
      """;

  private static PassContext context(PassOptions options, PassContext.Observer observer) {
    return new PassContext(Optional.of(TestTargets.BULK), options, _ -> { }, observer);
  }

  private static Module after(String text, String last) {
    Module m = IrParser.parse(text);
    PassDriver.run(m, context(PassOptions.checked().withStopAfter(last), PassContext.NONE));
    return m;
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
        GEMM.replace("step = 64} (%i", "step = 4} (%i")
            .replace("li {size = 64} : range<64>", "li {size = 4} : range<4>")
            .replace("[64, 64]", "[4, 64]").replace("bf16[64, 32]", "bf16[4, 32]"))) {
      assertThat(repacked(text)).isEqualTo(IrPrinter.print(after(text, "replace-products")));
    }
  }

  @Test
  void aScheduleTurnsItOff() {
    Module m = IrParser.parse(GEMM);
    m.kernel().annotations().put("repack", false);
    PassDriver.run(m, context(PassOptions.checked().withStopAfter("repack-operands"), PassContext.NONE));
    assertThat(IrPrinter.print(m)).doesNotContain("temp [").doesNotContain("repacked");
  }

  @ParameterizedTest
  @CsvSource({"65, 33, 135", "3, 40, 300"})
  void whatThreadsStoreOfAWideTileLeavesInSlices(int m, int k, int n) {
    String wide = GEMM.replace("[64, 64]", "[64, 128]").replace("[32, 64]", "[32, 128]")
        .replace("step = 64} (%j", "step = 128} (%j")
        .replace("%lj {size = 64} : range<64>", "%lj {size = 128} : range<128>");
    Module module = after(wide, "stage-stores");
    String text = IrPrinter.print(module);
    text = text.substring(text.indexOf("device @gemm_2"));
    assertThat(text.lines().filter(l -> l.contains("slice "))).hasSize(2).allMatch(l -> l.endsWith("f32[64, 64]"));
    assertThat(text.lines().filter(l -> l.contains("store %"))).hasSize(2);
    byte[] a = random(1, m * k);
    byte[] b = random(2, k * n);
    assertThat(run(module, a, b, m, k, n)).isEqualTo(run(IrParser.parse(wide), a, b, m, k, n));
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "65, 33, 71", "64, 40, 129", "130, 0, 9", "0, 5, 3", "4, 7, 0"})
  void theSameBitsAfterEveryPass(int m, int k, int n) {
    byte[] a = random(1, m * k);
    byte[] b = random(2, k * n);
    byte[][] expected = new byte[1][];
    List<String> stages = new ArrayList<>();
    PassDriver.run(IrParser.parse(GEMM), context(PassOptions.checked(), new PassContext.Observer() {
      @Override
      public void before(Module module) {
        expected[0] = run(module, a, b, m, k, n);
      }

      @Override
      public void after(Step step, Module module) {
        stages.add(step.name());
        assertThat(run(module, a, b, m, k, n)).as("after " + step.name()).isEqualTo(expected[0]);
      }
    }));
    assertThat(stages).contains("repack-operands", "partition-roles", "insert-barriers");
  }

  private static byte[] run(Module module, byte[] a, byte[] b, int m, int k, int n) {
    byte[] c = new byte[2 * m * n];
    List<Datum> arguments = List.of(buffer(a), buffer(b), buffer(c), Tile.integer(m), Tile.integer(k), Tile.integer(n));
    new Interpreter(Interpreter.Options.defaults().withCheck(true)).run(module, arguments);
    return c;
  }

  private static Buffer buffer(byte[] bytes) {
    return Buffer.of(Element.BF16, MemorySegment.ofArray(bytes));
  }

  private static byte[] random(int seed, int count) {
    Random random = new Random(seed);
    byte[] bytes = new byte[2 * count];
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToIntBits(random.nextFloat() * 2 - 1) >>> 16;
      bytes[2 * i] = (byte) bits;
      bytes[2 * i + 1] = (byte) (bits >> 8);
    }
    return bytes;
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
