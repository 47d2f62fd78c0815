package dev.tkc.passes.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.TestTargets;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which phases become one, and that what comes out is the same. */
class MergePhasesTest {
  /**
   * Three blocks leave a part of each 8 × 8 tile of {@code y}, and a second phase adds them and what is in {@code b}.
   */
  private static final String PROGRAM = """
      kernel @k(%x: ptr<f32>, %b: ptr<f32>, %y: ptr<f32>, %M: i64, %N: i64) {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %c3 = constant {value = 3 : i64} : i64
        %mn = mul %M, %N : i64
        %tx = make_tensor %x, [%c3, %M, %N], [%mn, %N, %c1] {access = in, name = "x"} : tensor<f32, 3>
        %tb = make_tensor %b, [%N], [%c1] {access = in, name = "b"} : tensor<f32, 1>
        %ty = make_tensor %y, [%M, %N], [%N, %c1] {access = out, name = "y"} : tensor<f32, 2>
        %part = temp [%c3, %M, %N] {element = f32, name = "part"} : tensor<f32, 3>
        parallel %c0, %c3 {step = 1} (%s: i64) {
          parallel %c0, %M {step = 8} (%i: i64) {
            parallel %c0, %N {step = 8} (%j: i64) {
              %li = sub %M, %i : i64
              %ri = range %i, %c1, %li {size = 8} : range<8>
              %lj = sub %N, %j : i64
              %rj = range %j, %c1, %lj {size = 8} : range<8>
              %v = load %tx, [%s, %ri, %rj], _ : f32[8, 8]
              %e = exp %v : f32[8, 8]
              store %part, [%s, %ri, %rj], %e
              yield []
            }
            yield []
          }
          yield []
        }
        parallel %c0, %M {step = 8} (%p: i64) {
          parallel %c0, %N {step = 8} (%q: i64) {
            %lp = sub %M, %p : i64
            %rp = range %p, %c1, %lp {size = 8} : range<8>
            %lq = sub %N, %q : i64
            %rq = range %q, %c1, %lq {size = 8} : range<8>
            %zero = constant {value = 0.0 : f32} : f32
            %zeros = splat %zero {shape = [8, 8]} : f32[8, 8]
            %sum = for %c0, %c3, [%zeros] {step = 1} (%t: i64, %so: f32[8, 8]) {
              %w = load %part, [%t, %rp, %rq], _ : f32[8, 8]
              %more = add %so, %w : f32[8, 8]
              yield [%more]
            } : f32[8, 8]
            %bias = load %tb, [%rq], _ : f32[8]
            %row = reshape %bias {shape = [1, 8]} : f32[1, 8]
            %rows = broadcast %row {shape = [8, 8]} : f32[8, 8]
            %z = add %sum, %rows : f32[8, 8]
            store %ty, [%rp, %rq], %z
            yield []
          }
          yield []
        }
        yield []
      }
      """;

  private static Module merged(String text) {
    Module m = IrParser.parse(text);
    assertThat(Verifier.verify(m)).isEmpty();
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly("merge-phases")));
    return m;
  }

  private static String printed(String text) {
    return IrPrinter.print(merged(text));
  }

  private static Buffer floats(float... values) {
    return Buffer.of(Element.F32, MemorySegment.ofArray(values));
  }

  private static float[] run(Module m, int rows, int columns) {
    float[] x = new float[3 * rows * columns];
    float[] b = new float[columns];
    for (int n = 0; n < x.length; n++) {
      x[n] = (n * 37 % 101) / 50f - 1;
    }
    for (int n = 0; n < b.length; n++) {
      b[n] = n / 7f;
    }
    float[] y = new float[rows * columns];
    new Interpreter(Interpreter.Options.defaults().withCheck(true)).run(m,
        List.of(floats(x), floats(b), floats(y), Tile.integer(rows), Tile.integer(columns)));
    return y;
  }

  @Test
  void whoeverLeavesTheLastPartGoesOn() {
    String text = printed(PROGRAM);
    assertThat(text).containsOnlyOnce("%counters = counter ").containsOnlyOnce("= last_arrival %counters, ")
        .containsOnlyOnce("if %last ()").contains("#{unroll = 3}");
    assertThat(text.lines().filter(l -> l.contains("parallel ")).count()).isEqualTo(3);
    Module outlined = merged(PROGRAM);
    PassDriver.run(outlined, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly("outline-phases")));
    assertThat(outlined.funcs()).hasSize(2);
  }

  @Test
  void theSumIsTheSame() {
    for (int[] size : new int[][] {{8, 8}, {1, 1}, {17, 30}, {40, 8}}) {
      assertThat(run(merged(PROGRAM), size[0], size[1]))
          .containsExactly(run(IrParser.parse(PROGRAM), size[0], size[1]));
    }
  }

  @Test
  void theLastBlocksOwnPartStaysInRegistersWhereTilesAreFull() {
    String full = PROGRAM.replace("%M: i64, %N: i64", "%M: i64 div 8, %N: i64 div 8");
    assertThat(printed(full)).containsPattern("(?s)= eq %t, %s : bool.*= if %\\d+ \\(\\) \\{\\s+yield \\[%e]")
        .contains("#{unroll = 3}");
    assertThat(printed(PROGRAM)).doesNotContain("yield [%e]");
    for (int[] size : new int[][] {{8, 8}, {16, 32}}) {
      assertThat(run(merged(full), size[0], size[1])).containsExactly(run(IrParser.parse(full), size[0], size[1]));
    }
  }

  private static void stays(String before, String after) {
    assertThat(PROGRAM).contains(before);
    assertThat(printed(PROGRAM.replace(before, after))).doesNotContain("last_arrival");
  }

  @Test
  void whatAnotherTileLeftIsNotThereYet() {
    stays("load %part, [%t, %rp, %rq]", "load %part, [%t, %rq, %rp]");
    stays("%rq = range %q, %c1, %lq", "%rq = range %lq, %c1, %lq");
    stays("%rp = range %p, %c1, %lp", "%rp = range %p, %c0, %lp");
  }

  @Test
  void tilesOfOtherSizesAreNotTheSame() {
    stays("parallel %c0, %N {step = 8} (%q", "parallel %c0, %N {step = 4} (%q");
    stays("parallel %c0, %M {step = 8} (%p", "parallel %c1, %M {step = 8} (%p");
  }

  @Test
  void whatTheFirstPhaseReadsIsNotWrittenBeforeItsEnd() {
    stays("store %ty, [%rp, %rq], %z", "store %tx, [%c0, %rp, %rq], %z");
    stays("store %ty, [%rp, %rq], %z", "store %part, [%c0, %rp, %rq], %z\n        store %ty, [%rp, %rq], %z");
  }

  @Test
  void howManyPartsThereAreIsKnown() {
    stays("parallel %c0, %c3 {step = 1}", "parallel %c0, %M {step = 1}");
  }
}
