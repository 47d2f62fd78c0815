package dev.tkc.grammar.lower;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A file with one of each construct: nothing is found wrong with it, and each kernel becomes sound IR. */
class ConstructsTest {
  private static Library library() throws IOException {
    try (var in = ConstructsTest.class.getResourceAsStream("/tk/constructs.tk")) {
      Parsed parsed =
          SyntaxReader.read(new Source("constructs.tk", new String(in.readAllBytes(), StandardCharsets.UTF_8)));
      assertThat(parsed.diagnostics()).isEmpty();
      return Library.of(parsed.program());
    }
  }

  @Test
  void nothingIsFoundWrong() throws IOException {
    assertThat(Checker.check(library(), List.of("sm_90a"))).isEmpty();
  }

  @TestFactory
  Stream<DynamicTest> everyKernelBecomesSoundIr() throws IOException {
    Library library = library();
    Map<String, Object> constants = Snippets.map("B", 16, "D", 64, "BK", 16, "BQ", 16, "causal", true);
    return library.kernels().stream().map(k -> DynamicTest.dynamicTest(k.name().text(), () -> {
      Module module = Lowering.lower(library, k.name().text(), constants);
      assertThat(Verifier.verify(module)).isEmpty();
      String text = IrPrinter.print(module, true);
      assertThat(IrPrinter.print(IrParser.parse(new Source("k.tir", text)), true)).isEqualTo(text);
    }));
  }

  @Test
  void theStandardLibraryIsRight() {
    for (String file : Prelude.FILES) {
      Parsed parsed = SyntaxReader.read(new Source(file, Prelude.text(file)));
      assertThat(Checker.check(Library.of(parsed.program()))).as(file).isEmpty();
    }
  }
}
