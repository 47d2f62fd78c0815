package dev.tkc;

import dev.tkc.backend.ptx.CudaRuntime;
import dev.tkc.host.KernelRun;
import dev.tkc.io.ArrayFile;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.Op;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Measures kernels at the request of another program, which can so let tkc and others take turns on one GPU: it asks,
 * tkc measures and answers, and while nothing is asked tkc leaves the device idle. One request and one answer a line,
 * JSON objects:
 *
 * <pre>{@code
 * {"do": "hello"}                                     version, device, driver
 * {"do": "prepare", "name": "g", "file": "gemm.tk", "kernel": "gemm", "values": {"M": 512}, "inputs": {"a": "x.npy"},
 *  "copies": 4}                                       shapes, bytes, copies, milliseconds, a hash of the assembly;
 *                                                     what a report says of it
 * {"do": "code", "file": "gemm.tk", "values": {…}}    what is made of a kernel without running it: a hash of the
 *                                                     assembly, the constants, how many products run beside the warps
 *                                                     and how many do not
 * {"do": "run", "name": "g", "outputs": {"c": "c.npy"}}   one launch, results to files
 * {"do": "check", "name": "g"}                        one launch against the kernel's test: "ok", "wrong" or why not
 * {"do": "time", "name": "g", "protocol": "burst", "rounds": 5, "round_us": 20000}
 *                                                     (or graph-burst, graph, back-to-back)
 *                                                     median_us, micros, runs, protocol
 * {"do": "sustained", "name": "g", "millis": 1500}    us
 * {"do": "release", "name": "g"}
 * {"do": "quit"}
 * }</pre>
 *
 * <p>{@code values}, {@code inputs}, {@code kernel}, {@code copies}, {@code protocol}, {@code rounds} and
 * {@code round_us} may be left out. {@code prepare} and {@code code} also take {@code "disable": ["delay-waits"]},
 * passes to leave out. What fails is answered by {@code {"error": …, "lost": …}}; after a lost device nothing more can
 * be measured in this process.
 */
public final class BenchServer {
  /** In place of a request that is no JSON: why. */
  private static final String UNREADABLE = "";

  private record Prepared(BenchSubject subject, KernelRun.Request request) {}

  private final Tkc tkc;
  private final Map<String, Prepared> prepared = new LinkedHashMap<>();
  private final Map<Set<String>, Tkc> sessions = new LinkedHashMap<>();
  private final Map<Loaded, KernelModule> modules = new LinkedHashMap<>();

  /** A file as a session without these passes knows it. */
  private record Loaded(Path file, Set<String> disabled) {}

  public BenchServer(Tkc tkc) {
    this.tkc = tkc;
    sessions.put(tkc.options().disabled(), tkc);
  }

  /** Answers requests until there are no more. */
  public void serve(BufferedReader requests, Consumer<String> answers) throws IOException {
    try {
      for (String line = requests.readLine(); line != null; line = requests.readLine()) {
        Map<String, Object> request = parse(line);
        if ("quit".equals(request.get("do"))) {
          return;
        }
        answers.accept(Json.text(answer(request)));
      }
    } finally {
      prepared.values().forEach(p -> p.subject().close());
      sessions.values().stream().filter(s -> s != tkc).forEach(Tkc::close);
    }
  }

  private Map<String, Object> answer(Map<String, Object> request) {
    try {
      return switch (String.valueOf(request.get("do"))) {
        case "hello" -> hello();
        case "prepare" -> prepare(request);
        case "code" -> code(request);
        case "run" -> run(request);
        case "check" -> check(of(request));
        case "time" -> time(request);
        case "sustained" -> Map.of("us", of(request).subject().sustained(number(request, "millis").orElse(1500L)));
        case "release" -> release(request);
        case String other -> throw refused(request.containsKey("do") ? "no request is called `" + other + "`"
            : request.containsKey(UNREADABLE) ? "the request is not JSON: " + request.get(UNREADABLE)
            : "the request does not say what to do, in its field `do`");
      };
    } catch (DiagnosticException e) {
      boolean lost = e.diagnostics().stream().anyMatch(d -> d.code() == Code.DEVICE_FAULT);
      return Map.of("error", e.getMessage(), "lost", lost);
    } catch (IllegalArgumentException e) {
      // A value that no constant can have.
      return Map.of("error", String.valueOf(e.getMessage()), "lost", false);
    } catch (RuntimeException e) {
      return Map.of("error", "tkc itself failed: " + e, "lost", false);
    }
  }

  private Map<String, Object> hello() {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("version", Version.text());
    answer.put("device", tkc.device().toString());
    if (tkc.engine() instanceof CudaEngine cuda && CudaRuntime.probe() instanceof CudaRuntime.Present present) {
      answer.put("gpu", cuda.device().properties().name());
      answer.put("l2_bytes", cuda.device().properties().l2Bytes());
      answer.put("driver_cuda", present.driverVersion());
    }
    return answer;
  }

