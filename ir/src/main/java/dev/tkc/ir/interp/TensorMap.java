package dev.tkc.ir.interp;

import java.util.List;

/**
 * What {@code make_tensor_map} gives: the tensor, and how a copy engine is to walk it. Devices encode it in their own
 * way.
 */
public record TensorMap(TensorView tensor, List<Integer> box, int swizzle) implements Datum {
  @Override
  public long bytes() {
    return 0;
  }
}
