package dev.tkc.ir.type;

/** The address of an array in global memory, as a kernel receives it. Only {@code make_tensor} uses one. */
public record PointerType(Element element) implements Type {
  @Override
  public String text() {
    return "ptr<" + element.text() + ">";
  }

  @Override
  public String toString() {
    return text();
  }
}
