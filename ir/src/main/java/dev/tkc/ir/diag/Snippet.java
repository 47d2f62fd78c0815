package dev.tkc.ir.diag;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Draws the labelled lines of one source: {@code ^^^} under the primary label, {@code ---} under the others, texts
 * beside or below them, a bracket at the left for a label of several lines, {@code ...} for lines left out.
 */
final class Snippet {
  /** A label in lines and display columns; {@code bracket} is its column at the left if it spans lines, else -1. */
  private record Mark(int line, int column, int endLine, int endColumn, String text, boolean primary, int bracket) {
    boolean spansLines() {
      return bracket >= 0;
    }

    String stroke() {
      return primary ? "^" : "-";
    }

    int width() {
      return Math.max(1, endColumn - column);
    }
  }

  /**
   * A row of the drawing; {@code number} is {@link #UNNUMBERED} for rows that are no source line, {@link #GAP} for a
   * gap.
   */
  record Row(int number, TextRow text) {}

  static final int UNNUMBERED = 0;
  static final int GAP = -1;

  private final Source source;
  private final Style primaryStyle;
  private final List<Mark> marks = new ArrayList<>();
  private final List<Row> rows = new ArrayList<>();
  private final Map<Integer, DisplayLine> shown = new HashMap<>();
  private final int left;

  private Snippet(Source source, List<Diagnostic.Label> labels, Diagnostic.Label primary, Style primaryStyle) {
    this.source = source;
    this.primaryStyle = primaryStyle;
    // The first label of a line, the primary one before all, is what a window on a very long line shows.
    show(primary);
    labels.forEach(this::show);
    int brackets = 0;
    for (Diagnostic.Label label : labels) {
      Span span = label.span();
      int endLine = endLine(span);
      int bracket = endLine > span.line() ? brackets++ : -1;
      int column = column(span.start(), span.line());
      String text = label.text().replace('\n', ' ');
      marks.add(new Mark(span.line(), column, endLine, column(span.end(), endLine), text, label == primary, bracket));
    }
    this.left = brackets == 0 ? 0 : brackets + 1;
  }

  /** All of {@code labels} lie in {@code source}; {@code primary} may lie elsewhere. */
  static List<Row> draw(Source source, List<Diagnostic.Label> labels, Diagnostic.Label primary, Style primaryStyle) {
    Snippet snippet = new Snippet(source, labels, primary, primaryStyle);
    int last = 0;
    for (int line : snippet.lines()) {
      if (last != 0 && line == last + 2) {
        snippet.rows.add(new Row(last + 1, snippet.sourceRow(last + 1)));
      } else if (last != 0 && line > last + 2) {
        snippet.rows.add(new Row(GAP, snippet.row(last + 1)));
      }
      snippet.line(line);
      last = line;
    }
    return snippet.rows;
  }

  /** The line of the last character: a span that ends with a line break does not reach into the next line. */
  static int endLine(Span span) {
    return span.end() > span.start() ? span.source().line(span.end() - 1) : span.line();
  }

  private void show(Diagnostic.Label label) {
    Span span = label.span();
    if (span.source() == source) {
      show(span.line(), span.start() - source.lineStart(span.line()));
      int endLine = endLine(span);
      show(endLine, span.end() - source.lineStart(endLine));
    }
  }

  private DisplayLine show(int line, int focus) {
    return shown.computeIfAbsent(line, l -> new DisplayLine(source.lineText(l), focus));
  }

  private int column(int offset, int line) {
    return shown.get(line).column(offset - source.lineStart(line));
  }

  private TreeSet<Integer> lines() {
    TreeSet<Integer> lines = new TreeSet<>();
    for (Mark mark : marks) {
      lines.add(mark.line());
      lines.add(mark.endLine());
      if (mark.spansLines()) {
        lines.add(mark.line() + 1);
        lines.add(mark.endLine() - 1);
      }
    }
    return lines;
  }

  private Style style(Mark mark) {
    return mark.primary() ? primaryStyle : Style.GUTTER;
  }

  /** A row that begins with the brackets that are open when {@code line} begins. */
  private TextRow row(int line) {
    TextRow row = new TextRow();
    for (Mark mark : marks) {
      if (mark.spansLines() && mark.line() < line && line <= mark.endLine()) {
        row.put(mark.bracket(), "|", style(mark));
      }
    }
    return row;
  }

