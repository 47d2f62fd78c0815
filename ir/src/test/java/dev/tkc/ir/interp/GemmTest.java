package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.num.Philox;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A whole GEMM: the exact result by the written order, on sizes that no tile divides, whatever the number of threads;
 * and its speed.
 */
class GemmTest {
  static final String GEMM = """
      kernel @gemm(%a: ptr<bf16>, %b: ptr<bf16>, %c: ptr<bf16>, %M: i64, %N: i64, %K: i64) {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %ta = make_tensor %a, [%M, %K], [%K, %c1] {access = in, name = "a"} : tensor<bf16, 2>
        %tb = make_tensor %b, [%K, %N], [%N, %c1] {access = in, name = "b"} : tensor<bf16, 2>
        %tc = make_tensor %c, [%M, %N], [%N, %c1] {access = out, name = "c"} : tensor<bf16, 2>
        parallel %c0, %M {step = BM} (%i: i64) {
          %mi = sub %M, %i : i64
          %ri = range %i, %c1, %mi {size = BM} : range<BM>
          parallel %c0, %N {step = BN} (%j: i64) {
            %nj = sub %N, %j : i64
            %rj = range %j, %c1, %nj {size = BN} : range<BN>
            %z = constant {value = 0.0 : f32} : f32
            %zero = splat %z {shape = [BM, BN]} : f32[BM, BN]
            %sum = for %c0, %K, [%zero] {step = BK} (%k: i64, %acc: f32[BM, BN]) {
              %kk = sub %K, %k : i64
              %rk = range %k, %c1, %kk {size = BK} : range<BK>
              %x = load %ta, [%ri, %rk], _ : bf16[BM, BK]
              %y = load %tb, [%rk, %rj], _ : bf16[BK, BN]
              %d = dot %x, %y, %acc {precision = default} : f32[BM, BN]
              yield [%d]
            } : f32[BM, BN]
            %o = cast %sum {to = bf16, kind = saturate} : bf16[BM, BN]
            store %tc, [%ri, %rj], %o
            yield []
          }
          yield []
        }
        yield []
      }
      """;

  private static Module gemm(int bm, int bn, int bk) {
    return Runs.parse(GEMM.replace("BM", "" + bm).replace("BN", "" + bn).replace("BK", "" + bk));
  }

  private static short[] random(long seed, int n) {
    short[] out = new short[n];
    for (int i = 0; i < n; i++) {
      out[i] = (short) FloatFormat.BF16.encode(Philox.normal(seed, i), false);
    }
    return out;
  }

  private static short[] run(Interpreter interpreter, Module gemm, short[] a, short[] b, int m, int n, int k) {
    short[] c = new short[m * n];
    interpreter.run(gemm, List.of(buffer(a), buffer(b), buffer(c), Tile.integer(m), Tile.integer(n), Tile.integer(k)));
    return c;
  }

  private static Buffer buffer(short[] x) {
    return Buffer.of(Element.BF16, MemorySegment.ofArray(x));
  }

  @Test
  void resultIsTheSequentialSumRoundedOnce() {
    int m = 37;
    int n = 29;
    int k = 43;
    short[] a = random(1, m * k);
    short[] b = random(2, k * n);
    short[] expected = new short[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        float sum = 0;
        for (int x = 0; x < k; x++) {
          sum += FloatFormat.BF16.decode(a[i * k + x] & 0xffff) * FloatFormat.BF16.decode(b[x * n + j] & 0xffff);
        }
        expected[i * n + j] = (short) FloatFormat.BF16.encode(sum, false);
      }
    }
    Module gemm = gemm(16, 12, 10);
    assertThat(run(Runs.checking(), gemm, a, b, m, n, k)).isEqualTo(expected);
    for (int threads = 1; threads <= 3; threads++) {
      Interpreter some = new Interpreter(Interpreter.Options.defaults().withThreads(threads));
      assertThat(run(some, gemm, a, b, m, n, k)).isEqualTo(expected);
    }
  }

  @Test
  void largeEnoughToWorkWith() {
    int size = 512;
    short[] a = random(3, size * size);
    short[] b = random(4, size * size);
    Module gemm = gemm(128, 256, 64);
    double seconds = Double.POSITIVE_INFINITY;
    for (int attempt = 0; attempt < 3 && seconds >= 2; attempt++) {
      long start = System.nanoTime();
      run(Runs.plain(), gemm, a, b, size, size, size);
      seconds = (System.nanoTime() - start) * 1e-9;
    }
    assertThat(seconds).isLessThan(2);
  }
}
