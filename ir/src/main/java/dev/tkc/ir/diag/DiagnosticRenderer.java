package dev.tkc.ir.diag;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A diagnostic as a person reads it:
 *
 * <pre>{@code
 * error[TK0201]: the operands of `+` differ in size
 *   --> gemm.tk:12:13
 *    |
 * 12 |     let s = x + y
 *    |             - ^ - this is f32[64, 1]
 *    |             |
 *    |             this is f32[128, 64]
 *    |
 *    = note: …
 * help: …
 *    |
 * 12 -     let s = x + y
 * 12 +     let s = x + y.T
 * }</pre>
 *
 * <p>The first label is the primary one. Nothing depends on the terminal: lines are not wrapped, and colours are
 * written only when asked for.
 */
public final class DiagnosticRenderer {
  /** A fix that replaces more lines than this is described, not shown. */
  private static final int MAX_FIX_LINES = 8;

  private final boolean colors;

  public DiagnosticRenderer(boolean colors) {
    this.colors = colors;
  }

  /** Ends with a line break; several diagnostics are to be separated by an empty line. */
  public String render(Diagnostic d) {
    StringBuilder out = new StringBuilder();
    Style severity = d.isError() ? Style.ERROR : Style.WARNING;
    out.append(paint(severity, d.severity().word() + "[" + d.code().id() + "]"))
        .append(paint(Style.MESSAGE, ": " + d.message()))
        .append('\n');
    int digits = Integer.toString(lastLine(d)).length();
    snippets(d, severity, digits, out);
    for (String note : d.notes()) {
      remark(digits, "note", Style.NOTE, note, out);
    }
    for (Diagnostic.Suggestion s : d.suggestions()) {
      if (!isFix(s)) {
        remark(digits, "help", Style.HELP, s.text(), out);
      }
    }
    for (Diagnostic.Suggestion s : d.suggestions()) {
      if (isFix(s)) {
        fix(s, digits, out);
      }
    }
    return out.toString();
  }

  /** All of them, an empty line between two. */
  public String render(List<Diagnostic> diagnostics) {
    return String.join("\n", diagnostics.stream().map(this::render).toList());
  }

  private String paint(Style style, String text) {
    return colors ? style.paint(text) : text;
  }

  private static int lastLine(Diagnostic d) {
    int last = 1;
    for (Diagnostic.Label label : d.labels()) {
      last = Math.max(last, Snippet.endLine(label.span()));
    }
    for (Diagnostic.Suggestion s : d.suggestions()) {
      last = s.span() == null ? last : Math.max(last, Snippet.endLine(s.span()));
    }
    return last;
  }

  private void snippets(Diagnostic d, Style severity, int digits, StringBuilder out) {
    if (d.labels().isEmpty()) {
      return;
    }
    Diagnostic.Label primary = d.labels().get(0);
    Map<Source, List<Diagnostic.Label>> bySource = new LinkedHashMap<>();
    for (Diagnostic.Label label : d.labels()) {
      bySource.computeIfAbsent(label.span().source(), _ -> new ArrayList<>()).add(label);
    }
    for (Map.Entry<Source, List<Diagnostic.Label>> e : bySource.entrySet()) {
      Span at = e.getValue().get(0).span();
      boolean first = e.getKey() == primary.span().source();
      if (!first) {
        gutter(digits, out);
      }
      out.append(" ".repeat(digits)).append(paint(Style.GUTTER, first ? "-->" : ":::")).append(' ').append(at)
          .append('\n');
      gutter(digits, out);
      for (Snippet.Row row : Snippet.draw(e.getKey(), e.getValue(), primary, severity)) {
        row(row, digits, out);
      }
    }
    if (!d.notes().isEmpty() || !d.suggestions().stream().allMatch(DiagnosticRenderer::isFix)) {
      gutter(digits, out);
    }
  }

  private void gutter(int digits, StringBuilder out) {
    out.append(" ".repeat(digits + 1)).append(paint(Style.GUTTER, "|")).append('\n');
  }

  private void row(Snippet.Row row, int digits, StringBuilder out) {
    String text = row.text().text(colors);
    if (row.number() == Snippet.GAP) {
      out.append(paint(Style.GUTTER, "..."));
      out.append(text.isEmpty() ? "" : " ".repeat(digits) + text);
    } else {
      String number = row.number() == Snippet.UNNUMBERED ? "" : Integer.toString(row.number());
      out.append(paint(Style.GUTTER, " ".repeat(digits - number.length()) + number + " |"));
      out.append(text.isEmpty() ? "" : " " + text);
    }
    out.append('\n');
  }

  /** {@code = note: …}; further lines of the text begin below the first one's. */
  private void remark(int digits, String word, Style style, String text, StringBuilder out) {
    String indent = " ".repeat(digits + 1 + 2 + word.length() + 2);
    out.append(" ".repeat(digits + 1)).append(paint(Style.GUTTER, "= ")).append(paint(style, word)).append(": ");
    out.append(text.stripTrailing().replace("\n", "\n" + indent)).append('\n');
  }

  private static boolean isFix(Diagnostic.Suggestion s) {
    return s.span() != null && s.replacement() != null;
  }

  /** The lines as they are and as they would be. */
  private void fix(Diagnostic.Suggestion s, int digits, StringBuilder out) {
    Span span = s.span();
    Source source = span.source();
    int from = span.line();
    int to = Snippet.endLine(span);
    int end = source.lineStart(to) + source.lineText(to).length();
    String before = source.text().substring(source.lineStart(from), span.start());
    String after = source.text().substring(Math.min(span.end(), end), end);
    List<String> fixed = (before + s.replacement() + after).lines().toList();
    out.append(paint(Style.HELP, "help")).append(": ").append(s.text()).append('\n');
    if (to - from >= MAX_FIX_LINES || fixed.size() > MAX_FIX_LINES) {
      return;
    }
    gutter(digits, out);
    for (int line = from; line <= to; line++) {
      fixLine(line, '-', source.lineText(line), before.length(), digits, out);
    }
    for (int i = 0; i < fixed.size(); i++) {
      fixLine(from + i, '+', fixed.get(i), before.length(), digits, out);
    }
  }

  private void fixLine(int number, char sign, String text, int focus, int digits, StringBuilder out) {
    Style style = sign == '+' ? Style.ADDED : Style.REMOVED;
    String line = Integer.toString(number);
    out.append(paint(Style.GUTTER, " ".repeat(Math.max(0, digits - line.length())) + line)).append(' ');
    String shown = new DisplayLine(text, focus).text().stripTrailing();
    out.append(paint(style, shown.isEmpty() ? "" + sign : sign + " " + shown)).append('\n');
  }
}
