package dev.tkc.ir.type;

import java.util.List;
import java.util.stream.Collectors;

/** Small functions on tile shapes. */
public final class Shapes {
  private Shapes() {}

  public static long count(List<Integer> shape) {
    if (shape.contains(0)) {
      return 0;
    }
    long n = 1;
    for (int d : shape) {
      n = Math.multiplyExact(n, (long) d);
    }
    return n;
  }

  public static String text(List<Integer> shape) {
    return shape.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }

  /** {@code shape} with size 1 at each of {@code axes}. */
  public static List<Integer> reduced(List<Integer> shape, List<Integer> axes) {
    return java.util.stream.IntStream.range(0, shape.size())
        .mapToObj(i -> axes.contains(i) ? 1 : shape.get(i)).toList();
  }

  /** Row-major strides, in elements. */
  public static long[] strides(List<Integer> shape) {
    long[] strides = new long[shape.size()];
    long s = 1;
    for (int i = shape.size() - 1; i >= 0; i--) {
      strides[i] = s;
      s *= shape.get(i);
    }
    return strides;
  }
}
