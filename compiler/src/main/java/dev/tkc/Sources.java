package dev.tkc;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** Texts to compile, from files and streams; what cannot be read is a diagnostic. */
public final class Sources {
  private Sources() {}

  /** Reads a UTF-8 file under the name that the path has. */
  public static Source read(Path path) {
    requireName(path);
    try {
      return new Source(path.toString(), Files.readString(path));
    } catch (NoSuchFileException e) {
      throw new DiagnosticException(Diagnostic.error(Code.FILE_MISSING, "there is no file " + path));
    } catch (CharacterCodingException e) {
      throw access(path, "it is not UTF-8 text");
    } catch (AccessDeniedException e) {
      throw access(path, "permission denied");
    } catch (IOException e) {
      throw access(path, Files.isDirectory(path) ? "it is a folder" : String.valueOf(e.getMessage()));
    }
  }

  /** Reads everything a stream gives, as {@code <stdin>}. */
  public static Source read(InputStream in) {
    try {
      byte[] bytes = in.readAllBytes();
      return new Source("<stdin>", StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      throw access(Path.of("<stdin>"), "it is not UTF-8 text");
    } catch (IOException e) {
      throw access(Path.of("<stdin>"), String.valueOf(e.getMessage()));
    }
  }

  /** The files below a folder whose names end so, sorted. */
  public static List<String> below(Path folder, String ending) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).map(Path::toString).filter(p -> p.endsWith(ending)).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      throw access(folder, String.valueOf(e.getMessage()));
    }
  }

  /** Replaces a file's text. */
  public static void write(Path path, byte[] bytes) {
    requireName(path);
    try {
      Files.write(path, bytes);
    } catch (IOException e) {
      requireFolder(path);
      String reason = Files.isDirectory(path) ? "it is a folder"
          : e instanceof AccessDeniedException ? "permission denied"
          : e instanceof NoSuchFileException ? "no file can be made there" : e.getMessage();
      throw unwritable(path, reason);
    }
  }

  /** The same, so that whoever reads the file, whenever this is interrupted, finds it as it was or as it is to be. */
  public static void replace(Path path, byte[] bytes) {
    requireName(path);
    Path part = path.resolveSibling(path.getFileName() + ".part");
    write(part, bytes);
    try {
      Files.move(part, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw unwritable(path, Files.isDirectory(path) ? "it is a folder" : String.valueOf(e.getMessage()));
    }
  }

  private static DiagnosticException unwritable(Path path, String reason) {
    return new DiagnosticException(Diagnostic.error(Code.FILE_ACCESS, path + " cannot be written: " + reason));
  }

  /** Refuses ahead of long work what {@link #write} would refuse after it, as far as that can be known. */
  public static void requireWritable(Path path) {
    requireName(path);
    requireFolder(path);
    if (Files.isDirectory(path)) {
      throw unwritable(path, "it is a folder");
    }
    if (Files.exists(path) && !Files.isWritable(path)) {
      throw unwritable(path, "permission denied");
    }
  }

  /** Refuses a file that is to be written where there is no folder. */
  public static void requireFolder(Path path) {
    Path folder = path.toAbsolutePath().getParent();
    if (folder != null && !Files.isDirectory(folder)) {
      throw new DiagnosticException(Diagnostic.error(Code.FILE_MISSING, "there is no folder " + folder));
    }
  }

  private static void requireName(Path path) {
    if (path.toString().isEmpty()) {
      throw new DiagnosticException(Diagnostic.error(Code.FILE_MISSING, "the name of a file is empty"));
    }
  }

  private static DiagnosticException access(Path path, String reason) {
    return new DiagnosticException(Diagnostic.error(Code.FILE_ACCESS, path + " cannot be read: " + reason));
  }
}
