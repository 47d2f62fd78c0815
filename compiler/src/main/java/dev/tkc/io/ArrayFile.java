package dev.tkc.io;

import dev.tkc.Sources;
import dev.tkc.Tensor;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.type.Element;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One place a tensor is read from or written to: {@code a.npy}, or {@code weights.safetensors:layer.0} for one tensor
 * of several. The ending of the file's name decides the format.
 *
 * <p>A tensor that was read lies over the mapped file: its memory is read-only. Elements that a format has no name for
 * (numpy knows no bf16, fp8 or 4-bit types) are given by the caller, who knows what the kernel's parameter wants.
 */
public record ArrayFile(Path path, Optional<String> entry) {
  private static final String NPY = ".npy";
  private static final String SAFETENSORS = ".safetensors";

  /** Takes {@code file} or {@code file.safetensors:name} apart. */
  public static ArrayFile parse(String spec) {
    int at = spec.indexOf(SAFETENSORS + ":");
    if (at >= 0) {
      int colon = at + SAFETENSORS.length();
      return new ArrayFile(Path.of(spec.substring(0, colon)), Optional.of(spec.substring(colon + 1)));
    }
    return new ArrayFile(Path.of(spec), Optional.empty());
  }

  /**
   * Reads the tensor. {@code wanted} settles what bytes without a known type mean: {@code <V2} and {@code <u2} become
   * bf16 or f16, single bytes fp8, and bytes unpacked along the last dimension the 4-bit types.
   */
  public Tensor read(Optional<Element> wanted) {
    return switch (kind()) {
      case NUMPY -> Npy.read(path.toString(), map(path), wanted);
      case SAFETENSORS -> readEntry(wanted);
    };
  }

  private Tensor readEntry(Optional<Element> wanted) {
    Map<String, Tensor> tensors = Safetensors.read(path.toString(), map(path));
    if (entry.isEmpty() && tensors.size() == 1) {
      return Views.reinterpret(tensors.values().iterator().next(), wanted);
    }
    Tensor tensor = entry.map(tensors::get).orElse(null);
    if (tensor != null) {
      return Views.reinterpret(tensor, wanted);
    }
    String names = tensors.isEmpty() ? "none" : String.join(", ", tensors.keySet());
    throw fail(
        Code.ARRAY_ENTRY,
        entry
            .map(e -> path + " has no tensor named " + e)
            .orElse(path + " holds " + tensors.size() + " tensors and none was named"),
        "it holds: " + names,
        "write " + path.getFileName() + ":NAME");
  }

  /** Writes the tensor; a safetensors file that is there already keeps its other tensors. */
  public void write(Tensor tensor) {
    switch (kind()) {
      case NUMPY -> store(path, Npy.bytes(tensor));
      case SAFETENSORS -> {
        Map<String, Tensor> all = new LinkedHashMap<>();
        if (Files.exists(path)) {
          Safetensors.read(path.toString(), map(path)).forEach((name, old) -> all.put(name, old.copy()));
        }
        all.put(entry.orElse("out"), tensor);
        store(path, Safetensors.bytes(all));
      }
    }
  }

  /** Refuses, before there is anything to write, a name that tells no format and a folder that is not there. */
  public void requireWritable() {
    kind();
    Sources.requireFolder(path);
  }

  private enum Kind {
    NUMPY,
    SAFETENSORS
  }

  private Kind kind() {
    String name = path.toString();
    if (name.isEmpty()) {
      throw fail(Code.ARRAY_KIND, "the name of an array file is empty", "the ending of the name decides the format",
          "write NAME=FILE with a .npy or a .safetensors file");
    }
    if (name.endsWith(NPY)) {
      return Kind.NUMPY;
    }
    if (name.endsWith(SAFETENSORS)) {
      return Kind.SAFETENSORS;
    }
    throw fail(
        Code.ARRAY_KIND,
        path + " is no array file that tkc knows",
        "the ending of the name decides the format",
        "use a .npy or a .safetensors file");
  }

  @Override
  public String toString() {
    return entry.map(e -> path + ":" + e).orElse(path.toString());
  }

  static MemorySegment map(Path path) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    } catch (NoSuchFileException e) {
      throw new DiagnosticException(Diagnostic.error(Code.FILE_MISSING, "there is no file " + path));
    } catch (IOException e) {
      throw access(path, "read", e);
    }
  }

  private static void store(Path path, byte[][] parts) {
    try (var out = Files.newOutputStream(path)) {
      for (byte[] part : parts) {
        out.write(part);
      }
    } catch (IOException e) {
      Sources.requireFolder(path);
      throw access(path, "written", e);
    }
  }

  private static DiagnosticException access(Path path, String what, IOException e) {
    String reason = Files.isDirectory(path) ? "it is a folder" : reason(path, e);
    return new DiagnosticException(
        Diagnostic.error(Code.FILE_ACCESS, path + " cannot be " + what + ": " + reason));
  }

  private static String reason(Path path, IOException e) {
    if (e instanceof java.nio.file.AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "no file can be made there";
    }
    String text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return text.startsWith(path + ": ") ? text.substring(path.toString().length() + 2) : text;
  }

  static DiagnosticException fail(Code code, String message, String note, String help) {
    return new DiagnosticException(Diagnostic.error(code, message).note(note).help(help));
  }
}
