package dev.tkc.backend.amdgcn;

import dev.tkc.backend.llvm.LlvmToolchain;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Links one AMD object file into a loadable code object with the {@code lld} that comes with LLVM. */
public final class AmdgcnLinker {
  private AmdgcnLinker() {}

  /** A relocatable object in, the bytes of a {@code .hsaco} file out. */
  public static byte[] link(byte[] object) {
    try {
      return link(LlvmToolchain.instance().program("lld"), object);
    } catch (IOException e) {
      throw absent(e);
    }
  }

  static byte[] link(Path lld, byte[] object) {
    Path folder = null;
    try {
      folder = Files.createTempDirectory("tkc-lld");
      Path in = folder.resolve("kernel.o");
      Path out = folder.resolve("kernel.hsaco");
      Files.write(in, object);
      Process process = new ProcessBuilder(List.of(
          lld.toString(), "-flavor", "gnu", "-shared", "-o", out.toString(), in.toString()))
          .redirectErrorStream(true).start();
      process.getOutputStream().close();
      String log = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException("lld refuses what LLVM wrote: " + log.strip());
      }
      return Files.readAllBytes(out);
    } catch (IOException e) {
      throw absent(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DiagnosticException(Diagnostic.error(Code.NO_LINKER, "linking was interrupted"));
    } finally {
      delete(folder);
    }
  }

  private static DiagnosticException absent(IOException e) {
    return new DiagnosticException(
        Diagnostic.error(Code.NO_LINKER, "the linker for AMD code objects cannot run")
            .note(String.valueOf(e.getMessage())));
  }

  private static void delete(Path folder) {
    if (folder == null) {
      return;
    }
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      // A file left in the temporary folder harms nobody.
    }
  }
}
