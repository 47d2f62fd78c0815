package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/passes.md} shows the table as it is; {@code -Dtkc.bless=true} writes it anew and fails. */
class PassesPageTest {
  @Test
  void thePageShowsTheTable() throws IOException {
    Path page = Path.of("").toAbsolutePath().getParent().resolve("docs/passes.md");
    String table = Pipeline.STEPS.stream()
        .map(s -> "| `" + s.name() + "` | " + s.out().text() + " | " + s.why() + " |\n")
        .collect(Collectors.joining());
    String text = Files.readString(page);
    int from = text.indexOf("|---|---|---|\n") + "|---|---|---|\n".length();
    int to = text.indexOf("\n## Checking");
    if (Boolean.getBoolean("tkc.bless")) {
      Files.writeString(page, text.substring(0, from) + table + text.substring(to));
    }
    assertThat(text.substring(from, to)).isEqualTo(table);
  }
}
