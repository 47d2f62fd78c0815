package dev.tkc.grammar.format;

import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;

/**
 * Lays out a {@code .tk} file: two columns a block, lines of at most 120 columns where there is a place to break them,
 * one blank between words. Comments stay where they are, single blank lines too. What a program means does not change,
 * and formatting a formatted file changes nothing.
 */
public final class Formatter {
  private Formatter() {}

  /**
   * The text in its layout.
   *
   * @throws DiagnosticException if the text does not follow the grammar; then there is nothing to lay out
   */
  public static String format(Source source) {
    Parsed parsed = SyntaxReader.read(source);
    if (!parsed.ok()) {
      throw new DiagnosticException(parsed.diagnostics());
    }
    SyntaxReader.Concrete tree = SyntaxReader.concrete(source);
    Trivia trivia = new Trivia(source, tree.tokens());
    return DocPrinter.print(new LayoutBuilder(trivia).program(tree.program()), trivia);
  }
}
