package dev.tkc.grammar.syntax;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples in the explanations of syntax codes: the first is wrong in that way, a second one is right. */
class ExplanationTest {
  private static final Pattern EXAMPLE = Pattern.compile("```tk\\n(.*?)```", Pattern.DOTALL);

  static Stream<Code> syntaxCodes() {
    return Stream.of(Code.values()).filter(code -> code.id().startsWith("TK00"));
  }

  @ParameterizedTest
  @MethodSource("syntaxCodes")
  void examplesShowWhatIsSaid(Code code) throws IOException {
    List<String> examples = new ArrayList<>();
    try (var in = Code.class.getResourceAsStream("codes/" + code.id() + ".md")) {
      Matcher m = EXAMPLE.matcher(new String(in.readAllBytes(), StandardCharsets.UTF_8));
      while (m.find()) {
        examples.add(m.group(1).replace("(…)", "(".repeat(200) + "1" + ")".repeat(200)));
      }
    }
    assertThat(examples).isNotEmpty();
    assertThat(read(examples.get(0))).isNotEmpty().allMatch(d -> d.code() == code);
    examples.stream().skip(1).forEach(right -> assertThat(read(right)).isEmpty());
  }

  private static List<Diagnostic> read(String text) {
    return SyntaxReader.read(new Source("example", text)).diagnostics();
  }
}
