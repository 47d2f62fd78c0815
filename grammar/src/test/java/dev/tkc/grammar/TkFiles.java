package dev.tkc.grammar;

import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Every {@code .tk} file of the repository: library, standard library, goldens, test resources. */
public final class TkFiles {
  private TkFiles() {}

  public static List<Source> all() {
    Path root = Path.of("..").toAbsolutePath().normalize();
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(f -> f.toString().endsWith(".tk") && !isBuilt(root.relativize(f)))
          .sorted()
          .map(f -> read(root, f))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Under a module's build folder, or a hidden one. */
  private static boolean isBuilt(Path file) {
    boolean target = file.getNameCount() > 1 && file.getName(1).toString().equals("target");
    return target || file.toString().startsWith(".");
  }

  private static Source read(Path root, Path file) {
    try {
      return new Source(root.relativize(file).toString(), Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
