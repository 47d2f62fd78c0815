package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.TileType;
import java.util.Arrays;

/**
 * Matrix products. For each element the accumulator takes the products in the order of k, one rounding for each product
 * and one for each sum, in f32 (products of bf16, f16 and fp8 are exact there), f64 or wrapping i32;
 * {@code docs/numerics.md} is the rule.
 */
final class MatrixEval {
  /** Columns of b that stay in the nearest cache while rows of a go by. */
  private static final int COLUMNS = 512;
  private static final int DEPTH = 128;

  private final Machine machine;

  MatrixEval(Machine machine) {
    this.machine = machine;
  }

  Tile evaluate(Inst inst, MatrixOp op, Frame frame) {
    return switch (op) {
      case MatrixOp.Dot o -> dot(inst, frame.tile(o.a()), frame.tile(o.b()), frame.tile(o.acc()), o.precision());
    };
  }

  /** The sizes of one product of a batch, and where its operands begin. */
  private record Sizes(int m, int n, int k) {}

  /** What a product starts from that adds to nothing. */
  Tile zeros(Inst inst, TileType type) {
    return new Tile(type.element(), type.shape(), machine.allocate(inst, type.element(), type.count()), null, true);
  }

  Tile dot(Inst inst, Tile a, Tile b, Tile acc, Precision precision) {
    int rank = a.shape().size();
    Sizes s = new Sizes(a.shape().get(rank - 2), b.shape().get(rank - 1), a.shape().get(rank - 1));
    Object out = machine.allocate(inst, acc.element(), acc.count());
    System.arraycopy(acc.data(), 0, out, 0, acc.count());
    int batches = s.m * s.n == 0 ? 0 : acc.count() / (s.m * s.n);
    for (int batch = 0; batch < batches; batch++) {
      int atA = batch * s.m * s.k;
      int atB = batch * s.k * s.n;
      int atC = batch * s.m * s.n;
      machine.budget().work(inst, (long) s.m * s.n * s.k);
      switch (out) {
        case float[] c -> floats(inst, s, a.floats(), atA, b.floats(), atB, c, atC, precision);
        case double[] c -> doubles(inst, s, a.doubles(), atA, b.doubles(), atB, c, atC);
        case long[] c -> integers(inst, s, a.longs(), atA, b.longs(), atB, c, atC);
        default -> throw new IllegalStateException();
      }
    }
    return new Tile(acc.element(), acc.shape(), out, DotPadding.of(a, b, acc, batches), false);
  }

  private void floats(Inst inst, Sizes s, float[] a, int atA, float[] b, int atB, float[] c, int atC, Precision p) {
    switch (p) {
      case DEFAULT, IEEE -> sums(inst, s, a, atA, b, atB, c, atC);
      case TF32 -> sums(inst, s, tf32(a, atA, s.m * s.k), 0, tf32(b, atB, s.k * s.n), 0, c, atC);
      case TF32X3 -> {
        float[] a1 = tf32(a, atA, s.m * s.k);
        float[] b1 = tf32(b, atB, s.k * s.n);
        float[] a0 = tf32(rest(a, atA, a1), 0, a1.length);
        float[] b0 = tf32(rest(b, atB, b1), 0, b1.length);
        sums(inst, s, a0, 0, b1, 0, c, atC);
        sums(inst, s, a1, 0, b0, 0, c, atC);
        sums(inst, s, a1, 0, b1, 0, c, atC);
      }
    }
  }

  /** {@code c += a @ b}, blocked for the caches; for each element of c the order is that of k. */
  private void sums(Inst inst, Sizes s, float[] a, int atA, float[] b, int atB, float[] c, int atC) {
    for (int k0 = 0; k0 < s.k; k0 += DEPTH) {
      int k1 = Math.min(s.k, k0 + DEPTH);
      for (int j0 = 0; j0 < s.n; j0 += COLUMNS) {
        int width = Math.min(s.n - j0, COLUMNS);
        machine.budget().checkInterrupt(inst);
        for (int i = 0; i < s.m; i++) {
          int row = atC + i * s.n + j0;
          int k = k0;
          for (; k + 4 <= k1; k += 4) {
            int at = atA + i * s.k + k;
            four(c, row, width, a[at], a[at + 1], a[at + 2], a[at + 3], b, atB + k * s.n + j0, s.n);
          }
          for (; k < k1; k++) {
            one(c, row, width, a[atA + i * s.k + k], b, atB + k * s.n + j0);
          }
        }
      }
    }
  }

  private static void one(float[] c, int at, int width, float x, float[] b, int row) {
    for (int j = 0; j < width; j++) {
      c[at + j] = c[at + j] + x * b[row + j];
    }
  }

  private static void four(float[] c, int at, int width, float x0, float x1, float x2, float x3, float[] b, int row,
      int n) {
    int row1 = row + n;
    int row2 = row1 + n;
    int row3 = row2 + n;
    for (int j = 0; j < width; j++) {
      c[at + j] = (((c[at + j] + x0 * b[row + j]) + x1 * b[row1 + j]) + x2 * b[row2 + j]) + x3 * b[row3 + j];
    }
  }

  private void doubles(Inst inst, Sizes s, double[] a, int atA, double[] b, int atB, double[] c, int atC) {
    for (int i = 0; i < s.m; i++) {
      machine.budget().checkInterrupt(inst);
      int row = atC + i * s.n;
      for (int k = 0; k < s.k; k++) {
        double x = a[atA + i * s.k + k];
        int from = atB + k * s.n;
        for (int j = 0; j < s.n; j++) {
          c[row + j] = c[row + j] + x * b[from + j];
        }
      }
    }
  }

  private void integers(Inst inst, Sizes s, long[] a, int atA, long[] b, int atB, long[] c, int atC) {
    int[] narrow = new int[s.k * s.n];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (int) b[atB + i];
    }
    int[] sums = new int[s.n];
    for (int i = 0; i < s.m; i++) {
      machine.budget().checkInterrupt(inst);
      int row = atC + i * s.n;
      for (int j = 0; j < s.n; j++) {
        sums[j] = (int) c[row + j];
      }
      for (int k = 0; k < s.k; k++) {
        int x = (int) a[atA + i * s.k + k];
        int from = k * s.n;
        for (int j = 0; j < s.n; j++) {
          sums[j] += x * narrow[from + j];
        }
      }
      for (int j = 0; j < s.n; j++) {
        c[row + j] = sums[j];
      }
    }
  }

  /** To 10 mantissa bits, to nearest, ties away from zero, as the hardware's conversion does. */
  static float tf32(float x) {
    if (!Float.isFinite(x)) {
      return x;
    }
    return Float.intBitsToFloat(Float.floatToRawIntBits(x) + 0x1000 & 0xffffe000);
  }

  private static float[] tf32(float[] x, int at, int n) {
    float[] out = Arrays.copyOfRange(x, at, at + n);
    for (int i = 0; i < n; i++) {
      out[i] = tf32(out[i]);
    }
    return out;
  }

  /** What rounding to tf32 left over; nothing where it gave an infinity or a NaN. */
  private static float[] rest(float[] x, int at, float[] rounded) {
    float[] out = new float[rounded.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = Float.isFinite(rounded[i]) ? x[at + i] - rounded[i] : 0;
    }
    return out;
  }
}
