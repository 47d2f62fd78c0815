package dev.tkc.ir;

import dev.tkc.ir.diag.Span;
import java.util.Optional;

/**
 * Where in the user's text an instruction comes from. Lines and columns count from 1; the end is exclusive.
 *
 * <p>{@code caller} is the place where the function that holds this code was inlined. {@code span} is present when the
 * text is at hand (not after reading a {@code .tir} file) and takes no part in equality.
 */
public record Loc(String file, int line, int column, int endLine, int endColumn, Optional<Loc> caller,
    Optional<Span> span) {
  public static final Loc UNKNOWN = new Loc("", 0, 0, 0, 0, Optional.empty(), Optional.empty());

  public static Loc of(Span span) {
    return new Loc(
        span.source().name(), span.line(), span.column(), span.source().line(span.end()),
        span.source().column(span.end()), Optional.empty(), Optional.of(span));
  }

  public static Loc at(String file, int line, int column, int endLine, int endColumn) {
    return new Loc(file, line, column, endLine, endColumn, Optional.empty(), Optional.empty());
  }

  /** This place as seen through one more level of inlining. */
  public Loc inlinedAt(Loc call) {
    Optional<Loc> outer = caller.map(c -> c.inlinedAt(call)).or(() -> Optional.of(call));
    return new Loc(file, line, column, endLine, endColumn, outer, span);
  }

  public boolean isKnown() {
    return line > 0;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Loc l && l.file.equals(file) && l.line == line && l.column == column
        && l.endLine == endLine && l.endColumn == endColumn && l.caller.equals(caller);
  }

  @Override
  public int hashCode() {
    return (file.hashCode() * 31 + line) * 31 + column;
  }

  /** {@code loc("f.tk":3:5-3:9)}, with {@code <- "f.tk":7:1-7:4} for each caller. */
  public String text() {
    StringBuilder out = new StringBuilder("loc(");
    appendPlace(out);
    for (Optional<Loc> c = caller; c.isPresent(); c = c.get().caller) {
      out.append(" <- ");
      c.get().appendPlace(out);
    }
    return out.append(')').toString();
  }

  private void appendPlace(StringBuilder out) {
    out.append('"').append(file).append("\":").append(line).append(':').append(column)
        .append('-').append(endLine).append(':').append(endColumn);
  }

  /** {@code file:line:column}. */
  @Override
  public String toString() {
    return isKnown() ? file + ":" + line + ":" + column : "unknown place";
  }
}
