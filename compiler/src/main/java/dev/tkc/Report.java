package dev.tkc;

import dev.tkc.ir.Loc;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a compiled kernel takes of the hardware.
 *
 * @param bounds how fast it could be at most, phase by phase; empty where the sizes are not said or the target's rates
 *     not known
 */
public record Report(List<Function> functions, List<SharedBuffer> sharedBuffers, List<Bound> bounds,
    List<String> warnings) {
  public Report {
    functions = List.copyOf(functions);
    sharedBuffers = List.copyOf(sharedBuffers);
    bounds = List.copyOf(bounds);
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
   * @param productsInFlight groups of asynchronous products that one group of warps has under way at most
   */
  public record Function(
      String name, int threads, int registers, long spillBytes, long stackBytes, long sharedBytes,
      int blocksPerProcessor, double occupancy, int productsInFlight) {}

  /**
   * A buffer or transaction barriers in shared memory and the line that needs them.
   *
   * @param slots how many tiles, or barriers, it holds
   * @param bytes of all slots
   */
  public record SharedBuffer(String function, String name, String type, int slots, long offset, long bytes, Loc loc) {}

  /**
   * The time that a phase takes at least, by counting what it asks of each part of the chip.
   *
   * @param part the part that has most to do: {@code products}, {@code memory}, {@code functions} (such as exp2) or
   *     {@code arithmetic}
   * @param micros the time that part needs
   * @param parts the time of each part
   * @param flops of products
   * @param bytes each tensor once for a phase that reads and one that writes it
   */
  public record Bound(String function, String part, double micros, Map<String, Double> parts, double flops,
      double bytes) {
    public Bound {
      parts = new LinkedHashMap<>(parts);
    }
  }

  /** The most registers that any of the functions takes. */
  public int registers() {
    return functions.stream().mapToInt(Function::registers).max().orElse(0);
  }

  public long spillBytes() {
    return functions.stream().mapToLong(Function::spillBytes).sum();
  }

  /** The time that all phases together take at least; 0 where nothing is known. */
  public double boundMicros() {
    return bounds.stream().mapToDouble(Bound::micros).sum();
  }

  /** As tables of text. */
  public String text() {
    StringBuilder out = new StringBuilder();
    out.append("%-24s %7s %9s %6s %6s %8s %7s %9s %9s%n".formatted(
        "function", "threads", "registers", "spill", "stack", "shared", "blocks", "occupancy", "in flight"));
    for (Function f : functions) {
      out.append("%-24s %7d %9d %6d %6d %8d %7d %8.0f%% %9d%n".formatted(
          f.name(), f.threads(), f.registers(), f.spillBytes(), f.stackBytes(), f.sharedBytes(), f.blocksPerProcessor(),
          100 * f.occupancy(), f.productsInFlight()));
    }
    if (!sharedBuffers.isEmpty()) {
      out.append("%n%-24s %-28s %8s %8s  %s%n".formatted("shared buffer", "type", "offset", "bytes", "line"));
      for (SharedBuffer b : sharedBuffers) {
        out.append("%-24s %-28s %8d %8d  %s%n".formatted(b.name(), b.type(), b.offset(), b.bytes(), b.loc()));
      }
    }
    if (!bounds.isEmpty()) {
      out.append("%n%-24s %-10s %9s  %s%n".formatted("bound from below", "by", "µs", "µs of each part"));
      for (Bound b : bounds) {
        StringBuilder parts = new StringBuilder();
        b.parts().forEach((part, micros) -> parts.append(parts.isEmpty() ? "" : ", ").append(part).append(' ')
            .append(number(micros)));
        out.append("%-24s %-10s %9s  %s%n".formatted(b.function(), b.part(), number(b.micros()), parts));
      }
    }
    warnings.forEach(w -> out.append("assembler: ").append(w).append('\n'));
    return out.toString();
  }

  private static String number(double micros) {
    return String.format(Locale.ROOT, "%.1f", micros);
  }

  /** As one JSON object on one line; times in microseconds. */
  public String json() {
    return Json.text(fields());
  }

  Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("functions", functions.stream().map(Report::fields).toList());
    fields.put("shared_buffers", sharedBuffers.stream().map(Report::fields).toList());
    fields.put("bounds", bounds.stream().map(Report::fields).toList());
    fields.put("bound_us", boundMicros());
    fields.put("warnings", warnings);
    return fields;
  }

  private static Map<String, Object> fields(Function f) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", f.name());
    fields.put("threads", f.threads());
    fields.put("registers", f.registers());
    fields.put("spill_bytes", f.spillBytes());
    fields.put("stack_bytes", f.stackBytes());
    fields.put("shared_bytes", f.sharedBytes());
    fields.put("blocks_per_processor", f.blocksPerProcessor());
    fields.put("occupancy", f.occupancy());
    fields.put("products_in_flight", f.productsInFlight());
    return fields;
  }

  private static Map<String, Object> fields(SharedBuffer b) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("function", b.function());
    fields.put("name", b.name());
    fields.put("type", b.type());
    fields.put("slots", b.slots());
    fields.put("offset", b.offset());
    fields.put("bytes", b.bytes());
    fields.put("line", b.loc().toString());
    return fields;
  }

  private static Map<String, Object> fields(Bound b) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("function", b.function());
    fields.put("part", b.part());
    fields.put("us", b.micros());
    fields.put("parts_us", b.parts());
    fields.put("flops", b.flops());
    fields.put("bytes", b.bytes());
    return fields;
  }
}
