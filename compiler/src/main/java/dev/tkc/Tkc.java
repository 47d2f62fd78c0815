package dev.tkc;

import dev.tkc.grammar.lower.Checker;
import dev.tkc.grammar.lower.ImportResolver;
import dev.tkc.grammar.lower.Library;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A session on one device: loads programs and launches their kernels.
 *
 * <pre>{@code
 * try (Tkc tkc = Tkc.create(Device.best())) {
 *   Kernel gemm = tkc.load(Path.of("gemm.tk")).kernel("gemm");
 *   Tensor c = Tensor.empty(Element.BF16, m, n);
 *   gemm.launch(a, b, c);
 * }
 * }</pre>
 *
 * <p>Work that is repeated keeps its tensors on the device and is queued without copies:
 *
 * <pre>{@code
 * Tensor x = tkc.upload(a), y = tkc.upload(b), z = tkc.empty(Element.BF16, m, n);
 * PreparedLaunch product = gemm.prepare(Constants.none(), x, y, z);
 * product.enqueue(stream);
 * }</pre>
 *
 * <p>Thread-safe. What is wrong with a program is a {@link DiagnosticException} that carries every finding, or the
 * findings themselves from {@link #check}.
 */
public final class Tkc implements AutoCloseable {
  /**
   * How launches run.
   *
   * @param check on the interpreter, watch for races, indices out of bounds, reads of what was never written, outputs
   *     not written completely and padding that reaches a result
   * @param maxSteps on the interpreter, the instructions after which to stop
   * @param debugAsserts on other devices, compile {@code assert}s
   * @param disabled on other devices, passes of the pipeline to leave out, so that it can be seen what they are good
   *     for
   * @param lineTable on GPUs, let the code say which source line it comes from, for profilers and sanitizers
   */
  public record Options(boolean check, long maxSteps, boolean debugAsserts, Set<String> disabled, boolean lineTable) {
    public Options {
      disabled = Set.copyOf(disabled);
    }

    public static Options defaults() {
      return new Options(false, Long.MAX_VALUE, false, Set.of(), false);
    }

    public Options withCheck(boolean on) {
      return new Options(on, maxSteps, debugAsserts, disabled, lineTable);
    }

    public Options withMaxSteps(long steps) {
      return new Options(check, steps, debugAsserts, disabled, lineTable);
    }

    public Options withDisabled(Set<String> passes) {
      return new Options(check, maxSteps, debugAsserts, passes, lineTable);
    }

    public Options withLineTable(boolean on) {
      return new Options(check, maxSteps, debugAsserts, disabled, on);
    }

    /** How its kernels are compiled. */
    CompileOptions compiling() {
      return new CompileOptions(PassOptions.defaults().withDisabled(disabled).withDebugAsserts(debugAsserts),
          debugAsserts, lineTable);
    }
  }

  private final Device device;
  private final Options options;
  private final Engine engine;

  Tkc(Device device, Options options, Engine engine) {
    this.device = device;
    this.options = options;
    this.engine = engine;
  }

  public static Tkc create(Device device) {
    return create(device, Options.defaults());
  }

  /**
   * @throws DiagnosticException if the device is not there, or passes are left out that it does not run
   */
  public static Tkc create(Device device, Options options) {
    if (device instanceof Device.Interpreter && !options.disabled().isEmpty()) {
      throw new DiagnosticException(
          Diagnostic.error(Code.USAGE, "the interpreter runs no passes that could be left out")
          .help("name a device that does: `cuda`, or `passes:TARGET`"));
    }
    Engine engine =
        switch (device) {
          case Device.Interpreter _ -> new InterpreterEngine(interpreting(options));
          case Device.Cuda(int ordinal) -> new CudaEngine(ordinal, options);
          case Device.Passes(Optional<Target> target) ->
              new PassesEngine(target, options.disabled(), PassContext.NONE,
                  (module, data) -> new Interpreter(interpreting(options)).run(module, data));
        };
    return new Tkc(device, options, engine);
  }

  /**
   * A session that runs the passes for a target and gives what they leave to {@code execution}.
   *
   * @param observer sees, and may change, the module between passes: how tests show that a wrong pass is noticed
   */
  public static Tkc create(Target target, PassContext.Observer observer, Execution execution) {
    return new Tkc(Device.passes(target), Options.defaults(),
        new PassesEngine(Optional.of(target), Set.of(), observer, execution));
  }

  private static Interpreter.Options interpreting(Options options) {
    return Interpreter.Options.defaults().withCheck(options.check()).withMaxSteps(options.maxSteps());
  }

  /** Everything that is wrong with a program, without running it; empty if nothing is. */
  public static List<Diagnostic> check(Source source) {
    return check(parse(source), "", Constants.none());
  }

  private record Linked(Library library, List<Diagnostic> syntax) {}

  private static Linked parse(Source source) {
    Parsed parsed = SyntaxReader.read(source);
    return new Linked(Library.link(parsed.program(), ImportResolver.FILES), parsed.diagnostics());
  }

  /** Where the text itself is wrong, what is missing from the tree would only cause errors that say nothing. */
  private static List<Diagnostic> check(Linked linked, String kernel, Constants constants) {
    if (linked.syntax().stream().anyMatch(Diagnostic::isError)) {
      return linked.syntax();
    }
    List<Diagnostic> findings = new ArrayList<>(linked.syntax());
    List<String> targets = Target.all().stream().map(Target::name).toList();
    findings.addAll(Checker.check(linked.library(), targets, kernel, constants.values()));
    return findings;
  }

  /** Loads and checks a file. */
  public KernelModule load(Path path) {
    return load(Sources.read(path));
  }

  /** Loads and checks a text. */
  public KernelModule load(String text) {
    return load(new Source("<text>", text));
  }

  /** Loads and checks a text that has a name for messages. */
  public KernelModule load(Source source) {
    return load(source, Optional.empty(), Constants.none());
  }

  /**
   * The same for one kernel, the file's only one without a name: it is checked with these values in place of its
   * constants' own. What is wrong within a test is kept with the module and stops nothing but that test.
   */
  public KernelModule load(Source source, Optional<String> kernel, Constants constants) {
    Linked linked = parse(source);
    String name = kernel.or(() -> KernelModule.only(linked.library(), source)).orElse("");
    List<Diagnostic> findings = check(linked, name, constants);
    if (stops(linked, findings)) {
      throw new DiagnosticException(constants.values().isEmpty() ? findings
          : unsuited(linked, name, constants, findings));
    }
    return new KernelModule(this, source, linked.library(), findings);
  }

  /** Findings as they are, if they are there without the given values as well; else the value that is to blame. */
  private static List<Diagnostic> unsuited(
      Linked linked, String kernel, Constants constants, List<Diagnostic> findings) {
    if (stops(linked, check(linked, kernel, Constants.none()))) {
      return findings;
    }
    Diagnostic first = findings.stream().filter(d -> d.isError() && !isInTest(linked, d)).findFirst().orElseThrow();
    Map<String, Object> blamed = new TreeMap<>(constants.values());
    constants.values().forEach((n, v) -> {
      if (check(linked, kernel, Constants.of(n, v)).stream().anyMatch(first::equals)) {
        blamed.keySet().retainAll(Set.of(n));
      }
    });
    String values = blamed.entrySet().stream().map(e -> e.getKey() + " = " + Literals.text(e.getValue(), Element.F64))
        .collect(Collectors.joining(", "));
    Diagnostic d = new Diagnostic(first.severity(), Code.LAUNCH_CONSTANT,
        "`" + kernel + "` cannot have " + values + ": " + first.message(), first.labels(), first.notes(), List.of());
    return List.of(d.note("given on the command line: "
        + blamed.entrySet().stream().map(e -> "-D " + e.getKey() + "=" + Literals.text(e.getValue(), Element.F64))
            .collect(Collectors.joining(" "))));
  }

  /** Loads and checks a text for its tests: what is wrong within one of them fails that one and no other. */
  public KernelModule loadTests(Source source) {
    Linked linked = parse(source);
    List<Diagnostic> findings = check(linked, "", Constants.none());
    if (stops(linked, findings)) {
      throw new DiagnosticException(findings);
    }
    return new KernelModule(this, source, linked.library(), findings);
  }

  /** Whether findings keep a program from being used: errors in its text, or in what is no test. */
  private static boolean stops(Linked linked, List<Diagnostic> findings) {
    return linked.syntax().stream().anyMatch(Diagnostic::isError)
        || findings.stream().anyMatch(d -> d.isError() && !isInTest(linked, d));
  }

  private static boolean isInTest(Linked linked, Diagnostic d) {
    return KernelModule.tests(linked.library()).stream().anyMatch(t -> KernelModule.isIn(t, d));
  }

  /** A tensor in the device's memory whose elements are undefined. */
  public Tensor empty(Element element, long... shape) {
    return engine.empty(element, shape);
  }

  /** A copy of the tensor in the device's memory. */
  public Tensor upload(Tensor tensor) {
    return engine.upload(tensor);
  }

  /** A queue for prepared launches. */
  public Stream newStream() {
    return engine.newStream();
  }

  public Device device() {
    return device;
  }

  public Options options() {
    return options;
  }

  Engine engine() {
    return engine;
  }

  /** Releases what the session holds on its device. */
  @Override
  public void close() {
    engine.close();
  }

  @Override
  public String toString() {
    return "tkc on " + device;
  }
}
