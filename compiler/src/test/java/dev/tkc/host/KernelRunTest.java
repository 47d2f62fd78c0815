package dev.tkc.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.Device;
import dev.tkc.Tkc;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** References that {@link KernelRun} takes from tests. */
class KernelRunTest {
  @Test
  void aReferenceMayBeBuiltUpInALoopBeforeTheCall() {
    try (Tkc tkc = Tkc.create(Device.interpreter())) {
      var kernel = tkc.load(
          """
          kernel twice<B = 16>(x: f32[N], out y: f32[N]) {
            parallel i in N by B { y[i] = x[i] * 2 }
          }
          test "twice" {
            for n in [5] {
              let x = randn(f32[n], seed = 1)
              var ref = zeros(f32[n])
              for r in 0..2 {
                ref += x
              }
              var y = empty(f32[n])
              twice(x, y)
              expect y == ref
            }
          }
          """).kernel("twice");
      KernelRun.Result result =
          KernelRun.run(kernel, new KernelRun.Request(Map.of("N", 20L), Map.of(), Set.of(), 0, true));
      assertThat(result.checks()).hasSize(1);
      assertThat(result.holds()).isTrue();
    }
  }

  @Test
  void expectationsInALoopAreOneComparison() {
    try (Tkc tkc = Tkc.create(Device.interpreter())) {
      var kernel = tkc.load(
          """
          kernel half<B = 16>(x: f32[N], out y: f32[N]) {
            parallel i in N by B { y[i] = x[i] * 0.5 }
          }
          test "half" {
            let x = randn(f32[6], seed = 1)
            var y = empty(f32[6])
            half(x, y)
            for i in 6 {
              if i % 2 == 0 {
                expect y[i] == x[i] / 2
              }
            }
            expect y[0] != y[1]
            expect y == x
          }
          """).kernel("half");
      KernelRun.Result result =
          KernelRun.run(kernel, new KernelRun.Request(Map.of("N", 6L), Map.of(), Set.of(), 0, true));
      assertThat(result.checks()).extracting(c -> c.comparison().count()).containsExactly(3L, 1L, 6L);
      assertThat(result.checks()).extracting(c -> c.comparison().holds()).containsExactly(true, true, false);
      assertThat(result.holds()).isFalse();
    }
  }
}
