package dev.tkc.ir.layout;

import java.util.Locale;
import java.util.Optional;

/** What a layout's input bits count, in the order in which they make up one flat input (registers lowest). */
public enum InDim {
  /** A thread's registers that hold elements of the tile. */
  REGISTER,
  /** The threads of a warp or wave. */
  LANE,
  /** The warps of a block. */
  WARP,
  /** The blocks of a cluster. */
  BLOCK,
  /** An element's place in a shared buffer. */
  OFFSET;

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<InDim> byText(String text) {
    for (InDim dim : values()) {
      if (dim.text().equals(text)) {
        return Optional.of(dim);
      }
    }
    return Optional.empty();
  }
}
