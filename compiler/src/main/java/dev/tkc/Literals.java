package dev.tkc;

import java.util.Optional;

/** Numbers and truth values as a command line writes them. */
public final class Literals {
  private Literals() {}

  /** A {@code Long}, {@code Double} or {@code Boolean}; empty for any other text. */
  public static Optional<Object> parse(String text) {
    if (text.equals("true") || text.equals("false")) {
      return Optional.of(Boolean.valueOf(text));
    }
    try {
      if (text.matches("[+-]?\\d+")) {
        return Optional.of(Long.valueOf(text));
      }
      boolean real = text.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");
      return real ? Optional.of(Double.valueOf(text)) : Optional.empty();
    } catch (NumberFormatException tooLarge) {
      return Optional.empty();
    }
  }
}
