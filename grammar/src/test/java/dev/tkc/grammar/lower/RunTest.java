package dev.tkc.grammar.lower;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TileType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What kernels compute, lowered and interpreted with checking on; sizes that no tile divides. */
class RunTest {
  /** Runs the first kernel; {@code given} are name, value pairs for constants (Integer), arrays, scalars and sizes. */
  private static void run(String text, Object... given) {
    Map<String, Object> all = new HashMap<>();
    for (int i = 0; i < given.length; i += 2) {
      all.put((String) given[i], given[i + 1]);
    }
    Library library = Snippets.library(text);
    var kernel = library.kernels().get(0);
    Map<String, Object> constants = new HashMap<>();
    kernel.constants().forEach(c -> constants.put(c.name().text(),
        all.get(c.name().text()) instanceof Integer n ? (Object) n.longValue() : all.get(c.name().text())));
    Module module = Lowering.lower(library, kernel.name().text(), constants);
    assertThat(Verifier.verify(module)).isEmpty();
    List<Datum> arguments = new ArrayList<>();
    for (Param p : module.kernel().params()) {
      Object v = all.get(p.value().name());
      arguments.add(p.value().type() instanceof PointerType t ? buffer(t.element(), v)
          : scalar((TileType) p.value().type(), v));
    }
    new Interpreter(Interpreter.Options.defaults().withCheck(true)).run(module, arguments);
  }

  private static Datum buffer(Element e, Object array) {
    return Buffer.of(e, switch (array) {
      case float[] x -> MemorySegment.ofArray(x);
      case int[] x -> MemorySegment.ofArray(x);
      case byte[] x -> MemorySegment.ofArray(x);
      case short[] x -> MemorySegment.ofArray(x);
      case long[] x -> MemorySegment.ofArray(x);
      case null, default -> throw new IllegalArgumentException("no array: " + array);
    });
  }

  private static Datum scalar(TileType t, Object v) {
    return switch (v) {
      case Integer n -> Tile.integer(t.element(), n);
      case Long n -> Tile.integer(t.element(), n);
      case Float x -> Tile.scalar(Literal.of(t.element(), (double) x));
      case Boolean b -> Tile.bool(b);
      case null, default -> throw new IllegalArgumentException("no scalar: " + v);
    };
  }

