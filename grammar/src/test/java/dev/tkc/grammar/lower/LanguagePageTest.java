package dev.tkc.grammar.lower;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page on the language names every function that can be called. */
class LanguagePageTest {
  @Test
  void namesEveryFunction() throws IOException {
    String page = Files.readString(Path.of("..", "docs", "language.md"));
    TreeSet<String> names = new TreeSet<>(Builtins.TABLE.keySet());
    Library library = Library.of(SyntaxReader.read(new Source("empty.tk", "")).program());
    names.addAll(library.callable());
    assertThat(names).contains("gelu", "dequantise", "cumsum");
    List<String> unnamed = names.stream()
        .filter(n -> !Pattern.compile("`[^`\n]*\\b" + n + "\\b").matcher(page).find()).toList();
    assertThat(unnamed).isEmpty();
  }
}
