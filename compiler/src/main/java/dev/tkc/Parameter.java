package dev.tkc;

import dev.tkc.ir.type.Element;
import java.util.List;

/**
 * A parameter of a kernel.
 *
 * @param dims the dimensions as written; empty for a scalar
 */
public record Parameter(Mode mode, String name, Element element, boolean tensor, List<String> dims) {
  /** What the kernel does with the argument. */
  public enum Mode {
    IN,
    OUT,
    INOUT
  }

  public Parameter {
    dims = List.copyOf(dims);
  }

  public boolean isWritten() {
    return mode != Mode.IN;
  }

  public boolean isRead() {
    return mode != Mode.OUT;
  }

  /** {@code out c: bf16[M, N]}. */
  @Override
  public String toString() {
    String prefix = mode == Mode.IN ? "" : mode.name().toLowerCase(java.util.Locale.ROOT) + " ";
    return prefix + name + ": " + element.text() + (tensor ? "[" + String.join(", ", dims) + "]" : "");
  }
}
