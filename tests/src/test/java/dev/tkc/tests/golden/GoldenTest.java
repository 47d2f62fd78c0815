package dev.tkc.tests.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import dev.tkc.tests.Project;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every file under {@code src/test/tk} as a test ({@link GoldenFile}); the folder is named after the command or pass it
 * tests. {@code -Dtkc.golden=passes/dce} runs the files whose path starts so. Folders named {@code inputs} hold files
 * that others read.
 */
class GoldenTest {
  private static final Path ROOT = Project.ROOT;
  private static final Path FILES = ROOT.resolve("tests/src/test/tk");

  @TestFactory
  Stream<DynamicNode> goldens() throws IOException {
    return children(FILES, System.getProperty("tkc.golden", "")).stream();
  }

  /** No test is dropped on the way from the disk to the runner. */
  @Test
  void everyFileIsFound() throws IOException {
    assertThat(children(FILES, "").stream().mapToLong(GoldenTest::tests).sum()).isEqualTo(files().size()).isPositive();
  }

  private static List<DynamicNode> children(Path folder, String filter) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().flatMap(p -> node(p, filter)).toList();
    }
  }

  private static Stream<DynamicNode> node(Path path, String filter) {
    if (Files.isDirectory(path)) {
      try {
        List<DynamicNode> inside = path.endsWith("inputs") ? List.of() : children(path, filter);
        return inside.isEmpty()
            ? Stream.of()
            : Stream.of(DynamicContainer.dynamicContainer(path.getFileName().toString(), inside));
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
    if (!isGolden(path) || !FILES.relativize(path).toString().startsWith(filter)) {
      return Stream.of();
    }
    return Stream.of(DynamicTest.dynamicTest(path.getFileName().toString(), () -> run(path)));
  }

  private static void run(Path path) throws IOException {
    GoldenFile.run(path, ROOT, bless()).ifPresent(reason -> fail(reason));
  }

  private static GoldenFile.Bless bless() {
    if (!Boolean.getBoolean("tkc.bless")) {
      return GoldenFile.Bless.NO;
    }
    return "true".equals(System.getenv("CI")) ? GoldenFile.Bless.REFUSE : GoldenFile.Bless.REWRITE;
  }

  private static long tests(DynamicNode node) {
    return node instanceof DynamicContainer container
        ? container.getChildren().mapToLong(GoldenTest::tests).sum()
        : 1;
  }

  private static boolean isGolden(Path path) {
    return path.toString().endsWith(".tk") || path.toString().endsWith(".tir");
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(FILES)) {
      return all.filter(p -> isGolden(p) && !p.toString().contains("/inputs/")).toList();
    }
  }
}
