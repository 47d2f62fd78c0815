package dev.tkc.ir.diag;

import java.util.ArrayList;
import java.util.List;

/** One row of a drawing, made of cells one column wide; the last cell may hold a text of any width. */
final class TextRow {
  private final List<String> cells = new ArrayList<>();
  private final List<Style> styles = new ArrayList<>();

  /** Puts {@code text}, one cell for each character, over what is there. */
  TextRow put(int column, String text, Style style) {
    for (int i = 0; i < text.length(); i++) {
      cell(column + i, text.substring(i, i + 1), style);
    }
    return this;
  }

  /** Puts {@code text} into one cell; nothing may follow it. */
  TextRow end(int column, String text, Style style) {
    cell(column, text, style);
    return this;
  }

  private void cell(int column, String text, Style style) {
    while (cells.size() <= column) {
      cells.add(" ");
      styles.add(Style.PLAIN);
    }
    cells.set(column, text);
    styles.set(column, style);
  }

  int width() {
    return cells.size();
  }

  /** The row without blanks at its end. */
  String text(boolean colors) {
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < cells.size()) {
      StringBuilder run = new StringBuilder();
      Style style = styles.get(i);
      for (; i < cells.size() && styles.get(i) == style; i++) {
        run.append(cells.get(i));
      }
      out.append(colors ? style.paint(run.toString()) : run);
    }
    return out.toString().stripTrailing();
  }
}
