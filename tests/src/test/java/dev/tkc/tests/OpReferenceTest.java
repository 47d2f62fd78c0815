package dev.tkc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.OpReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The op reference follows from the ops' records: {@code op-meanings.txt} and {@code docs/ops.md} are what their
 * comments say. {@code -Dtkc.bless=true} rewrites both (and fails once, as golden files do).
 */
class OpReferenceTest {
  private static final Path OPS = Project.ROOT.resolve("ir/src/main/java/dev/tkc/ir/op");
  private static final Pattern DECLARATION = Pattern.compile(
      "(?s)(?:/\\*\\*((?:(?!\\*/).)*)\\*/\\s*)?(?:\\b(record) (\\w+)\\(|\\benum (\\w+) implements Mnemonic "
          + "\\{(.*?)\\n  \\}|(?<=\\n)  \\w)");
  private static final Pattern CONSTANT =
      Pattern.compile("(?s)(?:/\\*\\*((?:(?!\\*/).)*)\\*/\\s*)?\\b([A-Z][A-Z0-9_]*)\\b");

  @Test
  void meaningsAreTheRecordsComments() throws IOException {
    StringBuilder text = new StringBuilder();
    meanings().forEach((mnemonic, meaning) -> text.append(mnemonic).append('\t').append(meaning).append('\n'));
    same(Project.ROOT.resolve("compiler/src/main/resources/dev/tkc/op-meanings.txt"), text.toString());
  }

  @Test
  void documentIsCurrent() throws IOException {
    StringBuilder text =
        new StringBuilder("# The ops of the IR\n\nMade from the ops' records; what holds for all of them is in"
        + " [ir.md](ir.md). A name in brackets is a list, one with\n`?` may be left out, braces hold attributes.\n");
    String group = "";
    for (OpReference.Line line : OpReference.lines()) {
      if (!line.group().equals(group)) {
        group = line.group();
        text.append("\n## ").append(group).append("\n\n");
      }
      text.append("- `").append(line.form()).append('`').append(line.meaning().isEmpty() ? "" : ": " + line.meaning())
          .append('\n');
    }
    same(Project.ROOT.resolve("docs/ops.md"), text.toString());
  }

  private static void same(Path file, String wanted) throws IOException {
    String found = Files.exists(file) ? Files.readString(file) : "";
    if (!found.equals(wanted) && Boolean.getBoolean("tkc.bless")) {
      Files.writeString(file, wanted);
    }
    assertThat(found).describedAs(file + " (rewrite it with -Dtkc.bless=true)").isEqualTo(wanted);
  }

  private static Map<String, String> meanings() throws IOException {
    Map<String, String> all = new TreeMap<>();
    for (Path file : Project.files(OPS, "Op.java")) {
      Matcher m = DECLARATION.matcher(Files.readString(file));
      while (m.find()) {
        if (m.group(2) != null) {
          put(all, m.group(3).replaceAll("([a-z0-9])([A-Z])", "$1_$2"), m.group(1));
        } else if (m.group(4) != null) {
          Matcher c = CONSTANT.matcher(m.group(5));
          while (c.find()) {
            put(all, c.group(2), c.group(1) == null ? m.group(1) : c.group(1));
          }
        }
      }
    }
    return all;
  }

  private static void put(Map<String, String> all, String name, String comment) {
    if (comment != null && dev.tkc.ir.op.OpShape.entry(name.toLowerCase()).isPresent()) {
      String plain = comment.replaceAll("\\n\\s*\\*", "\n").replaceAll("\\{@\\w+ ([^}]*)\\}", "`$1`")
          .replaceAll("<[^>]*>", "");
      all.put(name.toLowerCase(), plain.replaceAll("\\s+", " ").strip());
    }
  }
}
