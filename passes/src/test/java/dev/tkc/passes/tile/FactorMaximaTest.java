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
    return passed("%f = constant {value = " + factor + " : f32} : f32", kind, "");
  }

  /** {@code mask} may stand between the product and its maximum. */
  private static String passed(String factor, String kind, String mask) {
    Module m = IrParser.parse("""
        kernel @k(%px: ptr<f32>, %py: ptr<f32>) {
          %0 = constant {value = 1 : i64} : i64
          %scale = constant {value = 3.0 : f32} : f32
          launch %0, [%px, %py, %scale] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<f32>, %py: ptr<f32>, %scale: f32) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %n = constant {value = 16 : i64} : i64
          %tx = make_tensor %px, [%n, %n], [%n, %c1] {access = in, name = "x"} : tensor<f32, 2>
          %ty = make_tensor %py, [%n, %c1], [%c1, %c1] {access = out, name = "y"} : tensor<f32, 2>
          %r = range %c0, %c1, %n {size = 16} : range<16>
          %one = range %c0, %c1, %c1 {size = 1} : range<1>
          %x = load %tx, [%r, %r], _ : f32[16, 16]
          FACTOR
          %c = splat %f {shape = [16, 16]} : f32[16, 16]
          %s = mul %x, %c : f32[16, 16]
          MASK
          %m = reduce REDUCED {kind = KIND, axes = [1]} : f32[16, 1]
          store %ty, [%r, %one], %m
          yield []
        }
        """.replace("FACTOR", factor).replace("KIND", kind).replace("MASK", mask)
        .replace("REDUCED", mask.isEmpty() ? "%s" : "%t"));
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

  private static final String ASSERTED = """
      %z = constant {value = 0.0 : f32} : f32
      %above = gt %scale, %z : bool
      assert %above {message = "the scale is positive"}
      %by = constant {value = BY : f32} : f32
      %f = mul %scale, %by : f32
      """;

  @Test
  void aFactorIsPositiveIfThatIsAsserted() {
    assertThat(passed(ASSERTED.replace("BY", "1.5"), "max", "")).contains("reduce %x");
    assertThat(passed(ASSERTED.replace("BY", "0.5"), "max", "")).as("it may become 0").contains("reduce %s");
    assertThat(passed(ASSERTED.replace("BY", "1.5").replaceAll("assert.*", ""), "max", "")).contains("reduce %s");
  }

  private static String mask(String otherwise) {
    return """
        %low = constant {value = OTHERWISE : f32} : f32
        %lows = splat %low {shape = [16, 16]} : f32[16, 16]
        %mask = gt %x, %c : bool[16, 16]
        %t = select %mask, %s, %lows : f32[16, 16]
        """.replace("OTHERWISE", otherwise);
  }

  @Test
  void aMaskMovesInFrontOfTheProduct() {
    String factor = "%f = constant {value = 1.5 : f32} : f32";
    assertThat(passed(factor, "max", mask("-inf")))
        .containsPattern("(%\\S+) = select %mask, %x, %lows : f32\\[16, 16\\]\n"
        + "(?s).*%t = mul \\1, .*reduce \\1 \\{kind = max");
    assertThat(passed(factor, "min", mask("inf"))).contains("select %mask, %x, %lows");
    assertThat(passed(factor, "max", mask("0.0"))).as("a number is not passed over")
        .contains("select %mask, %s, %lows");
    assertThat(passed(factor, "min", mask("-inf"))).contains("select %mask, %s, %lows");
  }
}
