package dev.tkc.io;

import dev.tkc.Tensor;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;

/** Column-major arrays made row-major. */
final class Fortran {
  private Fortran() {}

  /**
   * Copies {@code data}, first index fastest, into fresh memory with the last index fastest. Elements are whole bytes.
   */
  static Tensor toRowMajor(Element element, long[] shape, MemorySegment data) {
    Tensor out = Tensor.zeros(element, shape);
    int size = element.bits() / 8;
    int rank = shape.length;
    long[] stride = new long[rank];
    long step = size;
    for (int d = 0; d < rank; d++) {
      stride[d] = step;
      step *= shape[d];
    }
    long[] index = new long[rank];
    long from = 0;
    long count = out.count();
    for (long to = 0; to < count; to++) {
      MemorySegment.copy(data, from, out.data(), to * size, size);
      for (int d = rank - 1; d >= 0; d--) {
        from += stride[d];
        if (++index[d] < shape[d]) {
          break;
        }
        from -= stride[d] * shape[d];
        index[d] = 0;
      }
    }
    return out;
  }
}
