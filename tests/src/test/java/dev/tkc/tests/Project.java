package dev.tkc.tests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The project's own files, for the tests that read them. */
public final class Project {
  /** The folder that holds everything, wherever a test was started from. */
  public static final Path ROOT = root();

  private Project() {}

  private static Path root() {
    Path here = Path.of("").toAbsolutePath();
    while (!Files.isDirectory(here.resolve("tests/src/test/tk"))) {
      here = here.getParent();
      if (here == null) {
        throw new IllegalStateException("run this test inside the project");
      }
    }
    return here;
  }

  /** The Java files of a module that are not tests. */
  static List<Path> sources(String module) throws IOException {
    return files(ROOT.resolve(module).resolve("src/main/java"), ".java");
  }

  /** The files below a folder whose names end so, sorted. */
  public static List<Path> files(Path folder, String ending) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(p -> p.toString().endsWith(ending)).sorted().toList();
    }
  }
}
