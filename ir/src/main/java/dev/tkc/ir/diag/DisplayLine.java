package dev.tkc.ir.diag;

/**
 * A source line as a terminal shows it, and where its characters are then: a tab advances to the next multiple of 4,
 * wide characters take two columns, combining ones none, control characters show as one replacement. Of a very long
 * line only a window is shown.
 */
final class DisplayLine {
  private static final int TAB = 4;
  private static final int MAX_WIDTH = 180;
  private static final int MARGIN = 60;

  private final StringBuilder text = new StringBuilder();
  private final int[] columns;
  private final int shift;

  /** {@code focus} is a position in the line (in UTF-16 units) that must be shown. */
  DisplayLine(String line, int focus) {
    int n = line.length();
    int from = n <= MAX_WIDTH ? 0 : Math.max(0, Math.min(focus, n) - MARGIN);
    int to = n <= MAX_WIDTH ? n : Math.min(n, from + MAX_WIDTH);
    from = onBoundary(line, from);
    to = onBoundary(line, to);
    columns = new int[n + 1];
    shift = from > 0 ? 1 : 0;
    text.append(from > 0 ? "…" : "");
    int column = shift;
    for (int i = 0; i < n; ) {
      int c = line.codePointAt(i);
      int units = Character.charCount(c);
      for (int k = 0; k < units; k++) {
        columns[i + k] = column;
      }
      if (i >= from && i < to) {
        column += show(c, column);
      }
      i += units;
    }
    columns[n] = column;
    text.append(to < n ? "…" : "");
  }

  private static int onBoundary(String line, int at) {
    boolean inside = at > 0 && at < line.length() && Character.isLowSurrogate(line.charAt(at));
    return inside ? at - 1 : at;
  }

  private int show(int c, int column) {
    if (c == '\t') {
      int width = TAB - column % TAB;
      text.repeat(" ", width);
      return width;
    }
    int type = Character.getType(c);
    boolean hidden = type == Character.CONTROL || type == Character.FORMAT || type == Character.SURROGATE;
    text.appendCodePoint(hidden ? '\ufffd' : c);
    return hidden ? 1 : width(c, type);
  }

  /** Columns a character takes: by the blocks of East Asian wide characters and emoji. */
  private static int width(int c, int type) {
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    boolean wide =
        c >= 0x1100 && c <= 0x115f
            || c >= 0x2e80 && c <= 0xa4cf
            || c >= 0xac00 && c <= 0xd7a3
            || c >= 0xf900 && c <= 0xfaff
            || c >= 0xfe30 && c <= 0xfe6f
            || c >= 0xff00 && c <= 0xff60
            || c >= 0xffe0 && c <= 0xffe6
            || c >= 0x1f300 && c <= 0x1f64f
            || c >= 0x1f680 && c <= 0x1f6ff
            || c >= 0x1f900 && c <= 0x1f9ff
            || c >= 0x20000 && c <= 0x3fffd;
    return wide ? 2 : 1;
  }

  String text() {
    return text.toString();
  }

  /**
   * The column at which the character at {@code offset} of the line begins; past the end, the column after the last.
   */
  int column(int offset) {
    return columns[Math.min(offset, columns.length - 1)];
  }
}
