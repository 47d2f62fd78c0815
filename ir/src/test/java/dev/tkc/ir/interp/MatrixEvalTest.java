package dev.tkc.ir.interp;

import static dev.tkc.ir.interp.Runs.result;
import static dev.tkc.ir.interp.Runs.values;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MatrixEvalTest {
  private static String dot(String from, String acc, String precision) {
    return """
        %x = iota {size = 12} : i32[12]
        %f = cast %x {to = FROM, kind = saturate} : FROM[12]
        %a = reshape %f {shape = [2, 2, 3]} : FROM[2, 2, 3]
        %b = reshape %f {shape = [2, 3, 2]} : FROM[2, 3, 2]
        %o = constant {value = ONE : ACC} : ACC
        %c = splat %o {shape = [2, 2, 2]} : ACC[2, 2, 2]
        %d = dot %a, %b, %c {precision = PREC} : ACC[2, 2, 2]
        %r = reshape %d {shape = [8]} : ACC[8]""".replace("FROM", from).replace("ACC", acc).replace("PREC", precision)
        .replace("ONE", acc.startsWith("f") ? "1.0" : "1");
  }

  private static final double[] EXPECTED = {11, 14, 29, 41, 173, 194, 245, 275};

  @Test
  void batchesOfEveryTypeAccumulate() {
    for (String from : new String[] {"f16", "bf16", "e4m3"}) {
      assertThat(values(result("f32", 8, dot(from, "f32", "default")))).as(from).containsExactly(EXPECTED);
    }
    assertThat(values(result("f64", 8, dot("f64", "f64", "default")))).containsExactly(EXPECTED);
    assertThat(values(result("i32", 8, dot("i8", "i32", "default")))).containsExactly(EXPECTED);
    assertThat(values(result("i32", 8, dot("u8", "i32", "default")))).containsExactly(EXPECTED);
    for (String precision : new String[] {"ieee", "tf32", "tf32x3"}) {
      assertThat(values(result("f32", 8, dot("f32", "f32", precision)))).containsExactly(EXPECTED);
    }
  }

  @Test
  void tf32KeepsTenBitsOfMantissa() {
    assertThat(MatrixEval.tf32(1 + 0x1p-10f)).isEqualTo(1 + 0x1p-10f);
    assertThat(MatrixEval.tf32(1 + 0x1p-11f)).as("ties go away from zero").isEqualTo(1 + 0x1p-10f);
    assertThat(MatrixEval.tf32(-1 - 0x1p-11f)).isEqualTo(-1 - 0x1p-10f);
    assertThat(MatrixEval.tf32(1 + 0x1p-12f)).isEqualTo(1);
    assertThat(MatrixEval.tf32(Float.NaN)).isNaN();
    assertThat(MatrixEval.tf32(Float.NEGATIVE_INFINITY)).isEqualTo(Float.NEGATIVE_INFINITY);
  }
}
