package dev.tkc;

import dev.tkc.ir.Loc;
import java.util.List;

/** What a compiled kernel takes of the hardware. */
public record Report(List<Function> functions, List<SharedBuffer> sharedBuffers, List<String> warnings) {
  public Report {
    functions = List.copyOf(functions);
    sharedBuffers = List.copyOf(sharedBuffers);
    warnings = List.copyOf(warnings);
  }

  /**
   * One device function, a phase of the kernel.
   *
   * @param threads threads of a block
   * @param registers 32-bit registers of a thread
   * @param spillBytes bytes that a thread stores and loads because registers ran out
   * @param stackBytes thread-private memory
   * @param sharedBytes shared memory of a block
   * @param blocksPerProcessor blocks that one multiprocessor holds at once
   * @param occupancy the part of its threads that they fill, 0 to 1
   */
  public record Function(
      String name, int threads, int registers, long spillBytes, long stackBytes, long sharedBytes, int blocksPerProcessor,
      double occupancy) {}

  /** A buffer or transaction barriers in shared memory and the line that needs them. */
  public record SharedBuffer(String function, String name, String type, long offset, long bytes, Loc loc) {}

  /** The most registers that any of the functions takes. */
  public int registers() {
    return functions.stream().mapToInt(Function::registers).max().orElse(0);
  }

  public long spillBytes() {
    return functions.stream().mapToLong(Function::spillBytes).sum();
  }

  /** As two tables of text. */
  public String text() {
    StringBuilder out = new StringBuilder();
    out.append("%-24s %7s %9s %6s %6s %8s %7s %9s%n".formatted(
        "function", "threads", "registers", "spill", "stack", "shared", "blocks", "occupancy"));
    for (Function f : functions) {
      out.append("%-24s %7d %9d %6d %6d %8d %7d %8.0f%%%n".formatted(
          f.name(), f.threads(), f.registers(), f.spillBytes(), f.stackBytes(), f.sharedBytes(), f.blocksPerProcessor(),
          100 * f.occupancy()));
    }
    if (!sharedBuffers.isEmpty()) {
      out.append("%n%-24s %-28s %8s %8s  %s%n".formatted("shared buffer", "type", "offset", "bytes", "line"));
      for (SharedBuffer b : sharedBuffers) {
        out.append("%-24s %-28s %8d %8d  %s%n".formatted(b.name(), b.type(), b.offset(), b.bytes(), b.loc()));
      }
    }
    warnings.forEach(w -> out.append("assembler: ").append(w).append('\n'));
    return out.toString();
  }
}
