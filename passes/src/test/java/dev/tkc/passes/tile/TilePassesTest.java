package dev.tkc.passes.tile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.passes.TestTarget;
import org.junit.jupiter.api.Test;

/** One small program for each rule that matters; what programs compute is compared in {@code DifferentialTest}. */
class TilePassesTest {
  /** The lines between the loads and the yield of {@link TestTarget#kernel} after the rows. */
  private static String body(String lines, String... rows) {
    String text = TestTarget.text(TestTarget.kernel(lines), rows);
    int from = text.indexOf("%t = load");
    from = from < 0 ? text.indexOf("parallel") : from;
    return text.substring(text.indexOf('\n', from) + 1, text.indexOf("yield", from)).strip().replaceAll("\n +", "\n");
  }

  @Test
  void constantsFoldWithTheWrittenNumerics() {
    String b = body("""
            %c = constant {value = 3.0 : f32} : f32
            %d = constant {value = 0.1 : f64} : f64
            %e = cast %d {to = f32, kind = saturate} : f32
            %f = mul %c, %e : f32
            %s = splat %f {shape = [64]} : f32[64]
            %u = exp2 %s : f32[64]
            store %y, [%r], %u
        """, "canonicalize", "eliminate-dead");
    float product = 3 * 0.1f;
    assertThat(b).contains("value = " + (double) (float) dev.tkc.ir.num.Elementary.exp2(product) + " : f32")
        .doesNotContain("exp2").doesNotContain("mul");
  }

  @Test
  void whatWouldChangeAZeroStays() {
    String b = body("""
            %z = constant {value = 0.0 : f32} : f32
            %neg = constant {value = -0.0 : f32} : f32
            %zs = splat %z {shape = [64]} : f32[64]
            %ns = splat %neg {shape = [64]} : f32[64]
            %u = add %t, %zs : f32[64]
            %v = add %u, %ns : f32[64]
            %w = mul %v, %zs : f32[64]
            store %y, [%r], %w
        """, "canonicalize", "eliminate-dead");
    assertThat(b).containsOnlyOnce("add %t").containsOnlyOnce("mul").doesNotContain("%ns");
  }

  @Test
  void broadcastsMoveBehindWhatIsDoneToThem() {
    String b = body("""
            %s = slice %t {offsets = [0], shape = [1]} : f32[1]
            %p = broadcast %s {shape = [64]} : f32[64]
            %as = splat %a {shape = [64]} : f32[64]
            %u = mul %p, %as : f32[64]
            %v = exp %u : f32[64]
            store %y, [%r], %v
        """, "canonicalize", "eliminate-dead");
    assertThat(b).contains("exp").containsPattern("exp %\\S+ : f32\\[1\\]")
        .containsPattern("%v = broadcast %\\S+ \\{shape = \\[64\\]\\}");
  }

  @Test
  void exactWideningThereAndBackIsNothing() {
    String b = body("""
            %h = cast %t {to = bf16, kind = saturate} : bf16[64]
            %w = cast %h {to = f32, kind = saturate} : f32[64]
            %g = cast %w {to = bf16, kind = saturate} : bf16[64]
            %u = cast %g {to = f32, kind = saturate} : f32[64]
            store %y, [%r], %u
        """, "canonicalize", "eliminate-common", "eliminate-dead");
    assertThat(b.split("cast", -1)).hasSize(3);
  }

  @Test
  void equalThingsAreComputedOnce() {
    String b = body("""
            %u = exp %t : f32[64]
            %t2 = load %x, [%r], _ : f32[64]
            %v = exp %t2 : f32[64]
            %w = add %u, %v : f32[64]
            store %y, [%r], %w
        """, "eliminate-common");
    assertThat(b).isEqualTo("%u = exp %t : f32[64]\n%w = add %u, %u : f32[64]\nstore %y, [%r], %w");
  }

  @Test
  void loadsFromWrittenTensorsAreNotMerged() {
    String b = body("""
            store %y, [%r], %t
            %u = load %y, [%r], _ : f32[64]
            store %y, [%r], %u
            %v = load %y, [%r], _ : f32[64]
            %w = add %u, %v : f32[64]
            store %y, [%r], %w
        """, "eliminate-common");
    assertThat(b.split("load %y", -1)).hasSize(3);
  }

  @Test
  void valuesThatOnlyFeedEachOtherDie() {
    String b = body("""
            %p, %q = for %c0, %n, [%t, %t] {step = 1} (%k: i64, %u: f32[64], %v: f32[64]) {
              %u2 = exp %u : f32[64]
              %v2 = sqrt %v : f32[64]
              yield [%u2, %v2]
            } : f32[64], f32[64]
            store %y, [%r], %q
        """, "eliminate-dead");
    assertThat(b).contains("sqrt").doesNotContain("exp").contains("%q = for %c0, %n, [%t] {step = 1}");
  }

