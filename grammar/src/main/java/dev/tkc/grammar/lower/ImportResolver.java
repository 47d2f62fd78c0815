package dev.tkc.grammar.lower;

import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the text that an {@code import} names. */
public interface ImportResolver {
  /** Nothing can be imported. */
  ImportResolver NONE = (_, _) -> Optional.empty();

  /** Files, relative to the folder of the importing file. */
  ImportResolver FILES = new ImportResolver() {
    @Override
    public Optional<Source> resolve(String path, Source from) {
      try {
        Path folder = Path.of(from.name()).toAbsolutePath().getParent();
        Path file = folder == null ? Path.of(path) : folder.resolve(path);
        return Optional.of(new Source(shown(path, from), Files.readString(file)));
      } catch (IOException | InvalidPathException e) {
        return Optional.empty();
      }
    }

    @Override
    public String identity(Source source) {
      try {
        return Path.of(source.name()).toAbsolutePath().normalize().toString();
      } catch (InvalidPathException e) {
        return source.name();
      }
    }
  };

  private static String shown(String path, Source from) {
    Path parent = Path.of(from.name()).getParent();
    return parent == null ? path : parent.resolve(path).normalize().toString();
  }

  /** The text that {@code path} names in the file {@code from}, or empty if there is none. */
  Optional<Source> resolve(String path, Source from);

  /** Two sources of one identity are the same file. */
  default String identity(Source source) {
    return source.name();
  }
}
