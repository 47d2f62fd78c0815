package dev.tkc.ir.type;

/**
 * An array in global memory with sizes and strides known at run time. They are operands of the op that makes the
 * tensor, so the type carries only what never changes: the element and the rank.
 */
public record TensorType(Element element, int rank) implements Type {
  @Override
  public String text() {
    return "tensor<" + element.text() + ", " + rank + ">";
  }

  @Override
  public String toString() {
    return text();
  }
}
