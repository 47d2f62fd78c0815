package dev.tkc.ir.diag;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpellingTest {
  private static final List<String> NAMES =
      List.of("zeros", "fill", "rowsum", "rowmax", "softmax_step", "BM", "BN", "bf16", "f16", "f32", "x");

  @ParameterizedTest
  @CsvSource({
    "zeroes, zeros",
    "zreos, zeros",
    "Rowmax, rowmax",
    "rowsumm, rowsum",
    "softmaxstep, softmax_step",
    "bm, BM",
    "bF16, bf16",
    "f23, f32",
  })
  void findsTheNameMeant(String word, String meant) {
    assertThat(Spelling.closest(word, NAMES)).contains(meant);
  }

  @ParameterizedTest
  @CsvSource({"acc", "attention", "zeros", "rowmean_of_all"})
  void saysNothingWhenNothingIsClose(String word) {
    assertThat(Spelling.closest(word, List.of("zeros", "fill", "rowsum"))).isEmpty();
  }

  @Test
  void suggestsTheNameInPlace() {
    Source source = new Source("t", "zeroes");
    Span at = new Span(source, 0, 6);
    Diagnostic d = Spelling.suggest(Diagnostic.error(Code.SYNTAX, at, "no such name"), at, NAMES);
    assertThat(d.suggestions())
        .containsExactly(new Diagnostic.Suggestion("did you mean `zeros`?", at, "zeros"));
  }
}
