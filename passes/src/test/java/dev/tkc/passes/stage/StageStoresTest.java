package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.TestTargets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a bulk store is cut, what is computed for each slice, and which waits keep the slots apart. */
class StageStoresTest {
  /** A block's results, from a sum of 128 by {@code columns}, in a consumer's loop over tiles. */
  private static String program(int columns, String result) {
    return """
        kernel @k(%px: ptr<bf16> div 16, %pb: ptr<bf16> div 16, %M: i64, %N: i64 div 16) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%px, %pb, %M, %N] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<bf16> div 16, %pb: ptr<bf16> div 16, %M: i64, %N: i64 div 16) #{warps = 12} {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %x = make_tensor %px, [%M, %N], [%N, %c1] {access = out, name = "x"} : tensor<bf16, 2>
          %bias = make_tensor %pb, [%N], [%c1] {access = in, name = "bias"} : tensor<bf16, 1>
          %a = shared_alloc {name = "a", type = shared<bf16[128, 64], 4>} : shared<bf16[128, 64], 4>
          %full = barrier_alloc {slots = 4, arrivals = 1, name = "full"} : barriers<4>
          barrier
          role {name = "producer", warps = 4, registers = 40} () {
            yield []
          }
          role {name = "consumer", warps = 8, registers = 232} () {
            for %c0, %M, [] {step = 128} (%i: i64) {
              %z = constant {value = 0.0 : f32} : f32
              %acc = splat %z {shape = [128, COLUMNS]} : f32[128, COLUMNS]
              %fence = dot_wait %acc {pending = 0} : f32[128, COLUMNS]
              %left = sub %M, %i : i64
              %ri = range %i, %c1, %left {size = 128} : range<128>
              %rj = range %c0, %c1, %N {size = COLUMNS} : range<COLUMNS>
        RESULT
              store %x, [%ri, %rj], %o #{bulk}
              yield []
            }
            yield []
          }
          yield []
        }
        """.replace("dot_wait %acc", "dot_wait [%acc]").replace("RESULT", result).replace("COLUMNS", "" + columns);
  }

  private static final String CAST = "      %o = cast %fence {to = bf16, kind = saturate} : bf16[128, COLUMNS]";

