package dev.tkc.ir.type;

/**
 * What a copy engine has to know about a tensor: made by the host for a launch, passed by value to a device function.
 */
public record TensorMapType() implements Type {
  @Override
  public String text() {
    return "tensor_map";
  }

  @Override
  public String toString() {
    return text();
  }
}
