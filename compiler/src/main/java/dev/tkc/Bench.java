package dev.tkc;

import dev.tkc.host.KernelRun;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How long a kernel takes, on random data, by one protocol for all kernels:
 *
 * <ul>
 *   <li>the result is checked first, against the kernel's test, at sizes cut down to about 512 with the same remainder
 *       by 16 (so that the same specialisation is checked);
 *   <li>on a GPU the arguments exist several times, together more than twice its L2 cache, and launches take them in
 *       turn;
 *   <li><em>burst</em>, for launches of 0.2 ms and more: 0.2 s of rest, two launches to warm up, then launches back to
 *       back for at most 20 ms between two events; five times;
 *   <li><em>graph-burst</em>, for shorter ones: the same with launches written down in a graph of about 1 ms, so that
 *       the host's share of them is not measured;
 *   <li><em>wall</em>, in the interpreter: five launches by the clock.
 * </ul>
 */
public final class Bench {
  private static final long CHECKED_SIZE = 512;

  /**
   * What was measured; the times of the rounds are microseconds for one launch, ascending.
   *
   * @param bytes of all tensors, each read or written once
   * @param check {@code ok}, or what was wrong or why nothing could be checked
   * @param report of the compiled kernel, with a bound for these sizes, where it was compiled
   */
  public record Measured(
      String kernel, String device, Map<String, long[]> shapes, List<Double> micros, int runs, String protocol,
      long bytes, String check, Optional<Report> report) {
    public double median() {
      return micros.get(micros.size() / 2);
    }

    public double gigabytesPerSecond() {
      return bytes / median() / 1e3;
    }

    /** How much of the speed that the bound allows was reached, 0 to 1; empty where no bound is known. */
    public Optional<Double> ofBound() {
      return report.map(Report::boundMicros).filter(us -> us > 0).map(us -> us / median());
    }

    /** One line of JSON, times in microseconds. */
    public String json() {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("kernel", kernel());
      fields.put("device", device());
      fields.put("shapes", shapes());
      fields.put("median_us", median());
      fields.put("min_us", micros().getFirst());
      fields.put("max_us", micros().getLast());
      fields.put("runs", runs());
      fields.put("protocol", protocol());
      fields.put("bytes", bytes());
      fields.put("gbps", gigabytesPerSecond());
      fields.put("check", check());
      ofBound().ifPresent(part -> fields.put("of_bound", part));
      report.ifPresent(r -> fields.put("report", r.fields()));
      return Json.text(fields);
    }
  }

  private Bench() {}

  public static Measured measure(Kernel kernel, KernelRun.Request request) {
    String check = check(kernel, request);
    try (BenchSubject subject = BenchSubject.of(kernel, request, Optional.empty())) {
      BenchSubject.Times times = subject.time(Optional.empty());
      return new Measured(kernel.name(), kernel.module().session().device().toString(), subject.shapes(),
          times.micros(), times.runs(), times.protocol().toString(), subject.bytes(), check, subject.report());
    }
  }

  /** {@code ok}, {@code wrong}, or why nothing could be compared. */
  static String check(Kernel kernel, KernelRun.Request request) {
    if (!request.reference()) {
      return "not asked for";
    }
    Map<String, Object> values = new HashMap<>(request.values());
    values.replaceAll((name, v) -> v instanceof Long n && n > CHECKED_SIZE && !kernel.constants().contains(name)
        ? (Object) (CHECKED_SIZE + n % 16) : v);
    KernelRun.Result result =
        KernelRun.run(kernel, new KernelRun.Request(values, request.inputs(), request.outputs(), request.seed(), true));
    return result.note().orElse(result.holds() ? "ok" : "wrong");
  }
}
