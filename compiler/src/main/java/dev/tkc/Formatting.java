package dev.tkc;

import dev.tkc.grammar.format.Formatter;
import dev.tkc.ir.diag.Source;

/** The one layout of {@code .tk} files. */
public final class Formatting {
  private Formatting() {}

  /**
   * The text in its layout; what it means does not change.
   *
   * @throws dev.tkc.ir.diag.DiagnosticException if the text does not follow the grammar
   */
  public static String format(Source source) {
    return Formatter.format(source);
  }
}
