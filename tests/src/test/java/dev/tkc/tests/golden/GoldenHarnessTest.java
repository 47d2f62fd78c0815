package dev.tkc.tests.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The harness itself: what must fail, fails. In the rows, a tilde stands for a line break. */
class GoldenHarnessTest {
  private static final String RUN = "// RUN: %exit 2 tkc explain TK9999\n";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "// nothing; has no RUN line",
        "// RUN: tkc explain TK9999; exited with 2 instead of 0",
        "// RUN: not tkc explain TK0501; exited with 0 instead of 1",
        "// RUN: %exit 1 tkc --no-such-option; exited with 2 instead of 1",
        "// RUN: tkc explain TK0501 | FileCheck %s; no CHECK line",
        "// RUN: tkc explain TK0501 | FileCheck %s~// CHECK: no such text; not found",
        "// RUN: tkc explain TK0501 | FileCheck --strict~// CHECK: TK; no option --strict",
        "// RUN: tkc explain TK0501 | FileCheck | tkc explain~// CHECK: TK; must come last",
        "// RUN: rm -rf %t; only tkc",
        "// RUN: tkc explain 'TK0501; a quote is not closed",
        "// RUN: tkc explain | | tkc; an empty command",
        "// RUN: tkc explain TK0501~// EXPECT:~// something else; the output differs",
        "// RUN: tkc explain TK0501~let x = 1 // error: bad; the findings differ"
      })
  void failing(String text, String reason) throws IOException {
    assertThat(run(text.replace('~', '\n'), GoldenFile.Bless.NO)).get().asString().contains(reason);
  }

  @Test
  void passing() throws IOException {
    assertThat(run("// RUN: tkc explain TK0501 | FileCheck %s\n// CHECK: TK0501\n", GoldenFile.Bless.NO)).isEmpty();
    assertThat(run("// RUN: tkc explain | FileCheck %s --check-prefix=LIST\n// LIST: TK0501\n", GoldenFile.Bless.NO))
        .isEmpty();
  }

  @Test
  void blessingRewritesAndStillFails() throws IOException {
    assertThat(run(RUN + "// EXPECT:\n", GoldenFile.Bless.REFUSE)).get().asString().contains("CI=true");
    assertThat(run(RUN + "// EXPECT:\n// old\n", GoldenFile.Bless.REWRITE)).get().asString().contains("was rewritten");
    String blessed = Files.readString(folder.resolve("g.tk"));
    assertThat(blessed).startsWith(RUN + "// EXPECT:\n// error[TK0513]").doesNotContain("old");
    assertThat(run(blessed, GoldenFile.Bless.NO)).isEmpty();
  }

  @Test
  void announcementsAreReadWithTheirLines() {
    assertThat(Announced.in("a\nb // error: one // error: two\n// warning@-1: three\n"))
        .containsExactly(
            new Announced(2, "error", "one"), new Announced(2, "error", "two"), new Announced(2, "warning", "three"));
  }

  @Test
  void announcementsAndFindingsMatchOneToOne() throws FileCheck.Failure {
    String json = "{\"severity\":\"error\",\"code\":\"TK0101\",\"message\":\"no x\",\"labels\":[{\"line\":4}]}\n";
    Announced right = new Announced(4, "error", "TK0101");
    Announced.compare(java.util.List.of(right), json, "f");
    for (Announced wrong : new Announced[] {new Announced(3, "error", "no x"), new Announced(4, "warning", "no x"),
        new Announced(4, "error", "no y")}) {
      assertThat(failure(wrong, json)).contains("not announced: line 4", "not found: line " + wrong.line());
    }
    assertThat(failure(right, json + json)).contains("not announced").doesNotContain("not found");
  }

  private static String failure(Announced announced, String json) {
    try {
      Announced.compare(java.util.List.of(announced), json, "f");
      return "";
    } catch (FileCheck.Failure e) {
      return e.getMessage();
    }
  }

  private Optional<String> run(String text, GoldenFile.Bless bless) throws IOException {
    Path file = Files.writeString(folder.resolve("g.tk"), text);
    return GoldenFile.run(file, folder, bless);
  }
}
