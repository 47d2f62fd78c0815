package dev.tkc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tkc.backend.ptx.CudaDevice;
import dev.tkc.backend.ptx.CudaEvent;
import dev.tkc.backend.ptx.CudaStream;
import dev.tkc.host.KernelRun;
import dev.tkc.launch.Argument;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long a kernel takes, on random data, by one protocol for all kernels:
 *
 * <ul>
 *   <li>the result is checked first, against the kernel's test, at sizes cut down to about 512 with the same remainder by 16
 *       (so that the same specialisation is checked);
 *   <li>on a GPU the arguments exist several times, together more than twice its L2 cache, and launches take them in turn;
 *   <li><em>burst</em>, for launches of 0.2 ms and more: 0.2 s of rest, two launches to warm up, then launches back to back
 *       for at most 20 ms between two events; five times;
 *   <li><em>back-to-back</em>, for shorter ones: the same, without the rest;
 *   <li><em>wall</em>, in the interpreter: five launches by the clock.
 * </ul>
 */
public final class Bench {
  private static final int ROUNDS = 5;
  private static final double BURST_MICROS = 200;
  private static final double ROUND_MICROS = 20_000;
  private static final long REST_MILLIS = 200;
  private static final int MOST_COPIES = 64;
  private static final long CHECKED_SIZE = 512;

  /**
   * What was measured; the times of the rounds are microseconds for one launch, ascending.
   *
   * @param bytes of all tensors, each read or written once
   * @param check {@code ok}, or what was wrong or why nothing could be checked
   */
  public record Measured(
      String kernel, String device, Map<String, long[]> shapes, List<Double> micros, int runs, String protocol, long bytes,
      String check) {
    public double median() {
      return micros.get(micros.size() / 2);
    }

    public double gigabytesPerSecond() {
      return bytes / median() / 1e3;
    }

    /** One line of JSON, times in microseconds. */
    public String json() {
      StringWriter text = new StringWriter();
      try (JsonGenerator out = new JsonFactory().createGenerator(text)) {
        out.writeStartObject();
        out.writeStringField("kernel", kernel());
        out.writeStringField("device", device());
        out.writeObjectFieldStart("shapes");
        for (Map.Entry<String, long[]> shape : shapes().entrySet()) {
          out.writeFieldName(shape.getKey());
          out.writeArray(shape.getValue(), 0, shape.getValue().length);
        }
        out.writeEndObject();
        out.writeNumberField("median_us", median());
        out.writeNumberField("min_us", micros().getFirst());
        out.writeNumberField("max_us", micros().getLast());
        out.writeNumberField("runs", runs());
        out.writeStringField("protocol", protocol());
        out.writeNumberField("bytes", bytes());
        out.writeNumberField("gbps", gigabytesPerSecond());
        out.writeStringField("check", check());
        out.writeEndObject();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return text.toString();
    }
  }

  private record Times(List<Double> micros, int runs, String protocol) {}

  private Bench() {}

  public static Measured measure(Kernel kernel, KernelRun.Request request) {
    String check = check(kernel, request);
    List<KernelRun.Used> used = KernelRun.arguments(kernel, request);
    Constants constants = constants(kernel, request);
    List<Argument> arguments = used.stream().map(u -> Argument.of(u.value())).toList();
    Map<String, long[]> shapes = new LinkedHashMap<>();
    long bytes = 0;
    for (KernelRun.Used u : used) {
      if (u.value() instanceof Tensor t) {
        shapes.put(u.parameter().name(), t.shape());
        bytes += t.bytes() * (u.parameter().mode() == Parameter.Mode.INOUT ? 2 : 1);
      }
    }
    Engine engine = kernel.module().session().engine();
    Times times = engine instanceof CudaEngine cuda
        ? onDevice(cuda, kernel, constants, arguments, bytes)
        : byClock(engine, kernel, constants, arguments);
    return new Measured(kernel.name(), kernel.module().session().device().toString(), shapes, times.micros(), times.runs(),
        times.protocol(), bytes, check);
  }

  private static Constants constants(Kernel kernel, KernelRun.Request request) {
    Map<String, Object> given = new HashMap<>(request.values());
    given.keySet().retainAll(kernel.constants());
    return new Constants(given);
  }

  private static String check(Kernel kernel, KernelRun.Request request) {
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

  private static Times byClock(Engine engine, Kernel kernel, Constants constants, List<Argument> arguments) {
    List<Double> micros = new ArrayList<>();
    for (int i = 0; i < ROUNDS; i++) {
      micros.add(engine.launch(kernel, constants, arguments).kernelNanos() / 1e3);
    }
    Collections.sort(micros);
    return new Times(micros, ROUNDS, "wall");
  }

  private static Times onDevice(
      CudaEngine engine, Kernel kernel, Constants constants, List<Argument> arguments, long bytes) {
    long l2 = engine.device().properties().l2Bytes();
    long room = Math.max(1, engine.device().freeMemory() / 2 / Math.max(bytes, 1));
    int copies = (int) Math.min(Math.min(MOST_COPIES, room), Math.max(1, Math.ceilDiv(2 * l2, Math.max(bytes, 1)) + 1));
    List<CudaLaunch> launches = new ArrayList<>();
    try {
      for (int i = 0; i < copies; i++) {
        CudaLaunch launch = engine.prepare(kernel, constants, arguments);
        launches.add(launch);
        launch.upload(engine.stream());
      }
      engine.stream().synchronize();
      return rounds(engine.device(), engine.stream(), launches);
    } finally {
      launches.forEach(CudaLaunch::close);
    }
  }

  private static Times rounds(CudaDevice device, CudaStream stream, List<CudaLaunch> launches) {
    round(device, stream, launches, 3);
    double estimate = Math.max(0.5, round(device, stream, launches, 5));
    boolean burst = estimate >= BURST_MICROS;
    int runs = Math.clamp(Math.round(ROUND_MICROS / estimate), 1, 5000);
    List<Double> micros = new ArrayList<>();
    for (int i = 0; i < ROUNDS; i++) {
      if (burst) {
        rest();
      }
      round(device, stream, launches, 2);
      micros.add(round(device, stream, launches, runs));
    }
    Collections.sort(micros);
    return new Times(micros, runs * ROUNDS, burst ? "burst" : "back-to-back");
  }

  /** Microseconds for one of {@code runs} launches, back to back. */
  private static double round(CudaDevice device, CudaStream stream, List<CudaLaunch> launches, int runs) {
    try (CudaEvent before = device.newEvent();
        CudaEvent after = device.newEvent()) {
      before.record(stream);
      for (int i = 0; i < runs; i++) {
        launches.get(i % launches.size()).enqueue(stream);
      }
      after.record(stream);
      stream.synchronize();
      return after.millisecondsSince(before) * 1e3 / runs;
    }
  }

  private static void rest() {
    try {
      Thread.sleep(REST_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
