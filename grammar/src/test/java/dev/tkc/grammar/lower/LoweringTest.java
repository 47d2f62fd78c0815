package dev.tkc.grammar.lower;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What the constructs of the language become. */
class LoweringTest {
  @Test
  void gemm() {
    String ir = Snippets.ir("""
        kernel gemm<BM = 128, BN = 256, BK = 64>(a: bf16[M, K], b: bf16[K, N], out c: bf16[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK {
              acc += a[i, k] @ b[k, j]
            }
            c[i, j] = acc as bf16
          }
        }
        """, "BM", 128, "BN", 256, "BK", 64);
    assertThat(ir)
        .startsWith("kernel @gemm(%a: ptr<bf16>, %b: ptr<bf16>, %c: ptr<bf16>, %M: i64, %K: i64, %N: i64) {")
        .contains("make_tensor %a, [%M, %K], [%K, %0] {access = in, name = \"a\"} : tensor<bf16, 2>")
        .containsPattern("parallel %\\d+, %M \\{step = 128\\} \\(%i: i64\\)")
        .containsPattern("%acc_1 = for %\\d+, %K, \\[%acc\\] \\{step = 64\\} \\(%k: i64, %acc_2: f32\\[128, 256\\]\\)")
        .containsPattern("dot %\\d+, %\\d+, %acc_2 \\{precision = default\\} : f32\\[128, 256\\]")
        .contains("cast %acc_1 {to = bf16, kind = saturate} : bf16[128, 256]")
        .containsPattern("store %tc, \\[%\\d+, %\\d+\\], %\\d+");
  }
}
