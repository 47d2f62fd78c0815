package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Source;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The warning about padding: none for the library, and one wherever a mask of it is taken away. */
class PaddingLintTest {
  private static final Path KERNELS = Path.of("..", "kernels");

  private static long warnings(Source source) {
    return Tkc.check(source).stream().filter(d -> d.code() == Code.PADDING_LEAK).count();
  }

  @Test
  void theLibraryIsNotWarnedOf() {
    List<String> files = Sources.below(KERNELS, ".tk");
    assertThat(files).hasSizeGreaterThan(8);
    assertThat(files).allSatisfy(f -> assertThat(warnings(Sources.read(Path.of(f)))).isZero());
  }

  @ParameterizedTest
  @CsvSource({
    "softmax.tk, ' pad -inf', '', 1",
    "cross_entropy.tk, ' pad -inf', '', 1",
    "reduce.tk, ' pad -inf', '', 4",
    "attention.tk, 'valid(j) and ', '', 1"
  })
  void aMissingMaskIsNoticed(String file, String mask, String instead, int kernels) {
    String text = Sources.read(KERNELS.resolve(file)).text();
    assertThat(text).contains(mask);
    assertThat(warnings(new Source(file, text.replace(mask, instead)))).isEqualTo(kernels);
  }
}
