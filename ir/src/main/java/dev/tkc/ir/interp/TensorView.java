package dev.tkc.ir.interp;

import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.type.Element;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** A tensor at run time: a buffer seen with sizes and strides, both in elements. */
public record TensorView(Buffer buffer, long[] sizes, long[] strides, Access access, String name) implements Datum {
  public Element element() {
    return buffer.element();
  }

  public int rank() {
    return sizes.length;
  }

  /** The number of elements. */
  public long count() {
    return count(sizes);
  }

  static long count(long[] sizes) {
    return Arrays.stream(sizes).anyMatch(s -> s == 0) ? 0 : Arrays.stream(sizes).reduce(1, Math::multiplyExact);
  }

  /** One past the highest offset that an element has; 0 if there are none. */
  long extent() {
    long last = 0;
    for (int d = 0; d < sizes.length; d++) {
      if (sizes[d] == 0) {
        return 0;
      }
      last = Math.addExact(last, Math.multiplyExact(sizes[d] - 1, Math.max(strides[d], 0)));
    }
    return last + 1;
  }

  boolean isContiguous() {
    return count() == 0 || Arrays.equals(effective(strides), effective(rowMajor(sizes)));
  }

  /** Strides with those of dimensions of size 1, which say nothing, taken out. */
  private long[] effective(long[] all) {
    long[] out = all.clone();
    for (int d = 0; d < out.length; d++) {
      out[d] = sizes[d] == 1 ? 0 : out[d];
    }
    return out;
  }

  static long[] rowMajor(long[] sizes) {
    long[] strides = new long[sizes.length];
    long stride = 1;
    for (int d = sizes.length - 1; d >= 0; d--) {
      strides[d] = stride;
      stride = Math.multiplyExact(stride, Math.max(sizes[d], 1));
    }
    return strides;
  }

  /** The element at an offset as source text: {@code c[3, 5]}. */
  String place(long offset) {
    long rest = offset;
    long[] index = new long[sizes.length];
    Integer[] order = new Integer[sizes.length];
    Arrays.setAll(order, d -> d);
    Arrays.sort(order, (a, b) -> Long.compare(strides[b], strides[a]));
    for (int d : order) {
      if (strides[d] > 0 && sizes[d] > 1) {
        index[d] = Math.min(rest / strides[d], sizes[d] - 1);
        rest -= index[d] * strides[d];
      }
    }
    return index.length == 0 ? name : name + text(index);
  }

  /** {@code c: bf16[257, 515]}. */
  String described() {
    return name + ": " + element().text() + (sizes.length == 0 ? "" : text(sizes));
  }

  private static String text(long[] numbers) {
    return LongStream.of(numbers).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
  }

  @Override
  public long bytes() {
    return 0;
  }
}
