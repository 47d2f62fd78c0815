package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which products of few rows are computed the other way about, and that their results are the same. */
class TurnProductsTest {
  private static final String GEMM = """
      kernel @gemm(%a: ptr<bf16> div 16, %b: ptr<bf16> div 16, %c: ptr<bf16> div 16, %M: i64, %K: i64 div 8, %N: i64 div 8) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %ta = make_tensor %a, [%M, %K], [%K, %c1] {access = in, name = "a"} : tensor<bf16, 2>
        %tb = make_tensor %b, [%K, %N], [%N, %c1] {access = in, name = "b"} : tensor<bf16, 2>
        %tc = make_tensor %c, [%M, %N], [%N, %c1] {access = out, name = "c"} : tensor<bf16, 2>
        parallel %c0, %M {step = 16} (%i: i64) {
          parallel %c0, %N {step = 64} (%j: i64) {
            %zero = constant {value = 0.0 : f32} : f32
            %zeros = splat %zero {shape = [16, 64]} : f32[16, 64]
            %li = sub %M, %i : i64
            %ri = range %i, %c1, %li {size = 16} : range<16>
            %lj = sub %N, %j : i64
            %rj = range %j, %c1, %lj {size = 64} : range<64>
            %acc = for %c0, %K, [%zeros] {step = 32} (%k: i64, %s: f32[16, 64]) {
              %lk = sub %K, %k : i64
              %rk = range %k, %c1, %lk {size = 32} : range<32>
              %x = load %ta, [%ri, %rk], _ : bf16[16, 32]
              %y = load %tb, [%rk, %rj], _ : bf16[32, 64]
              %d = dot %x, %y, %s {precision = default} : f32[16, 64]
              yield [%d]
            } : f32[16, 64]
            %r = cast %acc {to = bf16, kind = saturate} : bf16[16, 64]
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
    String text = GEMM.replace("step = 16} (%i", "step = 64} (%i")
        .replace("li {size = 16} : range<16>", "li {size = 64} : range<64>")
        .replace("[16, 64]", "[64, 64]").replace("bf16[16, 32]", "bf16[64, 32]");
    assertThat(turned(text)).doesNotContain("turned").doesNotContain("permute");
  }

  @Test
  void whatWouldNotBeAsynchronousTurnedStays() {
    assertThat(turned(GEMM.replace("[%K, %N], [%N, %c1]", "[%K, %N], [%c1, %K]"))).doesNotContain("permute");
    assertThat(turned(GEMM.replace("[%M, %K], [%K, %c1]", "[%M, %K], [%c1, %M]"))).doesNotContain("permute");
  }

  @ParameterizedTest
  @CsvSource({"1, 8, 8", "16, 64, 64", "33, 40, 72", "16, 0, 8", "0, 8, 8", "4, 8, 0"})
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
    assertThat(stages).contains("turn-products", "partition-roles", "insert-barriers");
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
}
