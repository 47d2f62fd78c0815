package dev.tkc.ir.interp;

import static dev.tkc.ir.interp.Runs.result;
import static dev.tkc.ir.interp.Runs.values;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReductionEvalTest {
  private static final String MATRIX = """
      %x = iota {size = 6} : i32[6]
      %m = reshape %x {shape = [2, 3]} : i32[2, 3]
      """;

  private static double[] ints(int n, String body) {
    return values(result("i32", n, body));
  }

  @Test
  void alongEitherAxisAndBoth() {
    assertThat(ints(3, MATRIX + "%s = sum_of %m\n%r = reshape %s {shape = [3]} : i32[3]"
        .replace("sum_of %m", "reduce %m {kind = sum, axes = [0]} : i32[1, 3]"))).containsExactly(3, 5, 7);
    assertThat(
        ints(2, MATRIX + "%s = reduce %m {kind = max, axes = [1]} : i32[2, 1]\n%r = reshape %s {shape = [2]} : i32[2]"))
        .containsExactly(2, 5);
    assertThat(ints(1,
        MATRIX + "%s = reduce %m {kind = prod, axes = [0, 1]} : i32[1, 1]\n%r = reshape %s {shape = [1]} : i32[1]"))
        .containsExactly(0);
  }

  /** A kernel that sums n floats. */
  private static float sum(float... x) {
    Module m = Runs.parse("""
        kernel @k(%x: ptr<f32>, %y: ptr<f32>) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %n = constant {value = N : i64} : i64
          %tx = make_tensor %x, [%n], [%c1] {access = in, name = "x"} : tensor<f32, 1>
          %ty = make_tensor %y, [%c1], [%c1] {access = out, name = "y"} : tensor<f32, 1>
          parallel %c0, %c1 {step = 1} (%i: i64) {
            %all = range %c0, %c1, %n {size = N} : range<N>
            %t = load %tx, [%all], _ : f32[N]
            %s = reduce %t {kind = sum, axes = [0]} : f32[1]
            %one = range %c0, %c1, %c1 {size = 1} : range<1>
            store %ty, [%one], %s
            yield []
          }
          yield []
        }
        """.replace("N", Integer.toString(x.length)));
    float[] y = new float[1];
    Runs.checking().run(m, List.of(Runs.floats(x), Runs.floats(y)));
    return y[0];
  }

  @Test
  void sumsAreABalancedTreeByIndex() {
    float tiny = 0x1p-24f;
    assertThat(sum(1, tiny, tiny, tiny)).isEqualTo((1 + tiny) + (tiny + tiny));
    assertThat(sum(1, tiny, tiny, tiny)).isNotEqualTo(((1 + tiny) + tiny) + tiny);
    assertThat(sum(1, tiny, tiny, tiny, tiny)).isEqualTo(((1 + tiny) + (tiny + tiny)) + tiny);
    assertThat(sum(0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f))
        .isEqualTo(((0.1f + 0.2f) + (0.3f + 0.4f)) + ((0.5f + 0.6f) + 0.7f));
  }

  @Test
  void argumentsOfExtremes() {
    assertThat(ints(2, """
        %x = iota {size = 6} : i32[6]
        %c = constant {value = 3 : i32} : i32
        %t = splat %c {shape = [6]} : i32[6]
        %q = rem %x, %t : i32[6]
        %m = reshape %q {shape = [2, 3]} : i32[2, 3]
        %a = arg_reduce %m {kind = argmax, axis = 1} : i32[2, 1]
        %r = reshape %a {shape = [2]} : i32[2]""")).containsExactly(2, 2);
    assertThat(ints(1, """
        %x = iota {size = 4} : i32[4]
        %f = cast %x {to = f32, kind = saturate} : f32[4]
        %z = sub %f, %f : f32[4]
        %d = div %z, %f : f32[4]
        %r = arg_reduce %d {kind = argmin, axis = 0} : i32[1]""")).as("first NaN").containsExactly(0);
    assertThat(ints(1, """
        %c = constant {value = 3 : i32} : i32
        %t = splat %c {shape = [6]} : i32[6]
        %r = arg_reduce %t {kind = argmax, axis = 0} : i32[1]""")).as("lowest on ties").containsExactly(0);
  }

  @Test
  void scans() {
    String x =
        "%x = iota {size = 4} : i32[4]\n%c = constant {value = 1 : i32} : i32\n%o = splat %c {shape = [4]} : i32[4]\n"
        + "%t = add %x, %o : i32[4]\n";
    assertThat(ints(4, x + "%r = scan %t {kind = sum, axis = 0} : i32[4]")).containsExactly(1, 3, 6, 10);
    assertThat(ints(4, x + "%r = scan %t {kind = sum, axis = 0, exclusive} : i32[4]")).containsExactly(0, 1, 3, 6);
    assertThat(ints(4, x + "%r = scan %t {kind = prod, axis = 0, reverse} : i32[4]")).containsExactly(24, 24, 12, 4);
    assertThat(ints(4, x + "%r = scan %t {kind = max, axis = 0, reverse, exclusive} : i32[4]"))
        .containsExactly(4, 4, 4, Integer.MIN_VALUE);
  }

  private static final String LINEAR = " (%a: f32, %b: f32, %c: f32, %d: f32) {\n"
      + "%p = mul %a, %c : f32\n%q = mul %c, %b : f32\n%s = add %q, %d : f32\nyield [%p, %s]\n} : f32[4], f32[4]\n";
  private static final String PAIR =
      "%x = iota {size = 4} : i32[4]\n%f = cast %x {to = f32, kind = saturate} : f32[4]\n"
      + "%two = constant {value = 2.0 : f32} : f32\n%g = splat %two {shape = [4]} : f32[4]\n";

  @Test
  void scanByAFunctionOfPairs() {
    // s = 2 s + x, by the associative function on (factor, term).
    assertThat(values(result("f32", 4, PAIR + "%u, %r = scan_with [%g, %f] {axis = 0}" + LINEAR)))
        .containsExactly(0, 1, 4, 11);
    assertThat(values(result("f32", 4, PAIR + "%u, %r = scan_with [%g, %f] {axis = 0, reverse}" + LINEAR)))
        .containsExactly(34, 17, 8, 3);
  }

  @Test
  void reduceByAFunctionWithABranch() {
    assertThat(ints(1, """
        %x = iota {size = 5} : i32[5]
        %r = reduce_with [%x] {axis = 0} (%a: i32, %b: i32) {
          %c = gt %a, %b : bool
          %m = if %c () {
            yield [%a]
          } () {
            yield [%b]
          } : i32
          yield [%m]
        } : i32[1]""")).containsExactly(4);
    assertThat(values(
        result("f32", 1, PAIR + "%u, %r = reduce_with [%g, %f] {axis = 0}" + LINEAR.replace("f32[4]", "f32[1]"))))
        .containsExactly(11);
  }
}
