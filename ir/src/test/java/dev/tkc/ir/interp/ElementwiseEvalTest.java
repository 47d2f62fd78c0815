package dev.tkc.ir.interp;

import static dev.tkc.ir.interp.Runs.result;
import static dev.tkc.ir.interp.Runs.storing;
import static dev.tkc.ir.interp.Runs.values;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.diag.Code;
import org.junit.jupiter.api.Test;

class ElementwiseEvalTest {
  private static double[] unary(String kind, String literal) {
    return values(result("f32", 2,
        "%s = constant {value = LIT : f32} : f32\n%t = splat %s {shape = [2]} : f32[2]\n%r = KIND %t : f32[2]"
        .replace("LIT", literal).replace("KIND", kind)));
  }

  private static double binary(String element, String kind, String a, String b) {
    return values(result(element, 2, """
        %a = constant {value = AAA : EL} : EL
        %b = constant {value = BBB : EL} : EL
        %s = splat %a {shape = [2]} : EL[2]
        %t = splat %b {shape = [2]} : EL[2]
        %r = KIND %s, %t : EL[2]""".replace("AAA", a).replace("BBB", b).replace("EL", element).replace("KIND", kind)))[1];
  }

  private static double cast(String from, String literal, String to, String kind) {
    return values(result(to, 2, """
        %a = constant {value = LIT : FROM} : FROM
        %s = splat %a {shape = [2]} : FROM[2]
        %r = cast %s {to = TO, kind = KIND} : TO[2]""".replace("LIT", literal).replace("FROM", from).replace("TO", to)
        .replace("KIND", kind)))[0];
  }

  @Test
  void functions() {
    assertThat(unary("neg", "1.5")).containsExactly(-1.5, -1.5);
    assertThat(unary("floor", "-1.5")[0]).isEqualTo(-2);
    assertThat(unary("ceil", "-1.5")[0]).isEqualTo(-1);
    assertThat(unary("round", "2.5")[0]).isEqualTo(2);
    assertThat(unary("sqrt", "2.0")[0]).isEqualTo((float) Math.sqrt(2));
    assertThat(unary("rsqrt", "4.0")[0]).isEqualTo(0.5);
    assertThat(unary("rcp", "3.0")[0]).isEqualTo(1f / 3);
    assertThat(unary("exp", "1.0")[0]).isEqualTo((float) Math.E);
    assertThat(unary("exp2", "-3.0")[0]).isEqualTo(0.125);
    assertThat(unary("log2", "8.0")[0]).isEqualTo(3);
    assertThat(unary("erf", "inf")[0]).isEqualTo(1);
    assertThat(unary("sigmoid", "0.0")[0]).isEqualTo(0.5);
    assertThat(unary("tanh", "nan")[0]).isNaN();
  }

  @Test
  void arithmetic() {
    assertThat(binary("f32", "add", "1.0", "2.0")).isEqualTo(3);
    assertThat(binary("f32", "rem", "-7.0", "3.0")).isEqualTo(2);
    assertThat(binary("f32", "max", "nan", "3.0")).isNaN();
    assertThat(binary("f32", "pow", "2.0", "0.5")).isEqualTo((float) Math.sqrt(2));
    assertThat(binary("f64", "div", "1.0", "3.0")).isEqualTo(1.0 / 3);
    assertThat(binary("bf16", "max", "1.0", "3.0")).isEqualTo(3);
    assertThat(binary("i32", "add", "2147483647", "1")).isEqualTo(Integer.MIN_VALUE);
    assertThat(binary("i32", "div", "-7", "2")).isEqualTo(-4);
    assertThat(binary("i32", "rem", "-7", "2")).isEqualTo(1);
    assertThat(binary("u8", "sub", "1", "2")).isEqualTo(255);
    assertThat(binary("u8", "shl", "255", "8")).isZero();
    assertThat(binary("i32", "shr", "-5", "32")).isEqualTo(-1);
    assertThat(binary("i64", "pow", "3", "4")).isEqualTo(81);
    assertThat(binary("u64", "max", "18446744073709551615", "1")).isEqualTo(0x1p64);
    assertThat(binary("bool", "xor", "true", "false")).isEqualTo(1);
  }

