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
        kernel gemm<BM = 32, BN = 32, BK = 32>(a: bf16[M, K], b: bf16[K, N], out c: f32[M, N]) {
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

  @Test
  void exponentials() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: f32[N]) {
          parallel i in N by B { let v = x[i]
            y[i] = exp(v * 20.0) * 1e-9 + exp2(v) + exp(0 - v) }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(2e-6).agree();
  }

  @Test
  void logarithms() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: f32[N]) {
          parallel i in N by B { let v = abs(x[i]) + 1e-6
            y[i] = log(v) + log2(v) * 3.0 }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(2e-6).agree();
  }

  @Test
  void trigonometry() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: f32[N]) {
          parallel i in N by B { let v = x[i] * 1000.0
            y[i] = sin(v) + cos(v) * 2.0 }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(2e-6).agree();
  }

  @Test
  void sinesOfHugeArguments() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: f32[N]) {
          parallel i in N by B { let v = x[i] * 1e25
            y[i] = sin(v) + cos(v) * 2.0 }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(2e-6).agree();
  }

  @Test
  void bells() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: f32[N]) {
          parallel i in N by B { let v = x[i] * 2.0
            y[i] = tanh(v) + erf(v) * 2.0 + sigmoid(v) * 4.0 }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(2e-6).agree();
  }

  @Test
  void bellsThatAreRounded() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: bf16[N]) {
          parallel i in N by B { let v = x[i] * 90.0
            y[i] = where(v > 0.0, sigmoid(v), exp(v) * 1.0) as bf16 }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(4e-3).agree();
  }

  @Test
  void positionsFarAway() {
    for (long far : new long[] {0, 16777217, 1999999999, 123456789}) {
      Differential.of("""
          kernel f<B = 64>(far: int, out y: f32[M, N]) {
            parallel i in M by B, j in N by B {
              assert far >= 0 and far < 2000000000
              y[i, j] = max((far - rows(i)) as f32, 3.0) - (min(abs(rows(i) - cols(j)), 50) as f32)
            }
          }
          """).with("M", 70).with("N", 130).with("far", far).tensor("y", 70 * 130).agree();
      Differential.of("""
          kernel f<B = 128>(far: int, out y: f32[M, N]) {
            parallel i in M by B, j in N by B {
              assert far >= 0 and far < 10000000
              y[i, j] = (rows(i) - far * 128 - 77) as f32 - cols(j) as f32
            }
          }
          """).with("M", 130).with("N", 70).with("far", far / 256).tensor("y", 130 * 70).agree();
    }
  }

  @Test
  void roots() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: f32[N]) {
          parallel i in N by B { let v = abs(x[i]) + 0.01
            y[i] = sqrt(v) + rsqrt(v) + rcp(v) + v / 3.0 + v % 0.3 + floor(v) + ceil(v) + round(v) }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(2e-6).agree();
  }

  @Test
  void powers() {
    Differential.of("""
        kernel f<B = 256>(x: f32[N], out y: f32[N]) {
          parallel i in N by B { let v = abs(x[i]) + 0.1
            y[i] = v ** 2 + v ** 2.5 + v ** (0 - 1.5) }
        }
        """).with("N", 700).tensor("x", 700).tensor("y", 700).within(4e-6).agree();
  }

  @Test
  void doubles() {
    Differential.of("""
        kernel f<B = 64>(x: f64[N], out y: f64[N]) {
          parallel i in N by B { let v = x[i]
            y[i] = exp(v) + log(abs(v)) + sin(v) + tanh(v) + erf(v) + sqrt(abs(v)) + sigmoid(v) + exp2(v) + cos(v * 100.0) }
        }
        """).with("N", 100).tensor("x", 100).tensor("y", 100).within(1e-13).agree();
  }

  @Test
  void integers() {
    Differential.of("""
        kernel f<B = 128>(a: i32[N], b: i32[N], out y: i32[N]) {
          parallel i in N by B {
            let x = a[i] - 30
            let d = b[i] + 1
            y[i] = x / d + (x % d) * 3 + (x / (0 - d)) * 5 + (x % (0 - d)) * 7 + (x & 12) + (x | 5) + (x ^ d) + (x << 3) + (x >> 2) + min(x, d) * max(x, d) + abs(x) + ~x + (x >> d) + (x << d)
          }
        }
        """).with("N", 300).tensor("a", 300).tensor("b", 300).tensor("y", 300).agree();
  }

  @Test
  void narrowIntegers() {
    Differential.of("""
        kernel f<B = 128>(a: i8[N], b: u16[N], out y: i8[N], out z: u16[N], out w: i64[N]) {
          parallel i in N by B {
            y[i] = (a[i] * 5 + 7) as i8
            z[i] = (b[i] * 3) as u16
            w[i] = (a[i] as i64) * 1000000007 / 13
          }
        }
        """).with("N", 300).tensor("a", 300).tensor("b", 300).tensor("y", 300).tensor("z", 300).tensor("w", 300).agree();
  }

  @Test
  void casts() {
    Differential.of("""
        kernel f<B = 128>(x: f32[N], out a: bf16[N], out b: f16[N], out c: e4m3[N], out d: e5m2[N], out e: i8[N], out g: u32[N], out h: f32[N], out l: f64[N]) {
          parallel i in N by B { let v = x[i] * 300.0
            a[i] = v as bf16
            b[i] = v as f16
            c[i] = v as e4m3
            d[i] = v as e5m2
            e[i] = v as i8
            g[i] = v as u32
            h[i] = ((v as e4m3) as f32) + ((x[i] as e5m2) as f32) * 16.0
            l[i] = v as f64
          }
        }
        """).with("N", 300).tensor("x", 300).tensor("a", 300).tensor("b", 300).tensor("c", 300).tensor("d", 300).tensor("e", 300).tensor("g", 300).tensor("h", 300).tensor("l", 300).agree();
  }

  @Test
  void nibbles() {
    Differential.of("""
        kernel f<B = 64>(x: i4[N], z: e2m1[N], out y: i32[N], out w: f32[N]) {
          parallel i in N by B { y[i] = x[i] as i32
            w[i] = z[i] as f32 }
        }
        """).with("N", 130).tensor("x", 130).tensor("z", 130).tensor("y", 130).tensor("w", 130).agree();
  }

  @Test
  void bools() {
    Differential.of("""
        kernel f<B = 64>(x: bool[N], a: f32[N], out y: bool[N], out z: f32[N]) {
          parallel i in N by B { y[i] = (not x[i]) or (a[i] > 0.5 and x[i])
            z[i] = where(x[i], a[i], 0 - a[i]) }
        }
        """).with("N", 130).tensor("x", 130).tensor("a", 130).tensor("y", 130).tensor("z", 130).agree();
  }

  @Test
  void reductionsAlongBothAxes() {
    Differential.of("""
        kernel f<BM = 24, BN = 48>(x: f32[M, N], out r: f32[M], out c: f32[N], out s: f32[1]) {
          parallel z in 1 {
            let i = span(0, BM, M)
            let j = span(0, BN, N)
            let v = x[i, j]
            r[i] = reshape(sum(v, axis = 1), [BM])
            c[j] = reshape(max(v, axis = 0), [BN])
          }
        }
        """).with("M", 24).with("N", 48).tensor("x", 24 * 48).tensor("r", 24).tensor("c", 48).tensor("s", 1).within(1e-5).agree();
  }

  @Test
  void argumentsOfExtremes() {
    Differential.of("""
        kernel f<BM = 8, D>(x: f32[M, D], out y: i32[M], out z: i32[M], q: i32[M, D], out w: i32[M]) {
          parallel i in M by BM {
            y[i] = reshape(argmax(x[i, :], axis = 1), [BM])
            z[i] = reshape(argmin(x[i, :], axis = 1), [BM])
            w[i] = reshape(argmax(q[i, :], axis = 1), [BM])
          }
        }
        """, "D", 300).with("M", 13).tensor("x", 13 * 300).tensor("q", 13 * 300).tensor("y", 13).tensor("z", 13).tensor("w", 13).agree();
  }

  @Test
  void scans() {
    Differential.of("""
        kernel f<BM = 4, D>(x: f32[M, D], q: i32[M, D], out a: f32[M, D], out b: i32[M, D], out c: i32[M, D], out d: f32[M, D]) {
          parallel i in M by BM {
            a[i, :] = cumsum(x[i, :], axis = 1)
            b[i, :] = cumsum(q[i, :], axis = 1, exclusive = true)
            c[i, :] = cumsum(q[i, :], axis = 1, reverse = true)
            d[i, :] = cummax(x[i, :], axis = 1)
          }
        }
        """, "D", 700).with("M", 5).tensor("x", 5 * 700).tensor("q", 5 * 700).tensor("a", 5 * 700).tensor("b", 5 * 700).tensor("c", 5 * 700).tensor("d", 5 * 700).within(1e-4).agree();
  }

  @Test
  void userScansAndReductions() {
    Differential.of("""
        fn affine(a1: f32, b1: f32, a2: f32, b2: f32) -> f32, f32 { return a1 * a2, b1 * a2 + b2 }
        kernel f<BM = 4, D>(x: f32[M, D], y: f32[M, D], out a: f32[M, D], out b: f32[M]) {
          parallel i in M by BM {
            let p, q = scan(x[i, :] * 0.5, y[i, :], axis = 1, fn = affine)
            a[i, :] = q
            let r, s = reduce(x[i, :] * 0.5, y[i, :], axis = 1, fn = affine)
            b[i] = reshape(s, [BM])
          }
        }
        """, "D", 100).with("M", 5).tensor("x", 5 * 100).tensor("y", 5 * 100).tensor("a", 5 * 100).tensor("b", 5).within(1e-4).agree();
  }

  /** Padding along the axis takes flags between warps, which need shared memory too. */
  @Test
  void userScansOverPaddingAcrossWarps() {
    Differential.of("""
        fn best(v1: f32, n1: i32, v2: f32, n2: i32) {
          if v1 > v2 or (v1 == v2 and n1 < n2) { return v1, n1 }
          return v2, n2
        }
        kernel f<BM = 12, BN = 48>(inout o: i32[N]) {
          parallel j in N by BN {
            let v, w = scan(fill(1.0, f32[BM, BN]), fill(1, i32[BM, BN]), axis = 1, fn = best)
            o[_, j] += sum(w, axis = 0)
          }
        }
        """).with("N", 50).tensor("o", 50).agree();
  }

  @Test
  void atomics() {
    Differential.of("""
        kernel f<B = 64>(x: i32[N], v: f32[N], inout h: i32[K], inout s: f32[K], inout m: f32[K]) {
          parallel i in N by B {
            let at = x[i]
            h[at] += fill(1, i32[B])
            s[at] += round(v[i] * 8.0)
            m[at] max= v[i]
          }
        }
        """).with("N", 500).with("K", 64).tensor("x", 500).tensor("v", 500).tensor("h", 64).tensor("s", 64).tensor("m", 64).within(1e-5).agree();
  }

  @Test
  void gatherAndScatter() {
    Differential.of("""
        kernel f<B = 16, D>(t: f32[K, D], x: i32[N], out y: f32[N, D], p: i32[N], inout z: f32[N, D]) {
          parallel i in N by B {
            y[i, :] = t[x[i], :]
          }
        }
        """, "D", 40).with("N", 50).with("K", 64).tensor("t", 64 * 40).tensor("x", 50).tensor("y", 50 * 40).tensor("p", 50).tensor("z", 50 * 40).agree();
  }

  @Test
  void transposes() {
    Differential.of("""
        kernel f<B = 32>(x: bf16[M, N], out y: bf16[N, M]) {
          parallel i in M by B, j in N by B { y[j, i] = x[i, j].T }
        }
        """).with("M", 50).with("N", 70).tensor("x", 50 * 70).tensor("y", 50 * 70).agree();
  }

  @Test
  void shapes() {
    Differential.of("""
        kernel f<B = 8>(x: f32[N, 32], out y: f32[N, 48], out z: f32[N, 4, 8], out w: f32[4, N, 8]) {
          parallel i in N by B {
            let v = x[i, :]
            y[i, :] = concat(v[:, 16:32], v, axis = 1)
            let r = reshape(v, [B, 4, 8])
            z[i, :, :] = r * 2.0
            w[:, i, :] = permute(r, [1, 0, 2])
          }
        }
        """).with("N", 20).tensor("x", 20 * 32).tensor("y", 20 * 48).tensor("z", 20 * 32).tensor("w", 20 * 32).agree();
  }

  @Test
  void phasesAndControlFlow() {
    Differential.of("""
        kernel f<B = 32>(x: f32[N], out y: f32[N], n: int) {
          temp t: f32[N]
          parallel i in N by B {
            var v = x[i]
            for k in n { if k % 2 == 0 { v = v + 1.0 } else { v = v * 2.0 } }
            t[i] = v
          }
          parallel i in N by B {
            var s = zeros(f32[B])
            for j in N by B reversed { s = s + t[j] * 0.01 }
            y[i] = t[i] + sum(s)
          }
        }
        """).with("N", 100).with("n", 5).tensor("x", 100).tensor("y", 100).within(1e-5).agree();
  }

  @Test
  void randomBits() {
    Differential.of("""
        kernel f<B = 64>(out y: u32[N], out z: f32[N]) {
          parallel i in N by B {
            y[i] = philox(1234567 as u64, (i[:] as i64) + 7)
            z[i] = uniform(99 as u64, i[:] as i64)
          }
        }
        """).with("N", 150).tensor("y", 150).tensor("z", 150).agree();
  }

  @Test
  void productsOfHalves() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: f16[M, K], b: f16[K, N], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += a[i, k] @ b[k, j] }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(1e-4).agree();
  }

  @Test
  void productsOfTransposedOperands() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: bf16[K, M], b: bf16[N, K], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += a[k, i].T @ b[j, k].T }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(1e-4).agree();
  }

  @Test
  void productsOfBytes() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: i8[M, K], b: i8[K, N], out c: i32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(i32[BM, BN])
            for k in K by BK { acc += a[i, k] @ b[k, j] }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).agree();
  }

  @Test
  void productsOfMixedBytes() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: i8[M, K], b: u8[K, N], out c: i32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(i32[BM, BN])
            for k in K by BK { acc += a[i, k] @ b[k, j] }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).agree();
  }

  @Test
  void productsOfFloat8() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: e4m3[M, K], b: e4m3[K, N], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += a[i, k] @ b[k, j] }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(1e-4).agree();
  }

  @Test
  void productsOfMixedFloat8() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: e4m3[M, K], b: e5m2[K, N], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += a[i, k] @ b[k, j] }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(1e-4).agree();
  }

  @Test
  void productsInTf32() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: f32[M, K], b: f32[K, N], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += dot(a[i, k], b[k, j], precision = tf32) }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(2e-2).agree();
  }

  @Test
  void productsInThreeTf32() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: f32[M, K], b: f32[K, N], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += dot(a[i, k], b[k, j], precision = tf32x3) }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(1e-4).agree();
  }

  @Test
  void productsInFullPrecision() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: f32[M, K], b: f32[K, N], out c: f32[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK { acc += dot(a[i, k], b[k, j], precision = ieee) }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(1e-4).agree();
  }

  @Test
  void productsOfDoubles() {
    Differential.of("""
        kernel f<BM = 64, BN = 64, BK = 32>(a: f64[M, K], b: f64[K, N], out c: f64[M, N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f64[BM, BN])
            for k in K by BK { acc += a[i, k] @ b[k, j] }
            c[i, j] = acc
          }
        }
        """).with("M", 70).with("K", 80).with("N", 96).tensor("a", 70 * 80).tensor("b", 80 * 96).tensor("c", 70 * 96).within(1e-12).agree();
  }

  @Test
  void attention() {
    Differential.of("""
        kernel attention<BQ = 64, BK = 64, D>(q: bf16[B, N, D], k: bf16[B, S, D], v: bf16[B, S, D], scale: f32, out o: bf16[B, N, D], out lse: f32[B, N]) {
          parallel b in B, i in N by BQ {
            let qi = q[b, i, :]
            var m   = fill(-inf, f32[BQ, 1])
            var l   = zeros(f32[BQ, 1])
            var acc = zeros(f32[BQ, D])
            for j in S by BK {
              let s = (qi @ k[b, j, :].T) * (scale * LOG2E)
              let s = where(valid(j) and rows(i) >= cols(j), s, -inf)
              let m2 = max(m, rowmax(s))
              let p  = exp2(s - m2)
              let c  = exp2(m - m2)
              l   = l * c + rowsum(p)
              acc = acc * c + (p as bf16) @ v[b, j, :]
              m   = m2
            }
            o[b, i, :] = (acc / l) as bf16
            lse[b, i, _] = m / LOG2E + log(l)
          }
        }
        """, "D", 64).with("B", 2).with("N", 70).with("S", 100).with("scale", 0.125).tensor("q", 2 * 70 * 64).tensor("k", 2 * 100 * 64).tensor("v", 2 * 100 * 64).tensor("o", 2 * 70 * 64).tensor("lse", 140).within(2e-2).agree();
  }
}