  @Test
  void invariantsAndLoadsOfReadOnlyTensorsLeaveLoops() {
    String text = TestTarget.text(TestTarget.kernel("""
            %p = for %c0, %n, [%t] {step = 1} (%k: i64, %u: f32[64]) {
              %as = splat %a {shape = [64]} : f32[64]
              %w = load %x, [%r], _ : f32[64]
              %d = div %n, %k : i64
              %old = load %y, [%r], _ : f32[64]
              %u2 = add %u, %w : f32[64]
              %u3 = mul %u2, %as : f32[64]
              store %y, [%r], %u3
              yield [%u3]
            } : f32[64]
            store %y, [%r], %p
        """), "hoist-invariant");
    String loop = text.substring(text.indexOf(" = for"));
    assertThat(loop).doesNotContain("load %x").doesNotContain("splat").contains("load %y").contains("div");
  }

  @Test
  void aLoopWithAPartialLastTileIsPeeled() {
    String text = TestTarget.text("""
        device @f(%p: ptr<f32>, %q: ptr<f32>, %N: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %x = make_tensor %p, [%N], [%c1] {access = in, name = "x"} : tensor<f32, 1>
          %y = make_tensor %q, [%N], [%c1] {access = out, name = "y"} : tensor<f32, 1>
          for %c0, %N, [] {step = 64} (%i: i64) {
            %left = sub %N, %i : i64
            %r = range %i, %c1, %left {size = 64} : range<64>
            %t = load %x, [%r], _ : f32[64]
            store %y, [%r], %t
            yield []
          }
          yield []
        }
        """, "peel-loops", "fold-interior", "clean-interior");
    assertThat(text).contains("#{interior}").containsPattern("range %i, %c1, %\\d+ \\{size = 64\\}")
        .containsPattern("if %\\d+ \\(\\) \\{\n +%left = sub");
    assertThat(TestTarget.text(text, "peel-loops")).as("once is enough").isEqualTo(text);
  }

  @Test
  void aLoopUpToANumberReadFromMemoryIsPeeled() {
    String text = TestTarget.text("""
        device @f(%p: ptr<i32>, %q: ptr<f32>, %N: i64, %z: f32) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %x = make_tensor %p, [%N], [%c1] {access = in, name = "x"} : tensor<i32, 1>
          %y = make_tensor %q, [%N], [%c1] {access = out, name = "y"} : tensor<f32, 1>
          %t = splat %z {shape = [64]} : f32[64]
          %narrow = load %x, [%c0], _ : i32
          %end = cast %narrow {to = i64, kind = saturate} : i64
          for %c0, %end, [] {step = 64} (%i: i64) {
            %left = sub %end, %i : i64
            %r = range %i, %c1, %left {size = 64} : range<64>
            store %y, [%r], %t
            yield []
          }
          yield []
        }
        """, "peel-loops");
    assertThat(text).contains("#{interior}");
  }

  @Test
  void aLoopThatTheStepDividesIsLeftWhole() {
    String text = TestTarget.text("""
        device @f(%p: ptr<f32>, %N: i64 div 64, %z: f32) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %y = make_tensor %p, [%N], [%c1] {access = out, name = "y"} : tensor<f32, 1>
          %t = splat %z {shape = [64]} : f32[64]
          for %c0, %N, [] {step = 64} (%i: i64) {
            %left = sub %N, %i : i64
            %r = range %i, %c1, %left {size = 64} : range<64>
            store %y, [%r], %t
            yield []
          }
          yield []
        }
        """, "fold-bounds", "peel-loops", "clean-interior");
    assertThat(text).containsOnlyOnce("store").doesNotContain("interior").containsPattern("range %i, %c1, %\\d+ ");
  }

  @Test
  void fullTilesHaveTheirOwnCode() {
    String text = TestTarget.text(TestTarget.kernel("    store %y, [%r], %t\n"), "canonicalize", "outline-phases",
        "clean-device", "fold-bounds", "version-interior", "fold-interior", "clean-interior");
    String device = text.substring(text.indexOf("device"));
    assertThat(device.split("load %", -1)).hasSize(3);
    assertThat(device).containsPattern("ge %left, %\\d+ : bool").containsPattern("range %i, %c1, %\\d+ \\{")
        .containsPattern("range %i, %c1, %left \\{");
  }

  @Test
  void aSettingWithNothingToSplitIsAnError() {
    String program = TestTarget.kernel("    store %y, [%r], %t\n").replace("%b: bool) {", "%b: bool) #{split_k = 2} {");
    assertThatThrownBy(() -> TestTarget.run(program, "split-accumulations"))
        .isInstanceOf(DiagnosticException.class).hasMessageContaining("split_k = 2");
  }
}