  private Map<String, Object> prepare(Map<String, Object> request) {
    String name = string(request, "name");
    long start = System.nanoTime();
    Kernel kernel = kernel(request);
    Map<String, String> inputs = new LinkedHashMap<>();
    object(request, "inputs").forEach((parameter, value) -> inputs.put(parameter, value.toString()));
    KernelRun.Request run = new KernelRun.Request(object(request, "values"), inputs, Set.of(), 0, true);
    BenchSubject subject = BenchSubject.of(kernel, run, number(request, "copies").map(Math::toIntExact));
    release(request);
    prepared.put(name, new Prepared(subject, run));
    Map<String, Object> answer = new LinkedHashMap<>();
    Map<String, Object> shapes = new LinkedHashMap<>();
    subject.shapes()
        .forEach((parameter, shape) -> shapes.put(parameter, java.util.Arrays.stream(shape).boxed().toList()));
    answer.put("shapes", shapes);
    answer.put("bytes", subject.bytes());
    answer.put("copies", subject.copies());
    answer.put("prepare_ms", (System.nanoTime() - start) / 1e6);
    subject.code().ifPresent(c -> answer.put("code", c));
    subject.report().ifPresent(r -> answer.putAll(r.fields()));
    return answer;
  }

  /** The kernel that a request names, of a session that leaves out what the request says. */
  private Kernel kernel(Map<String, Object> request) {
    Set<String> disabled = new LinkedHashSet<>();
    if (request.get("disable") instanceof List<?> passes) {
      passes.forEach(p -> disabled.add(p.toString()));
    }
    Tkc session = disabled.isEmpty()
        ? tkc : sessions.computeIfAbsent(disabled, d -> Tkc.create(tkc.device(), tkc.options().withDisabled(d)));
    KernelModule module = modules.computeIfAbsent(new Loaded(Path.of(string(request, "file")), disabled),
        l -> session.load(l.file()));
    return request.containsKey("kernel") ? module.kernel(string(request, "kernel")) : module.kernel();
  }

  private Map<String, Object> code(Map<String, Object> request) {
    Kernel kernel = kernel(request);
    Target target = tkc.engine().target()
        .orElseThrow(() -> refused(tkc.device() + " compiles nothing"));
    Constants values = new Constants(object(request, "values"));
    CompiledKernel compiled = kernel.compile(target, values, kernel.module().session().options().compiling());
    Map<String, Object> constants = new LinkedHashMap<>();
    kernel.schedule(target, values).constants().forEach(c -> constants.put(c.name(), c.value()));
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("code", code(compiled));
    answer.put("constants", constants);
    answer.put("asynchronous", count(compiled, AsyncOp.DotAsync.class));
    answer.put("synchronous", count(compiled, MatrixOp.Dot.class));
    return answer;
  }

  /** Equal for equal assembly. */
  static String code(CompiledKernel compiled) {
    return Integer.toHexString(compiled.assembly().hashCode());
  }

  private static long count(CompiledKernel compiled, Class<? extends Op> kind) {
    long[] found = {0};
    compiled.placed().funcs().forEach(f -> f.body().walk(i -> found[0] += kind.isInstance(i.op()) ? 1 : 0));
    return found[0];
  }

  private Map<String, Object> run(Map<String, Object> request) {
    List<KernelRun.Used> after = of(request).subject().run();
    object(request, "outputs").forEach((parameter, file) -> {
      Tensor tensor = (Tensor) after.stream().filter(u -> u.parameter().name().equals(parameter)).findFirst()
          .orElseThrow(() -> refused("there is no parameter " + parameter)).value();
      ArrayFile.parse(file.toString()).write(tensor);
    });
    return Map.of("done", true);
  }

  private static Map<String, Object> check(Prepared p) {
    KernelRun.Result result = KernelRun.run(p.subject().kernel(), p.request());
    return Map.of("check", result.note().orElse(result.holds() ? "ok" : "wrong"));
  }

  private Map<String, Object> time(Map<String, Object> request) {
    Optional<BenchSubject.Protocol> protocol = Optional.ofNullable(request.get("protocol"))
        .map(p -> BenchSubject.Protocol.valueOf(p.toString().toUpperCase(Locale.ROOT).replace('-', '_')));
    BenchSubject.Effort usual = BenchSubject.Effort.DEFAULT;
    BenchSubject.Effort effort = new BenchSubject.Effort(
        number(request, "rounds").map(Math::toIntExact).orElse(usual.rounds()),
        number(request, "round_us").map(Long::doubleValue).orElse(usual.roundMicros()));
    BenchSubject.Times times = of(request).subject().time(protocol, effort);
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("median_us", times.median());
    answer.put("micros", times.micros());
    answer.put("runs", times.runs());
    answer.put("protocol", times.protocol().toString());
    return answer;
  }

  private Map<String, Object> release(Map<String, Object> request) {
    Optional.ofNullable(prepared.remove(string(request, "name"))).ifPresent(p -> p.subject().close());
    return Map.of("done", true);
  }

  private Prepared of(Map<String, Object> request) {
    return Optional.ofNullable(prepared.get(string(request, "name")))
        .orElseThrow(() -> refused("nothing is prepared as " + request.get("name")));
  }

  private static DiagnosticException refused(String why) {
    return new DiagnosticException(Diagnostic.error(Code.USAGE, why));
  }

  private static String string(Map<String, Object> request, String field) {
    if (!(request.get(field) instanceof String text)) {
      throw refused("the request has no text `" + field + "`");
    }
    return text;
  }

  private static Optional<Long> number(Map<String, Object> request, String field) {
    return request.get(field) instanceof Long n ? Optional.of(n) : Optional.empty();
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Map<String, Object> request, String field) {
    return request.get(field) instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  private static Map<String, Object> parse(String line) {
    try {
      @SuppressWarnings("unchecked")
      Map<String, Object> map = Json.parse(line) instanceof Map<?, ?> m ? (Map<String, Object>) m : Map.of();
      return map;
    } catch (IOException e) {
      return Map.of(UNREADABLE, e.getMessage().lines().findFirst().orElse(""));
    }
  }
}
