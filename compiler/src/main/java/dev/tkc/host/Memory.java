package dev.tkc.host;

import dev.tkc.Tensor;
import dev.tkc.ir.diag.ByteText;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.type.TileType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * How much memory the machine can give, asked before anything large is allocated. A tensor of host code lies twice in
 * it: as a tile in the interpreter, whose budget bounds it, and as it is for a kernel while that is made or launched.
 */
final class Memory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");

  /** So little memory is taken without asking the system. */
  private static final long UNASKED = 1 << 24;

  private final Interpreter.Session session;

  Memory(Interpreter.Session session) {
    this.session = session;
  }

  /** Refuses arguments that would not fit. */
  static void require(long bytes) {
    long available = available();
    if (bytes > available) {
      throw new DiagnosticException(
          Diagnostic.error(Code.MEMORY_LIMIT,
              "the arguments take " + ByteText.of(bytes) + ", the machine has " + ByteText.of(available) + " free")
              .help("give smaller sizes with -D"));
    }
  }

  /**
   * Refuses what host code would make, at its place in the test.
   *
   * @param tensors those that lie in memory as kernels see them
   * @param tiles those that become values of host code
   */
  void require(List<TileType> tensors, List<TileType> tiles, String what, Span at) {
    long outside = sum(tensors, Memory::tensorBytes);
    long inside = sum(tiles, t -> Tile.bytes(t.element(), t.count()));
    long free = outside < UNASKED ? Long.MAX_VALUE : available();
    if (outside > free || inside > session.bytesLeft()) {
      throw new DiagnosticException(
          Diagnostic.error(Code.TEST_TENSOR, what + " would take " + ByteText.of(add(outside, inside))
              + ", and there is too little memory for that")
              .label(at, "here")
              .note("a test keeps a tensor twice, as its own value and as kernels read it; " + (outside > free
                  ? "for the second it needs " + ByteText.of(outside) + ", and " + ByteText.of(free) + " are free"
                  : "for the first it needs " + ByteText.of(inside) + ", and " + ByteText.of(session.bytesLeft())
                      + " are left"))
              .help("use smaller sizes"));
    }
  }

  private static long tensorBytes(TileType t) {
    return Tensor.bytes(t.element(), t.shape().stream().mapToLong(Integer::longValue).toArray());
  }

  private static long sum(List<TileType> types, ToLongFunction<TileType> bytes) {
    return types.stream().mapToLong(bytes).reduce(0, Memory::add);
  }

  private static long add(long a, long b) {
    return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
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
}
