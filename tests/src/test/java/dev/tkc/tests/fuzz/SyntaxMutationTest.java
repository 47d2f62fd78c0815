package dev.tkc.tests.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A fixed sequence of small damages to programs, each against {@link SyntaxProperties}. */
class SyntaxMutationTest {
  private static final int MUTATIONS = 2000;
  private static final List<String> PIECES =
      List.of(
          "(", ")", "[", "]", "{", "}", ",", ";", ":", "=", "==", "+", "-", "*", "**", "@", "..", "...", ".", "_",
          "->", "<", ">", "not", "and", "let", "var", "if", "else", "then", "for", "in", "parallel", "by", "fn",
          "kernel", "test",
          "schedule", "temp", "reversed", "pad", "as", "min", "where", "x", "1", "2.5", "\"s\"", "\"", "\n",
          "//", "///", "\u00d7", "rank");

  @Test
  void mutatedPrograms() {
    List<String> seeds = seeds();
    Random random = new Random(20260101);
    for (int i = 0; i < MUTATIONS; i++) {
      SyntaxProperties.check(mutate(seeds.get(random.nextInt(seeds.size())), random));
    }
  }

  private static List<String> seeds() {
    Path folder = Path.of("src/test/resources/dev/tkc/tests/fuzz/SyntaxFuzzTestInputs/readAndFormat");
    try (var files = Files.list(folder)) {
      return files.sorted().map(SyntaxMutationTest::text).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String mutate(String seed, Random random) {
    StringBuilder text = new StringBuilder(seed);
    int changes = 1 + random.nextInt(5);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(text.length() + 1);
      int end = Math.min(text.length(), at + random.nextInt(40));
      switch (random.nextInt(4)) {
        case 0 -> text.insert(at, " " + PIECES.get(random.nextInt(PIECES.size())) + " ");
        case 1 -> text.delete(at, end);
        case 2 -> text.insert(random.nextInt(text.length() + 1), text.substring(at, end));
        default -> text.insert(at, (char) (' ' + random.nextInt(95)));
      }
    }
    return text.toString();
  }
}
