package dev.tkc.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.grammar.format.Formatter;
import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticRenderer;
import dev.tkc.ir.diag.Source;

/**
 * What holds for every text: the reader ends without an exception, its findings can be shown, and what it finds no
 * error in can be formatted, stays free of errors by that, and is not changed by formatting it again.
 */
final class SyntaxProperties {
  private SyntaxProperties() {}

  static void check(String text) {
    Source source = new Source("fuzz.tk", text);
    Parsed parsed = SyntaxReader.read(source);
    for (Diagnostic d : parsed.diagnostics()) {
      assertThat(new DiagnosticRenderer(false).render(d)).startsWith("error[TK00");
    }
    if (parsed.ok()) {
      String once = Formatter.format(source);
      Source formatted = new Source("fuzz.tk", once);
      assertThat(SyntaxReader.read(formatted).diagnostics()).as(text).isEmpty();
      assertThat(Formatter.format(formatted)).as(text).isEqualTo(once);
    }
  }
}