  @Test
  void conversions() {
    assertThat(cast("f32", "300.7", "u8", "saturate")).isEqualTo(255);
    assertThat(cast("f32", "nan", "i32", "saturate")).isZero();
    assertThat(cast("i32", "300", "u8", "saturate")).isEqualTo(44);
    assertThat(cast("f32", "1.0e9", "e4m3", "saturate")).isEqualTo(448);
    assertThat(cast("f32", "1.0e9", "e4m3", "wrap")).isNaN();
    assertThat(cast("f32", "1.0e9", "e5m2", "wrap")).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(cast("f32", "nan", "bool", "saturate")).isEqualTo(1);
    assertThat(cast("f64", "1.00390625", "bf16", "saturate")).isEqualTo(1.0);
    assertThat(cast("bool", "true", "f16", "saturate")).isEqualTo(1);
    assertThat(cast("i32", "-3", "i4", "saturate")).isEqualTo(-3);
    assertThat(cast("f32", "5.1", "e2m1", "saturate")).isEqualTo(6);
  }

  @Test
  void bits() {
    assertThat(values(result("i32", 2, """
        %a = constant {value = -0.0 : f32} : f32
        %s = splat %a {shape = [2]} : f32[2]
        %r = bitcast %s {to = i32} : i32[2]"""))[0]).isEqualTo(Integer.MIN_VALUE);
    assertThat(values(result("bf16", 2, """
        %a = constant {value = 16256 : u16} : u16
        %s = splat %a {shape = [2]} : u16[2]
        %r = bitcast %s {to = bf16} : bf16[2]"""))[0]).isEqualTo(1.0);
  }

  @Test
  void selectCompareAndFma() {
    assertThat(values(result("i32", 4, """
        %x = iota {size = 4} : i32[4]
        %c = constant {value = 2 : i32} : i32
        %s = splat %c {shape = [4]} : i32[4]
        %m = lt %x, %s : bool[4]
        %r = select %m, %x, %s : i32[4]"""))).containsExactly(0, 1, 2, 2);
    assertThat(values(result("f32", 2, """
        %a = constant {value = 16777217.0 : f64} : f64
        %b = constant {value = 1.0 : f64} : f64
        %d = fma %a, %a, %b : f64
        %s = splat %d {shape = [2]} : f64[2]
        %r = cast %s {to = f32, kind = saturate} : f32[2]"""))[0]).isEqualTo((float) (16777217.0 * 16777217.0 + 1));
  }

  @Test
  void randomWords() {
    assertThat(values(result("u32", 4, """
        %x = iota {size = 4} : i32[4]
        %o = cast %x {to = i64, kind = saturate} : i64[4]
        %s = constant {value = 0 : u64} : u64
        %r = philox %s, %o : u32[4]"""))).containsExactly(0x6627e8d5L, 0xe169c58dL, 0xbc57ac4cL, 0x9b00dbd8L);
  }

  @Test
  void whatHasNoResultIsAnError() {
    String two =
        "%x = iota {size = 4} : i32[4]\n%c = constant {value = 6 : i32} : i32\n%s = splat %c {shape = [4]} : i32[4]\n";
    Buffer y = Runs.ints(0, 0, 0, 0);
    Runs.fails(Code.DIVISION_BY_ZERO, "6 / 0 at element 0", storing("i32", 4, two + "%r = div %s, %x : i32[4]"), y);
    Runs.fails(Code.DIVISION_BY_ZERO, "6 % 0", storing("i32", 4, two + "%r = rem %s, %x : i32[4]"), y);
    Runs.fails(Code.NEGATIVE_POWER, "6 ** -1",
        storing("i32", 4, two + "%m = sub %x, %s : i32[4]\n%k = constant {value = 5 : i32} : i32\n"
        + "%q = splat %k {shape = [4]} : i32[4]\n%e = add %m, %q : i32[4]\n%r = pow %s, %e : i32[4]"), y);
    Runs.fails(Code.INT_FIT, "3000000000", storing("i32", 4,
        "%c = constant {value = 3000000000 : i64} : i64\n%f = cast %c {to = i32, kind = fit} : i32\n%r = splat %f "
            + "{shape = [4]} : i32[4]"), y);
  }
}
