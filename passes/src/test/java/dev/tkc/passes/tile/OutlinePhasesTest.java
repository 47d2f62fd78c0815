package dev.tkc.passes.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.passes.TestTarget;
import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class OutlinePhasesTest {
  @Test
  void oneDomain() {
    String text = TestTarget.text(TestTarget.kernel("    store %y, [%r], %t\n"), "outline-phases");
    assertThat(text).contains("launch").contains("device @f_0(").contains("block_id");
    assertThat(text.substring(0, text.indexOf("device"))).doesNotContain("parallel").doesNotContain("load");
  }

  /** The sum over %j of what is loaded twice for (b, h) and once for h alone, or the other way about. */
  private static String shared(String third) {
    return """
        kernel @sums(%x: ptr<f32>, %y: ptr<f32>, %B: i64, %H: i64, %S: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %tx = make_tensor %x, [%B, %H, %S, %S], [%c1, %c1, %S, %c1] {access = in, name = "x"} : tensor<f32, 4>
          %ty = make_tensor %y, [%B, %H, %S, %S], [%c1, %c1, %S, %c1] {access = out, name = "y"} : tensor<f32, 4>
          parallel %c0, %B {step = 1} (%b: i64) {
            parallel %c0, %H {step = 1} (%h: i64) {
              %zero = constant {value = 0.0 : f32} : f32
              %zeros = splat %zero {shape = [4, 8]} : f32[4, 8]
              %r = range %c0, %c1, %S {size = 4} : range<4>
              %acc = for %c0, %S, [%zeros] {step = 8} (%j: i64, %s: f32[4, 8]) {
                %q = range %j, %c1, %S {size = 8} : range<8>
                %u = load %tx, [%b, %h, %r, %q], _ : f32[4, 8]
                %v = load %tx, THIRD : f32[4, 8]
                %t = add %s, %u : f32[4, 8]
                %w = add %t, %v : f32[4, 8]
                yield [%w]
              } : f32[4, 8]
              %q0 = range %c0, %c1, %S {size = 8} : range<8>
              store %ty, [%b, %h, %r, %q0], %acc
              yield []
            }
            yield []
          }
          yield []
        }
        """.replace("THIRD", third);
  }

  private static String outlined(String text) {
    Module m = IrParser.parse(text);
    PassDriver.run(m, PassContext.portable(PassOptions.checked().withStopAfter("clean-device")));
    return IrPrinter.print(m);
  }

  @Test
  void whatFewLoadsDependOnVariesFaster() {
    assertThat(outlined(shared("[%c0, %h, %r, %q], _"))).contains("%b = rem %", "%h = div %");
    assertThat(outlined(shared("[%b, %c0, %r, %q], _"))).contains("%h = rem %", "%b = div %");
    assertThat(outlined(shared("[%b, %h, %r, %q], _"))).contains("%h = rem %", "%b = div %");
  }

  /** Sums of products, whose loop ends or begins where the block's tile is. */
  private static String triangle(String loop) {
    return """
        kernel @sums(%x: ptr<bf16>, %y: ptr<f32>, %B: i64, %N: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c8 = constant {value = 8 : i64} : i64
          %tx = make_tensor %x, [%B, %N, %c8], [%N, %c8, %c1] {access = in, name = "x"} : tensor<bf16, 3>
          %ty = make_tensor %y, [%B, %N, %c8], [%N, %c8, %c1] {access = out, name = "y"} : tensor<f32, 3>
          parallel %c0, %B {step = 1} (%b: i64) {
            parallel %c0, %N {step = 8} (%j: i64) {
              %zero = constant {value = 0.0 : f32} : f32
              %zeros = splat %zero {shape = [8, 8]} : f32[8, 8]
              %q = range %c0, %c1, %c8 {size = 8} : range<8>
              %acc = for LOOP, [%zeros] {step = 8} (%i: i64, %s: f32[8, 8]) {
                %r = range %i, %c1, %N {size = 8} : range<8>
                %u = load %tx, [%b, %r, %q], _ : bf16[8, 8]
                %d = dot %u, %u, %s {precision = default} : f32[8, 8]
                yield [%d]
              } : f32[8, 8]
              %m = range %j, %c1, %N {size = 8} : range<8>
              store %ty, [%b, %m, %q], %acc
              yield []
            }
            yield []
          }
          yield []
        }
        """.replace("LOOP", loop);
  }

  /** What the number of the block's tile along the last domain is computed by. */
  private static String order(String loop) {
    String text = outlined(triangle(loop));
    Matcher tile = Pattern.compile("%j = mul (%\\d+), ").matcher(text);
    assertThat(tile.find()).isTrue();
    Matcher definition = Pattern.compile(tile.group(1) + " = (\\w+) ").matcher(text);
    assertThat(definition.find(text.indexOf("device @"))).isTrue();
    return (text.contains("uneven") ? "uneven " : "") + definition.group(1);
  }

  @Test
  void theLongestTilesComeFirst() {
    assertThat(order("%c0, %j")).isEqualTo("uneven add");
    assertThat(order("%j, %N")).isEqualTo("uneven div");
    assertThat(order("%c0, %N")).isEqualTo("rem");
    assertThat(order("%j, %j")).isEqualTo("rem");
  }
}
