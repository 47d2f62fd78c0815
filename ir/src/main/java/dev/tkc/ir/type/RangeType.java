package dev.tkc.ir.type;

/**
 * A run of {@code size} lanes along a dimension, of which a leading number is valid ({@code LANGUAGE} "Tile ranges").
 */
public record RangeType(int size) implements Type {
  public RangeType {
    if (size < 1) {
      throw new IllegalArgumentException("a range has at least one lane, not " + size);
    }
  }

  @Override
  public String text() {
    return "range<" + size + ">";
  }

  @Override
  public String toString() {
    return text();
  }
}
