package dev.tkc.grammar.lower;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The explanations of the checker's codes: the first program in each gives that code alone, the others are right. */
class CodeExamplesTest {
  private static final Pattern PROGRAM = Pattern.compile("```tk\n(.*?)```", Pattern.DOTALL);

  static Stream<Code> checked() {
    return Arrays.stream(Code.values()).filter(c -> c.id().matches("TK01.*|TK02.*|TK030.*|TK04.*"));
  }

  @ParameterizedTest
  @MethodSource("checked")
  void examplesSayWhatTheyShow(Code code) throws IOException {
    List<String> programs = programs(code);
    assertThat(programs).as("programs in the explanation of " + code.id()).isNotEmpty();
    assertThat(check(programs.get(0))).extracting(d -> d.code()).as(() -> check(programs.get(0)).toString())
        .containsOnly(code);
    for (String right : programs.subList(1, programs.size())) {
      assertThat(check(right)).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("checked")
  void everyFindingShowsItsPlace(Code code) throws IOException {
    for (Diagnostic d : check(programs(code).get(0))) {
      assertThat(d.labels()).isNotEmpty();
    }
  }

  private static List<Diagnostic> check(String text) {
    Parsed parsed = SyntaxReader.read(new Source("example.tk", text));
    assertThat(parsed.diagnostics()).isEmpty();
    return Checker.check(Library.of(parsed.program()), List.of("sm_90a"));
  }

  private static List<String> programs(Code code) throws IOException {
    try (var in = Code.class.getResourceAsStream("codes/" + code.id() + ".md")) {
      assertThat(in).as("explanation of " + code.id()).isNotNull();
      Matcher m = PROGRAM.matcher(new String(in.readAllBytes(), StandardCharsets.UTF_8));
      List<String> out = new ArrayList<>();
      while (m.find()) {
        out.add(m.group(1));
      }
      return out;
    }
  }
}