  private static float[] count(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = i;
    }
    return x;
  }

  @Test
  void membersOfRanges() {
    int[] y = new int[3 * 6];
    run("""
        kernel k<B = 4>(out y: i32[T, 6], N: int) {
          parallel i in N by B {
            let t = i.index
            y[t, 0:6] = zeros(i32[6])
            y[t, 0] = i.start as i32
            y[t, 1] = i.end as i32
            y[t, 2] = i.size as i32
            y[t, 3] = i.count as i32
            y[t, 4] = (2*i + 1).end as i32
            y[t, 5] = (2*i + 1).start as i32
          }
        }
        """, "B", 4, "y", y, "N", 10, "T", 3);
    assertThat(y)
        .containsExactly(0, 4, 4, 4, 8, 1, 4, 8, 4, 4, 16, 9, 8, 10, 4, 2, 20, 17);
  }

  @Test
  void loopsCarryVariables() {
    float[] y = new float[1];
    run("""
        kernel k<B = 4>(x: f32[N], out y: f32[1]) {
          parallel u in 1 {
            var s = 0.0
            var rounds = 0
            for i in N by B reversed {
              s = s * 10 + sum(x[i])
              rounds += 1
              if rounds == 2 { s += 1 } else { s += 0 }
            }
            y[0] = s + rounds * 1000000
          }
        }
        """, "B", 4, "x", count(9), "y", y, "N", 9);
    assertThat(y[0]).isEqualTo((8f * 10 + 22 + 1) * 10 + 6 + 3000000f);
  }

  @Test
  void raggedWorkReadsItsBounds() {
    float[] y = new float[5];
    run("""
        kernel k<B = 2>(offsets: i32[E + 1], x: f32[T], out y: f32[T]) {
          parallel e in E, i in offsets[e]..offsets[e + 1] by B { y[i] = x[i] * 10 + e }
        }
        """, "B", 2, "offsets", new int[] {0, 3, 3, 5}, "x", count(5), "y", y, "E", 3, "T", 5);
    assertThat(y).containsExactly(0, 10, 20, 32, 42);
    float[] z = new float[5];
    run("""
        kernel k<B = 2>(n: i32[1], x: f32[T], inout y: f32[T]) {
          parallel i in n[0] by B { y[i] = x[i] + 1 }
        }
        """, "B", 2, "n", new int[] {3}, "x", count(5), "y", z, "T", 5);
    assertThat(z).containsExactly(1, 2, 3, 0, 0);
  }

  @Test
  void gatherScatterAndOutsideLanes() {
    float[] y = new float[4];
    run("""
        kernel k<B = 4>(x: f32[N], idx: i32[M], out y: f32[M]) {
          parallel i in M by B { y[i] = x[idx[i]] pad -1 }
        }
        """, "B", 4, "x", count(3), "idx", new int[] {2, -1, 0, 5}, "y", y, "N", 3, "M", 4);
    assertThat(y).containsExactly(2, -1, 0, -1);
    float[] z = new float[6];
    run("""
        kernel k<B = 2>(x: f32[N], inout y: f32[2, 3]) {
          parallel i in N by B {
            y[rows(i) % 2, iota(3)[_, :]] += (x[i] pad 0)[:, _]
          }
        }
        """, "B", 2, "x", count(5), "y", z, "N", 5);
    assertThat(z).containsExactly(6, 6, 6, 4, 4, 4);
  }

  @Test
  void phasesSeeWhatWasWrittenBefore() {
    float[] y = new float[5];
    run("""
        kernel k<B = 2>(x: f32[N], out y: f32[N]) {
          temp t: f32[cdiv(N, B)]
          parallel i in N by B { t[i.index] = sum(x[i]) }
          let flat = view(t, [cdiv(N, B), 1])
          parallel i in N by B { y[i] = x[i] + flat[i.index, 0] }
        }
        """, "B", 2, "x", count(5), "y", y, "N", 5);
    assertThat(y).containsExactly(1, 2, 7, 8, 8);
  }

  @Test
  void userFunctionsInScansAndReductions() {
    float[] y = new float[4];
    int[] k = new int[4];
    run("""
        fn linear(a1: f32, b1: f32, a2: f32, b2: f32) { return a1 * a2, a2 * b1 + b2 }
        fn best(v1: f32, i1: i32, v2: f32, i2: i32) {
          if v1 >= v2 { return v1, i1 }
          return v2, i2
        }
        kernel k<D>(a: f32[D], b: f32[D], out y: f32[D], out k: i32[D]) {
          parallel u in 1 {
            let _, h = scan(a[:], b[:], axis = 0, fn = linear)
            let v, i = reduce(b[:], iota(D), axis = 0, fn = best)
            y[:] = h
            k[:] = i + zeros(i32[D])
          }
        }
        """, "D", 4, "a", new float[] {1, 2, 3, 4}, "b", new float[] {5, 6, 9, 8}, "y", y, "k", k);
    assertThat(y).containsExactly(5, 16, 57, 236);
    assertThat(k).containsOnly(2);
  }

  @Test
  void whatIsNotChosenIsNotExecuted() {
    float[] y = new float[1];
    run("""
        kernel k(x: f32[N], n: int, out y: f32[1]) {
          parallel u in 1 {
            let last = if n > 0 and x[n - 1] >= 0 then x[n - 1] else -1
            y[0] = last + (if n == 0 then 0 else 10 / n)
          }
        }
        """, "x", new float[1], "n", 0, "y", y, "N", 0);
    assertThat(y[0]).isEqualTo(-1);
  }

  @Test
  void integersRoundDownAndWrap() {
    int[] y = new int[6];
    run("""
        kernel k(x: i32[3], b: i8[2], out y: i32[6]) {
          parallel u in 1 {
            y[0:3] = x[:] / 3 + (x[:] % 3) * 100
            y[3:5] = b[:] + b[:]
            y[5] = sum(b[:]) as i32
          }
        }
        """, "x", new int[] {7, -7, -3}, "b", new byte[] {127, -128}, "y", y);
    assertThat(y).containsExactly(102, -3 + 200, -1, 254, -256, -1);
  }

  @Test
  void kernelsCallKernels() {
    float[] y = new float[6];
    run("""
        kernel k(x: f32[N], out y: f32[M]) {
          temp t: f32[N]
          add(x, t, 1.5, B = 2)
          let v = view(t, [M])
          add(v, y, 2)
        }
        kernel add<B = 4>(a: f32[P], out b: f32[P], s: f32) where P > 0 {
          parallel i in P by B { b[i] = a[i] + s }
        }
        """, "x", count(6), "y", y, "N", 6, "M", 6);
    assertThat(y).containsExactly(3.5f, 4.5f, 5.5f, 6.5f, 7.5f, 8.5f);
  }

  @Test
  void walkingARangeWithStride() {
    float[] y = new float[2];
    run("""
        kernel k(x: f32[N], out y: f32[2]) {
          parallel u in 1 {
            var s = 0.0
            var t = 0.0
            for i in 5 by 5 {
              for j in 2*i + 1 by 2 { s += sum(x[j]) }
              for j in i { t += x[2 * j] }
            }
            y[0] = s
            y[1] = t
          }
        }
        """, "x", count(11), "y", y, "N", 11);
    assertThat(y).containsExactly(1 + 3 + 5 + 7 + 9, 2 + 4 + 6 + 8);
  }

  @Test
  void softmaxOfRowsWithoutValidKeys() {
    float[] y = new float[4];
    run("""
        kernel k<D>(s: f32[2, D], v: bf16[D, 2], out y: f32[2, 2]) {
          parallel u in 1 {
            let m, l, acc = softmax_step(fill(-inf, f32[2, 1]), zeros(f32[2, 1]), zeros(f32[2, 2]), s[:, :], v[:, :])
            y[:, :] = where(l == 0, 0, acc / l)
          }
        }
        """, "D", 2, "s", new float[] {0, Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY},
        "v", new short[] {0x3f80, 0x4000, 0x4040, 0x4080}, "y", y);
    assertThat(y).containsExactly(1, 2, 0, 0);
  }

  @Test
  void earlyReturnsAndUnequalTypesOfSides() {
    float[] y = new float[3];
    run("""
        fn f(x: f32[M], n: int) {
          var z = x
          if n > 2 { return z * 2 }
          z = z + 1
          if n > 1 { z = z * 3 } else { return z }
          return z + 0.5
        }
        kernel k(n: i32[3], out y: f32[3]) {
          parallel u in 3 { y[u] = f(fill(1, f32[1]), n[u])[0] }
        }
        """, "n", new int[] {3, 2, 1}, "y", y);
    assertThat(y).containsExactly(2, 6.5f, 2);
  }
}
