package dev.tkc.host;

import dev.tkc.Tensor;

/** A tensor with its last two dimensions swapped, in memory of its own. */
final class Transposed {
  private Transposed() {}

  static Tensor of(Tensor t) {
    long[] shape = Reference.swapped(t.shape());
    Tensor out = Tensor.zeros(t.element(), shape);
    long rows = t.dim(t.rank() - 2);
    long columns = t.dim(t.rank() - 1);
    long plane = rows * columns;
    for (long i = 0; i < t.count(); i++) {
      long inPlane = i % plane;
      out.setBits(i - inPlane + inPlane % columns * rows + inPlane / columns, t.bits(i));
    }
    return out;
  }
}
