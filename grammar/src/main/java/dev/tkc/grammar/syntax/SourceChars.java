package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Source;
import org.antlr.v4.runtime.CharStream;
import org.antlr.v4.runtime.misc.Interval;

/**
 * A source as ANTLR reads it, in UTF-16 units: token positions are then positions in {@link Source#text()}, whatever
 * characters it holds. (ANTLR's own streams count code points.)
 */
final class SourceChars implements CharStream {
  private final String name;
  private final String text;
  private int at;

  SourceChars(Source source) {
    this.name = source.name();
    this.text = source.text();
  }

  @Override
  public void consume() {
    if (at >= text.length()) {
      throw new IllegalStateException("cannot consume EOF");
    }
    at++;
  }

  @Override
  public int LA(int i) {
    if (i == 0) {
      return 0;
    }
    int wanted = i < 0 ? at + i : at + i - 1;
    return wanted < 0 || wanted >= text.length() ? EOF : text.charAt(wanted);
  }

  @Override
  public int mark() {
    return -1;
  }

  @Override
  public void release(int marker) {
    // The whole text is at hand; there is nothing to release.
  }

  @Override
  public int index() {
    return at;
  }

  @Override
  public void seek(int index) {
    at = Math.min(index, text.length());
  }

  @Override
  public int size() {
    return text.length();
  }

  @Override
  public String getSourceName() {
    return name;
  }

  @Override
  public String getText(Interval interval) {
    if (interval.a >= text.length()) {
      return "";
    }
    return text.substring(interval.a, Math.min(interval.b + 1, text.length()));
  }

  @Override
  public String toString() {
    return text;
  }
}
