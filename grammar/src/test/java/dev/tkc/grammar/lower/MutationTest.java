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
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Programs with words exchanged at random: whatever is wrong with them, checking ends with findings, never with a
 * defect.
 */
class MutationTest {
  private static final Pattern WORD = Pattern.compile("\\w+|[^\\w\\s]");

  @Test
  void noMutantEndsInADefect() throws IOException {
    try (var in = MutationTest.class.getResourceAsStream("/tk/constructs.tk")) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      Random random = new Random(Long.getLong("tkc.seed", 7));
      for (int i = 0; i < Integer.getInteger("tkc.mutants", 150); i++) {
        check(mutant(text, random, 1 + random.nextInt(3)));
      }
    }
  }

  private static void check(String text) {
    Parsed parsed = SyntaxReader.read(new Source("mutant.tk", text));
    for (Diagnostic d : Checker.check(Library.of(parsed.program()))) {
      assertThat(d.code()).as(() -> d + " " + d.notes() + " in " + d.labels().get(0).span().text())
          .isNotEqualTo(Code.INTERNAL);
    }
  }

  /** Each change replaces, drops or repeats a word. */
  static String mutant(String text, Random random, int changes) {
    String out = text;
    for (int c = 0; c < changes; c++) {
      List<int[]> words = new ArrayList<>();
      Matcher m = WORD.matcher(out);
      while (m.find()) {
        words.add(new int[] {m.start(), m.end()});
      }
      int[] at = words.get(random.nextInt(words.size()));
      int[] from = words.get(random.nextInt(words.size()));
      String word = switch (random.nextInt(5)) {
        case 0 -> "";
        case 1 -> out.substring(at[0], at[1]) + " " + out.substring(from[0], from[1]);
        default -> out.substring(from[0], from[1]);
      };
      out = out.substring(0, at[0]) + word + out.substring(at[1]);
    }
    return out;
  }
}
