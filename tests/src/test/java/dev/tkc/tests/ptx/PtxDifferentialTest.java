package dev.tkc.tests.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Kernels whose PTX must compute, on the host, what the interpreter computes. */
class PtxDifferentialTest {
  @Test
  void elementwise() {
    Differential.of("""
        kernel axpy<B = 1024>(x: bf16[N], a: f32, inout y: f32[N]) {
          parallel i in N by B { y[i] = (x[i] as f32) * a + y[i] }
        }
        """).with("N", 3000).with("a", 2.5).tensor("x", 3000).tensor("y", 3000).within(1e-6).agree();
  }

  @Test
  void softmax() {
    Differential.of("""
        kernel softmax<BM = 2, D>(x: bf16[M, D], out y: f32[M, D]) {
          parallel i in M by BM {
            let s = x[i, :] as f32
            let e = exp(s - rowmax(s))
            y[i, :] = e / rowsum(e)
          }
        }
        """, "D", 1000).with("M", 5).tensor("x", 5000).tensor("y", 5000).within(1e-5).agree();
  }

  @Test
  void gemm() {
    String ptx = Differential.of("""
        kernel gemm<BM = 64, BN = 64, BK = 32>(a: bf16[M, K], b: bf16[K, N], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += a[i, k] @ b[k, j] }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 72).with("N", 96).tensor("a", 70 * 72).tensor("b", 72 * 96).tensor("c", 70 * 96)
        .within(1e-4).agree();
    assertThat(ptx).contains("mma.sync");
  }
}
