package dev.tkc.ir.interp;

/**
 * Padding provenance of a matrix product. A term is neutral if either factor is, inside if both are, and else foreign;
 * a sum skips neutral terms. So an element needs only to know, over all k, whether some term is foreign and whether
 * some is inside, which sets of bits along k answer.
 */
final class DotPadding {
  private DotPadding() {}

  /** The rows of a or columns of b of one product, each a set over k. */
  private record Sets(long[][] inside, long[][] foreign, int[] some) {}

  static int[] of(Tile a, Tile b, Tile acc, int batches) {
    if (a.origins() == null && b.origins() == null && acc.origins() == null) {
      return null;
    }
    int rank = a.shape().size();
    int m = a.shape().get(rank - 2);
    int k = a.shape().get(rank - 1);
    int n = b.shape().get(rank - 1);
    int[] out = new int[acc.count()];
    for (int batch = 0; batch < batches; batch++) {
      Sets rows = sets(a, batch * m * k, m, k, k, 1);
      Sets columns = sets(b, batch * k * n, n, k, 1, n);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          int at = (batch * m + i) * n + j;
          int product = state(rows, i, columns, j);
          boolean fresh = acc.spread() && acc.origin(at) == 0 && acc.isZero(at);
          out[at] = fresh ? product : Padding.sum(acc.origin(at), product);
        }
      }
    }
    return Padding.simplified(out);
  }

  private static Sets sets(Tile t, int base, int count, int k, int step, int kStep) {
    int words = (k + 63) / 64;
    Sets s = new Sets(new long[count][words], new long[count][words], new int[count]);
    for (int i = 0; i < count; i++) {
      for (int x = 0; x < k; x++) {
        int state = t.origin(base + i * step + x * kStep);
        if (state == 0) {
          s.inside[i][x >> 6] |= 1L << x;
        } else if (Padding.isForeign(state)) {
          s.foreign[i][x >> 6] |= 1L << x;
        }
        if (state != 0 && !Padding.isForeign(s.some[i])) {
          s.some[i] = state;
        }
      }
    }
    return s;
  }

  private static int state(Sets rows, int i, Sets columns, int j) {
    int some = rows.some[i] != 0 ? rows.some[i] : columns.some[j];
    if (some == 0) {
      return 0;
    }
    long foreign = 0;
    long inside = 0;
    for (int w = 0; w < rows.inside[i].length; w++) {
      long ra = rows.inside[i][w];
      long rf = rows.foreign[i][w];
      long ca = columns.inside[j][w];
      long cf = columns.foreign[j][w];
      foreign |= rf & (ca | cf) | ra & cf;
      inside |= ra & ca;
    }
    if (foreign != 0) {
      return Padding.isForeign(rows.some[i]) ? rows.some[i] : columns.some[j];
    }
    return inside != 0 ? 0 : some & ~1;
  }
}
