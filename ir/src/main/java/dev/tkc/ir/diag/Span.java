package dev.tkc.ir.diag;

/** A half-open range {@code [start, end)} of characters in a source. */
public record Span(Source source, int start, int end) {
  public Span {
    if (start < 0 || end < start || end > source.text().length()) {
      throw new IllegalArgumentException("span " + start + ".." + end + " outside " + source.name());
    }
  }

  /** The smallest span that covers both; both must be in one source. */
  public Span to(Span other) {
    if (other.source != source) {
      return this;
    }
    return new Span(source, Math.min(start, other.start), Math.max(end, other.end));
  }

  public int line() {
    return source.line(start);
  }

  public int column() {
    return source.column(start);
  }

  public String text() {
    return source.text().substring(start, end);
  }

  /** {@code file:line:column}, as editors and terminals recognise it. */
  @Override
  public String toString() {
    return source.name() + ":" + line() + ":" + column();
  }
}
