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
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.TargetInfo;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a block asks for before it waits for the launches in front of its own. */
class PrefetchFirstTest {
  private static final String GEMM = """
      kernel @gemm(%a: ptr<bf16> div 16, %b: ptr<bf16> div 16, %c: ptr<bf16> div 16, %M: i64, %K: i64 div 8, %N: i64 div 8) {
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

  private static final TargetInfo EARLY = early(TestTargets.BULK);

  private static TargetInfo early(TargetInfo t) {
    Set<Capability> all = EnumSet.copyOf(t.capabilities());
    all.add(Capability.DEPENDENT_LAUNCH);
    return new TargetInfo(t.name(), t.description(), t.llvm(), t.lanes(), t.threads(), t.registers(), t.shared(), t.processors(),
        t.vectorBytes(), t.asyncCopyBytes(), all, t.matrixInstructions(), t.asyncMatrixInstructions(), t.nativeCasts(), t.approximations(),
        t.rates());
  }

  private static String after(TargetInfo target, String text, String last) {
    Module m = IrParser.parse(text);
    PassDriver.run(m, new PassContext(Optional.of(target), PassOptions.checked().withStopAfter(last), _ -> { }, PassContext.NONE));
    return IrPrinter.print(m);
  }

  @Test
  void theFirstSlotsOfTheFirstTileAreAskedForInFrontOfTheRoles() {
    String text = after(EARLY, GEMM, "prefetch-first");
    String front = text.substring(text.indexOf("barrier_alloc"), text.indexOf("role {"));
    assertThat(front).contains("if %").containsPattern("prefetch_bulk %ta, .%\\d+, %\\d+., _, %a")
        .containsPattern("prefetch_bulk %tb, .%\\d+, %\\d+., _, %b").containsPattern("min %K, ");
    assertThat(text.lines().filter(l -> l.contains("prefetch_bulk"))).hasSize(2);
    assertThat(after(EARLY, GEMM, "insert-barriers")).containsPattern("prefetch_bulk %ta, .*, %a_map, %a");
  }

  @Test
  void onlyArgumentsThatNothingWrites() {
    String text = after(EARLY, GEMM.replace("access = in, name = \"a\"", "access = inout, name = \"a\""), "prefetch-first");
    assertThat(text.lines().filter(l -> l.contains("prefetch_bulk"))).hasSize(1).allMatch(l -> l.contains("%tb"));
  }

  @Test
  void notWhereLaunchesBeginOneAfterTheOther() {
    assertThat(after(TestTargets.BULK, GEMM, "delay-waits")).doesNotContain("prefetch_bulk");
  }

  @ParameterizedTest
  @CsvSource({"1, 8, 8", "130, 72, 200", "64, 0, 8", "0, 8, 8"})
  void theSameBitsAfterEveryPass(int m, int k, int n) {
    byte[] a = random(1, m * k);
    byte[] b = random(2, k * n);
    byte[][] expected = new byte[1][];
    PassDriver.run(IrParser.parse(GEMM), new PassContext(Optional.of(EARLY), PassOptions.checked(), _ -> { }, new PassContext.Observer() {
      @Override
      public void before(Module module) {
        expected[0] = run(module, a, b, m, k, n);
      }

      @Override
      public void after(Step step, Module module) {
        assertThat(run(module, a, b, m, k, n)).as("after " + step.name()).isEqualTo(expected[0]);
      }
    }));
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
