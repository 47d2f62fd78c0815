package dev.tkc.passes.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.TestTargets;
import org.junit.jupiter.api.Test;

/** Which conversions of positions may be done once for all that a thread has, and what they go through. */
class FloatPositionsTest {
  /** Rounds with rows from %i and columns from %j, both multiples of {@code step}; %d is what they make. */
  private static String passed(int step, String distance) {
    Module m = IrParser.parse("""
        kernel @k(%py: ptr<f32>, %n: i64) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%py, %n] {callee = "f"}
          yield []
        }

        device @f(%py: ptr<f32>, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %size = constant {value = 16 : i64} : i64
          %y = make_tensor %py, [%n, %n], [%n, %c1] {access = out, name = "y"} : tensor<f32, 2>
          for %c0, %n, [] {step = STEP} (%i: i64) {
            for %c0, %n, [] {step = STEP} (%j: i64) {
              %ri = range %i, %c1, %size {size = 16} : range<16>
              %rj = range %j, %c1, %size {size = 16} : range<16>
              %li = lanes %ri : i32[16]
              %lj = lanes %rj : i32[16]
              %ci = reshape %li {shape = [16, 1]} : i32[16, 1]
              %cj = reshape %lj {shape = [1, 16]} : i32[1, 16]
              %rows = broadcast %ci {shape = [16, 16]} : i32[16, 16]
              %cols = broadcast %cj {shape = [16, 16]} : i32[16, 16]
              %most = constant {value = 99 : i32} : i32
              %all = splat %most {shape = [16, 16]} : i32[16, 16]
              DISTANCE
              %f = cast %d {to = f32, kind = saturate} : f32[16, 16]
              store %y, [%ri, %rj], %f
              yield []
            }
            yield []
          }
          yield []
        }
        """.replace("STEP", Integer.toString(step)).replace("DISTANCE", distance));
    assertThat(Verifier.verify(m)).isEmpty();
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly("float-positions")));
    return IrPrinter.print(m);
  }

  @Test
  void differencesOfPositionsAreStepped() {
    assertThat(passed(128, "%d = sub %rows, %cols : i32[16, 16]"))
        .contains("%f = cast %d {to = f32, kind = saturate} #{stepped = 0}");
    assertThat(passed(128, "%e = sub %rows, %cols : i32[16, 16]\n%d = add %e, %all : i32[16, 16]"))
        .contains("%f = cast %d {to = f32, kind = saturate} #{stepped = 99}");
  }

  @Test
  void whatIsSharedHasMoreBitsThanAFloatWhereStepsAreShort() {
    assertThat(passed(64, "%d = sub %rows, %cols : i32[16, 16]"))
        .contains("%f = cast %d {to = f32, kind = saturate} #{stepped = -1}");
  }

  @Test
  void sumsMayWrap() {
    assertThat(passed(128, "%d = add %rows, %cols : i32[16, 16]")).doesNotContain("stepped");
    assertThat(passed(128, "%d = mul %rows, %all : i32[16, 16]")).doesNotContain("stepped");
  }

  @Test
  void conversionsGoThroughMagnitudesAndBounds() {
    assertThat(passed(128, "%e = sub %rows, %cols : i32[16, 16]\n%d = abs %e : i32[16, 16]"))
        .containsPattern("%0 = cast %e \\{to = f32, kind = saturate\\} #\\{stepped = 0\\}.*\\n *%f = abs %0 : f32");
    assertThat(passed(128, "%e = sub %rows, %cols : i32[16, 16]\n%d = min %all, %e : i32[16, 16]"))
        .contains("#{stepped = 0}").containsPattern("%f = min %\\d+, %\\d+ : f32");
    assertThat(passed(128, "%e = sub %rows, %cols : i32[16, 16]\n%d = neg %e : i32[16, 16]"))
        .contains("#{stepped = 0}").containsPattern("%f = sub %\\d+, %\\d+ : f32");
    assertThat(passed(128, "%e = mul %rows, %all : i32[16, 16]\n%d = abs %e : i32[16, 16]"))
        .contains("%f = cast %d");
  }
}
