package dev.tkc.passes.place;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.TestTargets;
import org.junit.jupiter.api.Test;

/** Of which functions only a rounding is seen. */
class CoarseFunctionsTest {
  private static String passed(String to, String between) {
    Module m = IrParser.parse("""
        kernel @k(%px: ptr<f32>, %py: ptr<TO>) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%px, %py] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<f32>, %py: ptr<TO>) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %n = constant {value = 16 : i64} : i64
          %zero = constant {value = 0.0 : f32} : f32
          %tx = make_tensor %px, [%n], [%c1] {access = in, name = "x"} : tensor<f32, 1>
          %ty = make_tensor %py, [%n], [%c1] {access = out, name = "y"} : tensor<TO, 1>
          %r = range %c0, %c1, %n {size = 16} : range<16>
          %x = load %tx, [%r], _ : f32[16]
          %s = sigmoid %x : f32[16]
          BETWEEN
          %y = cast %t {to = TO, kind = saturate} : TO[16]
          store %ty, [%r], %y
          yield []
        }
        """.replace("TO", to).replace("BETWEEN", between));
    for (Func f : m.funcs()) {
      CoarseFunctions.run(f, PassContext.of(TestTargets.BULK, PassOptions.checked()));
    }
    return IrPrinter.print(m);
  }

  private static final String MASK = """
      %zeros = splat %zero {shape = [16]} : f32[16]
      %valid = valid %r : bool[16]
      %t = select %valid, %s, %zeros : f32[16]
      """;

  @Test
  void whatIsRoundedAtOnceOrBehindAMaskIsCoarse() {
    assertThat(passed("bf16", MASK)).contains("%s = sigmoid %x #{coarse}");
    assertThat(passed("f16", "%t = reshape %s {shape = [16]} : f32[16]")).contains("%s = sigmoid %x #{coarse}");
  }

  @Test
  void othersAreNot() {
    assertThat(passed("f64", MASK)).doesNotContain("coarse");
    assertThat(passed("bf16", "%t = mul %s, %x : f32[16]")).doesNotContain("coarse");
    assertThat(passed("bf16", MASK + "%sum = reduce %s {kind = sum, axes = [0]} : f32[1]")).doesNotContain("coarse");
  }
}