  private TextRow sourceRow(int line) {
    return row(line).end(left, show(line, 0).text(), Style.PLAIN);
  }

  private void line(int line) {
    TextRow text = sourceRow(line);
    List<Mark> opening = new ArrayList<>();
    for (Mark mark : marks) {
      if (mark.spansLines() && mark.line() == line) {
        // At the beginning of the line a slash beside it says enough; otherwise a line is drawn to the place.
        if (show(line, 0).text().substring(0, mark.column()).isBlank()) {
          text.put(mark.bracket(), "/", style(mark));
        } else {
          opening.add(mark);
        }
      }
    }
    rows.add(new Row(line, text));
    within(line);
    for (Mark mark : opening) {
      TextRow row = bars(line, opening.subList(opening.indexOf(mark), opening.size()));
      row.put(mark.bracket() + 1, "_".repeat(left + mark.column() - mark.bracket() - 1), style(mark));
      rows.add(new Row(UNNUMBERED, row.put(left + mark.column(), mark.stroke(), style(mark))));
    }
    List<Mark> closed = new ArrayList<>();
    for (Mark mark : marks) {
      if (mark.spansLines() && mark.endLine() == line) {
        TextRow row = bars(line + 1, List.of());
        marks.stream()
            .filter(m -> m.spansLines() && m.endLine() == line && !closed.contains(m))
            .forEach(m -> row.put(m.bracket(), "|", style(m)));
        int at = left + Math.max(0, mark.endColumn() - 1);
        row.put(mark.bracket() + 1, "_".repeat(Math.max(0, at - mark.bracket() - 1)), style(mark));
        row.put(at, mark.stroke(), style(mark));
        rows.add(new Row(UNNUMBERED, row.end(at + 2, mark.text(), style(mark))));
        closed.add(mark);
      }
    }
  }

  /** The brackets open after {@code line}'s labels but for {@code notYet}. */
  private TextRow bars(int line, List<Mark> notYet) {
    TextRow row = new TextRow();
    for (Mark mark : marks) {
      boolean open = mark.spansLines() && mark.line() <= line && line <= mark.endLine() && !notYet.contains(mark);
      if (open) {
        row.put(mark.bracket(), "|", style(mark));
      }
    }
    return row;
  }

  /** The labels that lie within a line. */
  private void within(int line) {
    List<Mark> here =
        marks.stream()
            .filter(m -> !m.spansLines() && m.line() == line)
            .sorted(Comparator.comparingInt(Mark::column).reversed())
            .toList();
    if (here.isEmpty()) {
      return;
    }
    TextRow strokes = row(line);
    for (boolean primary : new boolean[] {false, true}) {
      for (Mark mark : here) {
        if (mark.primary() == primary) {
          strokes.put(left + mark.column(), mark.stroke().repeat(mark.width()), style(mark));
        }
      }
    }
    rows.add(new Row(UNNUMBERED, strokes));
    List<Mark> hanging = new ArrayList<>(here);
    Mark rightmost = here.get(0);
    int end = left + rightmost.column() + rightmost.width();
    if (strokes.width() == end && here.stream().filter(m -> m.column() == rightmost.column()).count() == 1) {
      strokes.end(end + 1, rightmost.text(), style(rightmost));
      hanging.remove(rightmost);
    }
    hanging.removeIf(m -> m.text().isEmpty());
    hang(line, hanging);
  }

  /** Texts that find no place beside their label: below it, the rightmost first. */
  private void hang(int line, List<Mark> hanging) {
    for (int i = 0; i < hanging.size(); i++) {
      if (i == 0) {
        rows.add(new Row(UNNUMBERED, connectors(line, hanging)));
      }
      Mark mark = hanging.get(i);
      TextRow row = connectors(line, hanging.subList(i + 1, hanging.size()));
      rows.add(new Row(UNNUMBERED, row.end(left + mark.column(), mark.text(), style(mark))));
    }
  }

  private TextRow connectors(int line, List<Mark> hanging) {
    TextRow row = row(line);
    for (Mark mark : hanging) {
      row.put(left + mark.column(), "|", style(mark));
    }
    return row;
  }
}