  private static String staged(String text) {
    Module m = IrParser.parse(text);
    assertThat(Verifier.verify(m)).isEmpty();
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly("stage-stores", "clean-staged")));
    return IrPrinter.print(m);
  }

  private static List<String> ops(String text, String... wanted) {
    return text.lines().map(String::strip).map(l -> l.replaceFirst("^%\\S+ = ", ""))
        .filter(l -> List.of(wanted).contains(l.split(" ")[0]))
            .map(l -> l.replaceFirst(" (?!\\{).*(?=\\{pending)", " ")).toList();
  }

  @Test
  void slicesTakeTurnsInTheSlots() {
    String text = staged(program(256, CAST));
    assertThat(text).contains("shared<bf16[128, 64], 2>", "shape = [128, 64]")
        .doesNotContain("store %x,", "bf16[128, 256]");
    assertThat(
        ops(text, "slice", "cast", "store_wait", "barrier", "shared_store", "proxy_fence", "store_bulk", "store_commit")
        .stream().map(l -> l.split(" ")[0]).skip(1).limit(8).toList())
        .containsExactly("slice", "cast", "store_wait", "barrier", "shared_store", "proxy_fence", "barrier",
            "store_bulk");
    assertThat(ops(text, "store_wait")).containsExactly(
        "store_wait {pending = 1, read}", "store_wait {pending = 1, read}", "store_wait {pending = 1, read}",
        "store_wait {pending = 1, read}", "store_wait {pending = 0, read}");
  }

  @Test
  void aTileWithASlotForEachSliceLeavesAtOnce() {
    String text = staged(program(128, CAST));
    assertThat(text).contains("shared<bf16[128, 64], 2>");
    assertThat(ops(text, "store_wait", "barrier", "shared_store", "proxy_fence", "store_bulk", "store_commit")
        .stream().map(l -> l.split(" ")[0]).skip(1).toList())
        .containsExactly("store_wait", "barrier", "shared_store", "shared_store", "proxy_fence", "barrier",
            "store_bulk", "store_bulk", "store_commit", "store_wait");
    assertThat(ops(text, "store_wait"))
        .containsExactly("store_wait {pending = 0, read}", "store_wait {pending = 0, read}");
  }

  @Test
  void theFinalWaitEndsTheRole() {
    String text = staged(program(64, CAST));
    assertThat(text)
        .containsPattern("yield \\[\\]\\s+}\\s+store_wait \\{pending = 0, read\\}\\s+yield \\[\\]\\s+}\\s+yield");
    assertThat(ops(text, "store_wait"))
        .containsExactly("store_wait {pending = 0, read}", "store_wait {pending = 0, read}");
    assertThat(text).contains("shared<bf16[128, 64], 1>");
  }

  @Test
  void anOddNumberOfSlicesWaitsLongerWhereItWrapsAround() {
    String text = staged(program(256, CAST).replace("#{warps = 12}", "#{store_buffers = 3, warps = 12}"));
    assertThat(ops(text, "store_wait")).containsExactly(
        "store_wait {pending = 0, read}", "store_wait {pending = 3, read}", "store_wait {pending = 3, read}",
        "store_wait {pending = 2, read}", "store_wait {pending = 0, read}");
  }

  @Test
  void whatLiesBetweenIsComputedForEachSlice() {
    String text = staged(program(128, """
              %b0 = load %bias, [%rj], _ : bf16[COLUMNS]
              %b1 = cast %b0 {to = f32, kind = saturate} : f32[COLUMNS]
              %b2 = reshape %b1 {shape = [1, COLUMNS]} : f32[1, COLUMNS]
              %b3 = broadcast %b2 {shape = [128, COLUMNS]} : f32[128, COLUMNS]
              %s = add %fence, %b3 : f32[128, COLUMNS]
              %g = sigmoid %s : f32[128, COLUMNS]
              %h = mul %s, %g : f32[128, COLUMNS]
              %o = cast %h {to = bf16, kind = saturate} : bf16[128, COLUMNS]"""));
    assertThat(text).doesNotContain("sigmoid %s : f32[128, 128]", "bf16[128, 128]", "f32[1, 128]");
    assertThat(ops(text, "load", "sigmoid").stream().map(l -> l.split(" ")[0]))
        .containsExactlyInAnyOrder("load", "load", "sigmoid", "sigmoid");
    assertThat(text.split("= slice ")).hasSize(3);
  }

  @Test
  void loadsForASliceStartOneSliceAhead() {
    String text = staged(program(256, """
              %ry = range %i, %c1, %left {size = 128} : range<128>
              %yt = make_tensor %pb, [%M, %N], [%N, %c1] {access = in, name = "y"} : tensor<bf16, 2>
              %r0 = load %yt, [%ry, %rj], _ : bf16[128, COLUMNS]
              %r1 = cast %r0 {to = f32, kind = saturate} : f32[128, COLUMNS]
              %s = add %fence, %r1 : f32[128, COLUMNS]
              %o = cast %s {to = bf16, kind = saturate} : bf16[128, COLUMNS]"""));
    assertThat(ops(text, "load", "shared_store").stream().map(l -> l.split(" ")[0])).containsExactly(
        "load", "load", "shared_store", "load", "shared_store", "load", "shared_store", "shared_store");
  }

  @Test
  void whatIsNeededInFullIsCut() {
    String text = staged(program(128, """
              %s = mul %fence, %fence : f32[128, COLUMNS]
              %sum = reduce %s {kind = sum, axes = [1]} : f32[128, 1]
              %sums = broadcast %sum {shape = [128, COLUMNS]} : f32[128, COLUMNS]
              %q = div %s, %sums : f32[128, COLUMNS]
              %o = cast %q {to = bf16, kind = saturate} : bf16[128, COLUMNS]"""));
    assertThat(text).containsPattern("slice %s \\{").contains("broadcast %sum {shape = [128, 64]}");
    assertThat(ops(text, "mul", "div").stream().map(l -> l.split(" ")[0])).containsExactly("mul", "div", "div");
  }

  /** A block with one tile, whose left operand lies in slots of this shape. */
  private static String once(String slot, String left) {
    return """
        kernel @k(%px: ptr<bf16> div 16, %M: i64, %N: i64 div 16) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%px, %M, %N] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<bf16> div 16, %M: i64, %N: i64 div 16) #{warps = 12} {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %x = make_tensor %px, [%M, %N], [%N, %c1] {access = out, name = "x"} : tensor<bf16, 2>
          %y = make_tensor %px, [%M, %N], [%N, %c1] {access = in, name = "y"} : tensor<bf16, 2>
          %a = shared_alloc {name = "a", type = shared<bf16[128, 64], 4>} : shared<bf16[128, 64], 4>
          %b = shared_alloc {name = "b", type = shared<bf16[64, 256], 4>} : shared<bf16[64, 256], 4>
          %full = barrier_alloc {slots = 4, arrivals = 1, name = "full"} : barriers<4>
          %ri = range %c0, %c1, %M {size = 128} : range<128>
          %rk = range %c0, %c1, %N {size = 64} : range<64>
          barrier
          role {name = "producer", warps = 4, registers = 40} () {
            copy_bulk %y, [%ri, %rk], _, %a, %c0, %full, %c0
            yield []
          }
          role {name = "consumer", warps = 8, registers = 232} () {
            %z = constant {value = 0.0 : f32} : f32
            %acc = splat %z {shape = [128, 256]} : f32[128, 256]
            barrier_wait %full, %c0, %c0
            %va = shared_view %a, %c0 {offsets = [0, 0], shape = [128, 64], order = [0, 1]} : shared<bf16[128, 64], 1>
            %vb = shared_view %b, %c0 {offsets = [0, 0], shape = [64, 256], order = [0, 1]} : shared<bf16[64, 256], 1>
            %sum = dot_async LEFT, %vb, %acc, _ {precision = default} : f32[128, 256]
            dot_commit
            %done = dot_wait [%sum] {pending = 0} : f32[128, 256]
            %rj = range %c0, %c1, %N {size = 256} : range<256>
            %o = cast %done {to = bf16, kind = saturate} : bf16[128, 256]
            store %x, [%ri, %rj], %o #{bulk}
            yield []
          }
          yield []
        }
        """.replace("bf16[128, 64], 4", slot).replace("LEFT", left);
  }

  @Test
  void theOnlyTileLeavesThroughTheRingOfTheLeftOperand() {
    String text = staged(once("bf16[128, 64], 4", "%va"));
    assertThat(ops(text, "store_wait", "barrier", "shared_store", "proxy_fence", "store_bulk", "store_commit")
        .stream().skip(1).map(l -> l.split(" ")[0]).toList()).startsWith("barrier", "shared_store", "proxy_fence",
            "barrier", "store_bulk", "store_commit", "shared_store", "proxy_fence", "barrier", "store_bulk");
    assertThat(ops(text, "store_wait")).containsExactly("store_wait {pending = 0, read}");
    assertThat(text.split("shared_store %a, ")).hasSize(5);
    assertThat(text.split("_, %a, ")).hasSize(6);
    assertThat(text.split("shared_alloc")).hasSize(3);
  }

  @Test
  void aRingWithFewerSlotsOrProductsInFlightIsNotOver() {
    assertThat(staged(once("bf16[128, 64], 3", "%va"))).contains("shared<bf16[128, 64], 2>");
    String flying = once("bf16[128, 64], 4", "%va").replace("[%sum] {pending = 0}", "[%sum] {pending = 1}");
    assertThat(staged(flying)).contains("shared<bf16[128, 64], 2>");
  }

  @Test
  void otherStoresStay() {
    String plain = program(128, CAST).replace(" #{bulk}", "");
    assertThat(staged(plain)).contains("store %x,").doesNotContain("store_bulk", "store_wait");
    String full = program(128, CAST).replace("[128, 64], 4>", "[128, 64], 14>");
    assertThat(staged(full)).contains("store %x,").doesNotContain("store_bulk", "store_wait");
  }
}
