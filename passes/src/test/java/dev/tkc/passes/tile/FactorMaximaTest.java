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

/** Which factors are taken out of maxima. */
class FactorMaximaTest {
  private static String passed(String factor, String kind) {
    Module m = IrParser.parse("""
        kernel @k(%px: ptr<f32>, %py: ptr<f32>) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%px, %py] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<f32>, %py: ptr<f32>) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %n = constant {value = 16 : i64} : i64
          %tx = make_tensor %px, [%n, %n], [%n, %c1] {access = in, name = "x"} : tensor<f32, 2>
          %ty = make_tensor %py, [%n, %c1], [%c1, %c1] {access = out, name = "y"} : tensor<f32, 2>
          %r = range %c0, %c1, %n {size = 16} : range<16>
          %one = range %c0, %c1, %c1 {size = 1} : range<1>
          %x = load %tx, [%r, %r], _ : f32[16, 16]
          %f = constant {value = FACTOR : f32} : f32
          %c = splat %f {shape = [16, 16]} : f32[16, 16]
          %s = mul %x, %c : f32[16, 16]
          %m = reduce %s {kind = KIND, axes = [1]} : f32[16, 1]
          store %ty, [%r, %one], %m
          yield []
        }
        """.replace("FACTOR", factor).replace("KIND", kind));
    assertThat(Verifier.verify(m)).isEmpty();
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly("factor-maxima")));
    return IrPrinter.print(m);
  }

  @Test
  void positiveFactorsComeOut() {
    for (String kind : new String[] {"max", "min"}) {
      assertThat(passed("1.5", kind)).contains("reduce %x {kind = " + kind + ", axes = [1]} : f32[16, 1]")
          .containsPattern("%m = mul %\\S+, %\\S+ : f32\\[16, 1\\]");
    }
  }

  @Test
  void othersStay() {
    assertThat(passed("-1.5", "max")).contains("reduce %s");
    assertThat(passed("0.0", "max")).contains("reduce %s");
    assertThat(passed("inf", "max")).contains("reduce %s");
    assertThat(passed("1.5", "sum")).contains("reduce %s");
  }
}
