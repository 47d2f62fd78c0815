package dev.tkc.host;

import dev.tkc.Constants;
import dev.tkc.Kernel;
import dev.tkc.Parameter;
import dev.tkc.Timing;
import dev.tkc.Tensor;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One run of a kernel on given or made-up inputs, compared with the reference of a test: what {@code tkc run} does.
 *
 * <p>Sizes come from {@code -D}, then from the shapes of given inputs, then from {@link Shapes}' defaults. Inputs that
 * are not given are made as the first test does that calls the kernel and can be had for these sizes; without such a
 * test, floats are normally distributed and integers lie in [0, 16). What the kernel wrote is compared with what that
 * test expects.
 */
public final class KernelRun {
  /** Above this many elements in one tensor a reference would take too long, so none is computed. */
  private static final long REFERENCE_LIMIT = 1L << 24;

  /**
   * What is asked for.
   *
   * @param values constants and sizes by name: {@code Long}, {@code Double} or {@code Boolean}
   * @param inputs by parameter: an array file, or a number for a scalar
   * @param outputs parameters that are to be kept; each must be written by the kernel
   * @param seed changes all made-up inputs; 0 leaves the tests' own
   * @param reference whether to compare
   */
  public record Request(
      Map<String, Object> values, Map<String, String> inputs, Set<String> outputs, long seed, boolean reference) {
    public Request {
      values = Map.copyOf(values);
      inputs = Map.copyOf(inputs);
      outputs = Set.copyOf(outputs);
    }
  }

  /** An argument as it was after the run; {@code origin} says where it came from. */
  public record Used(Parameter parameter, Object value, String origin) {}

  /** One comparison with a test's expectation, as it is written there. */
  public record Check(String output, String expectation, Comparison comparison, double relative, double absolute) {}

  /** What happened; without checks, {@code note} says why there are none. */
  public record Result(List<Used> arguments, Timing timing, List<Check> checks, Optional<String> note) {
    public Result {
      arguments = List.copyOf(arguments);
      checks = List.copyOf(checks);
    }

    public boolean holds() {
      return checks.stream().allMatch(c -> c.comparison().holds());
    }

    /** The tensor of an output. */
    public Tensor output(String name) {
      return arguments.stream().filter(u -> u.parameter().name().equals(name)).map(u -> (Tensor) u.value()).findFirst()
          .orElseThrow();
    }
  }

  private final Kernel kernel;
  private final Request request;
  private final Shapes shapes;
  private final Map<String, Object> given;

  private KernelRun(Kernel kernel, Request request) {
    this.kernel = kernel;
    this.request = request;
    List<String> written = kernel.parameters().stream().filter(Parameter::isWritten).map(Parameter::name).toList();
    request.outputs().stream().filter(o -> !written.contains(o)).findFirst().ifPresent(o -> {
      throw unknown(kernel, o, "output", written);
    });
    this.given = Inputs.read(kernel, request.inputs());
    this.shapes = Shapes.of(kernel, request.values(), given);
  }

  public static Result run(Kernel kernel, Request request) {
    return new KernelRun(kernel, request).run();
  }

  /** The arguments that a run would have, without running: for measuring. */
  public static List<Used> arguments(Kernel kernel, Request request) {
    return new KernelRun(kernel, request).plain();
  }

  private Result run() {
    Memory.require(shapes.bytes());
    Optional<String> why = Optional.of("no test of " + kernel.module() + " calls the kernel");
    if (!request.reference() || shapes.largest() > REFERENCE_LIMIT) {
      why = Optional.of(request.reference() ? "the tensors are too large for a reference" : "none was asked for");
    } else {
      for (Reference reference : Reference.of(kernel)) {
        try (Replay replay = new Replay(kernel, reference, shapes, given, request.seed())) {
          Optional<List<Used>> inputs = replay.arguments();
          if (inputs.isPresent()) {
            Timing timing = launch(inputs.get(), replay.constants());
            List<Check> checks = replay.compare(inputs.get());
            return new Result(inputs.get(), timing, checks,
                checks.isEmpty() ? Optional.of("the test \"" + reference.test().title() + "\" compares no output")
                : Optional.empty());
          }
          why = Optional.of(replay.reason());
        }
      }
    }
    List<Used> inputs = plain();
    return new Result(inputs, launch(inputs, shapes.constants()), List.of(), why);
  }

  private Timing launch(List<Used> arguments, Map<String, Object> constants) {
    return kernel.launch(new Constants(constants), arguments.stream().map(Used::value).toArray());
  }

  private List<Used> plain() {
    List<Used> all = new ArrayList<>();
    for (int i = 0; i < kernel.parameters().size(); i++) {
      Parameter p = kernel.parameters().get(i);
      Object value = given.get(p.name());
      all.add(value != null
          ? new Used(p, value, p.tensor() ? request.inputs().get(p.name()) : "given")
          : Inputs.made(p, shapes.of(i), request.seed() + i + 1));
    }
    return all;
  }

  /** Refuses what names nothing. */
  static DiagnosticException unknown(Kernel kernel, String name, String what, List<String> names) {
    return new DiagnosticException(
        Diagnostic.error(Code.ARGUMENT_NAME, "`" + kernel.name() + "` has no " + what + " `" + name + "`")
            .label(kernel.syntax().name().span(), "this kernel")
            .note(names.isEmpty() ? "it has none" : "there are: " + String.join(", ", names)));
  }
}
