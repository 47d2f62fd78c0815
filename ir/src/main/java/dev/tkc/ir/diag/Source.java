package dev.tkc.ir.diag;

import java.util.Arrays;
import java.util.Objects;

/**
 * A text that spans point into: a {@code .tk} or {@code .tir} file, standard input, or a string from the API.
 *
 * <p>Identity matters (two files may hold the same text), so this is a class and not a record.
 */
public final class Source {
  private final String name;
  private final String text;
  private final int[] lineStarts;

  public Source(String name, String text) {
    this.name = Objects.requireNonNull(name);
    this.text = Objects.requireNonNull(text);
    this.lineStarts = lineStarts(text);
  }

  private static int[] lineStarts(String text) {
    int[] starts = new int[16];
    int count = 1;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\n') {
        if (count == starts.length) {
          starts = Arrays.copyOf(starts, 2 * count);
        }
        starts[count++] = i + 1;
      }
    }
    return Arrays.copyOf(starts, count);
  }

  /** The name to show to a person: a path as the user gave it, or {@code <stdin>}. */
  public String name() {
    return name;
  }

  public String text() {
    return text;
  }

  /** The line that holds {@code offset}, from 1. */
  public int line(int offset) {
    int i = Arrays.binarySearch(lineStarts, offset);
    return i >= 0 ? i + 1 : -i - 1;
  }

  /** The column of {@code offset} in its line, from 1, in UTF-16 units. */
  public int column(int offset) {
    return offset - lineStarts[line(offset) - 1] + 1;
  }

  /** The text of a line (from 1) without its line break. */
  public String lineText(int line) {
    int start = lineStarts[line - 1];
    int end = line < lineStarts.length ? lineStarts[line] - 1 : text.length();
    return text.substring(start, end).replace("\r", "");
  }

  /** Where a line (from 1) begins. */
  public int lineStart(int line) {
    return lineStarts[line - 1];
  }

  public int lineCount() {
    return lineStarts.length;
  }

  @Override
  public String toString() {
    return name;
  }
}
