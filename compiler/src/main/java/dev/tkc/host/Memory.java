package dev.tkc.host;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory the machine can give, asked before anything large is allocated. */
final class Memory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");

  private Memory() {}

  /** Refuses sizes that would not fit. */
  static void require(long bytes) {
    long available = available();
    if (bytes > available) {
      throw new DiagnosticException(
          Diagnostic.error(Code.MEMORY_LIMIT,
              "the arguments take " + text(bytes) + ", the machine has " + text(available) + " free")
              .help("give smaller sizes with -D"));
    }
  }

  /** What the system calls available, or Java's own limit where it does not say. */
  private static long available() {
    try {
      for (String line : Files.readAllLines(MEMINFO)) {
        if (line.startsWith("MemAvailable:")) {
          // Java keeps native memory below its own limit as well.
          return Math.min(Long.parseLong(line.replaceAll("\\D", "")) * 1024, Runtime.getRuntime().maxMemory());
        }
      }
    } catch (IOException | NumberFormatException unknown) {
      // Not a Linux system, or one that keeps this to itself.
    }
    return Runtime.getRuntime().maxMemory();
  }

  private static String text(long bytes) {
    return bytes >= 1L << 30 ? (bytes >> 30) + " GiB" : (bytes >> 20) + " MiB";
  }
}
