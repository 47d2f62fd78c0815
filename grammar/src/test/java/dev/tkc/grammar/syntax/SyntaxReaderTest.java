package dev.tkc.grammar.syntax;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole files that must be read without a finding. */
class SyntaxReaderTest {
  @ParameterizedTest
  @ValueSource(strings = {"gemm", "attention", "linear_attention", "everything"})
  void readsWholeFiles(String name) throws IOException {
    try (var in = SyntaxReaderTest.class.getResourceAsStream("/tk/" + name + ".tk")) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      Parsed parsed = SyntaxReader.read(new Source(name, text));
      assertThat(parsed.diagnostics()).isEmpty();
      assertThat(parsed.program().items()).isNotEmpty();
    }
  }
}
