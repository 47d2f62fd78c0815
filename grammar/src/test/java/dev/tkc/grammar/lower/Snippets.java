package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Small programs lowered: their IR as text, or what was found wrong. */
final class Snippets {
  private Snippets() {}

  static Library library(String text) {
    Parsed parsed = SyntaxReader.read(new Source("test.tk", text));
    if (!parsed.ok()) {
      throw new IllegalArgumentException(parsed.diagnostics().toString());
    }
    return Library.of(parsed.program());
  }

  /** The only kernel of a program, or its first, verified and printed; the text reads back identically. */
  static String ir(String text, Object... constants) {
    Library library = library(text);
    Module module = Lowering.lower(library, library.kernels().get(0).name().text(), Specialisation.of(map(constants)));
    List<Diagnostic> wrong = Verifier.verify(module);
    if (!wrong.isEmpty()) {
      throw new AssertionError(wrong + "\n" + IrPrinter.print(module));
    }
    String printed = IrPrinter.print(module);
    String again = IrPrinter.print(IrParser.parse(new Source("test.tir", printed)));
    if (!again.equals(printed)) {
      throw new AssertionError("does not read back:\n" + printed + "\n" + again);
    }
    return printed;
  }

  static Map<String, Object> map(Object... constants) {
    Map<String, Object> out = new HashMap<>();
    for (int i = 0; i < constants.length; i += 2) {
      out.put((String) constants[i], constants[i + 1] instanceof Integer n ? (Object) n.longValue() : constants[i + 1]);
    }
    return out;
  }
}
