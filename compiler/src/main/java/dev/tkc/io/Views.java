package dev.tkc.io;

import dev.tkc.Tensor;
import dev.tkc.ir.type.Element;
import java.util.Optional;

/** Reading raw bytes as the element type a caller knows them to be. */
final class Views {
  private Views() {}

  /**
   * The tensor as {@code wanted} where its own type is only a carrier of bits: u8 for the 8-bit types and, with half
   * the last dimension, for 4-bit ones; u16 for bf16 and f16. Any other tensor is returned as it is, and a launch that
   * wants another type says so.
   */
  static Tensor reinterpret(Tensor tensor, Optional<Element> wanted) {
    if (wanted.isEmpty() || tensor.element() == wanted.get()) {
      return tensor;
    }
    Element want = wanted.get();
    boolean carrier =
        switch (tensor.element()) {
          case U8 -> want.isFp8() || want == Element.E8M0 || want.bits() < 8 || want == Element.BOOL;
          case U16 -> want == Element.BF16 || want == Element.F16;
          default -> false;
        };
    if (!carrier) {
      return tensor;
    }
    long[] shape = tensor.shape();
    if (want.bits() < 8) {
      if (shape.length == 0) {
        return tensor;
      }
      shape[shape.length - 1] *= 2;
    }
    return tensor.as(want, shape);
  }
}
