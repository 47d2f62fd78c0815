package dev.tkc.fuzz;

import dev.tkc.Kernel;
import dev.tkc.Tensor;
import dev.tkc.Tkc;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Runs generated programs on the interpreter and on another session, and compares what they leave in every output.
 *
 * <p>Outputs of exact expressions must have the same bits, NaN equal to NaN. Others must satisfy
 * |x − y| ≤ A + R·max(|y|, rms(y)) with y the interpreter's, infinities equal by sign, a NaN only with a NaN, and
 *
 * <ul>
 *   <li>for f32 R = 2·10⁻³, A = 10⁻⁴: generated expressions are at most some ten operations deep and each has a slope
 *       of at most about 20 on its clamped argument, so an error of some units in the last place stays far below; a
 *       wrong element, lane or operand of random data does not;
 *   <li>for f16 and bf16 R = 2·10⁻², A = 10⁻³: the rounding of the result itself may flip, by 2⁻⁷ in bf16.
 * </ul>
 */
public final class DeviceComparison {
  private final Tkc reference;
  private final Tkc device;

  /** {@code reference} is what is right. */
  public DeviceComparison(Tkc reference, Tkc device) {
    this.reference = reference;
    this.device = device;
  }

  /**
   * How a program's run ended where the two are not of one mind.
   *
   * @param what the first element that differs, or what was raised
   * @param values whether both ran to their end and left different values
   * @param lost whether the device can run nothing more, so that whatever follows would fail too
   */
  public record Difference(RandomProgram program, String what, boolean values, boolean lost) {
    Difference(RandomProgram program, String what, boolean values) {
      this(program, what, values, false);
    }

    /** The same for two programs that show one defect, as far as can be told: names and numbers are left out. */
    String kind() {
      return values ? "values" : what.replaceAll("`[^`]*`|%\\w+|[0-9]+", "");
    }

    /** A file that shows it: the kernel, with the circumstances as a comment. */
    public String text() {
      StringBuilder out = new StringBuilder();
      what.lines().forEach(l -> out.append("// ").append(l).append('\n'));
      return out.append(program).toString();
    }
  }

  /** Generates the program of a seed and compares; empty if all outputs agree. */
  public Optional<Difference> compare(long seed) {
    return compare(ProgramGenerator.generate(seed));
  }

  Optional<Difference> compare(RandomProgram program) {
    List<Object> arguments;
    List<Tensor> expected;
    try {
      arguments = arguments(program, reference);
      reference.load(program.text()).kernel().launch(constants(), arguments.toArray());
      expected = outputs(program, arguments);
    } catch (DiagnosticException e) {
      return Optional.of(new Difference(program, "the program is refused: " + message(e), false));
    } catch (RuntimeException e) {
      return Optional.of(new Difference(program, "the interpreter fails: " + raised(e), false));
    }
    try {
      List<Object> second = arguments(program, device);
      device.load(program.text()).kernel().launch(constants(), second.toArray());
      return firstDifference(program, expected, outputs(program, second)).map(d -> new Difference(program, d, true));
    } catch (DiagnosticException e) {
      boolean lost = e.diagnostics().stream().anyMatch(d -> d.code() == Code.DEVICE_FAULT);
      return Optional.of(
          new Difference(program, "only " + device.device() + " refuses the program: " + message(e), false, lost));
    } catch (RuntimeException e) {
      return Optional.of(new Difference(program, device.device() + " fails: " + raised(e), false));
    }
  }

  private static dev.tkc.Constants constants() {
    return dev.tkc.Constants.none();
  }

  private static String message(DiagnosticException e) {
    return e.diagnostics().stream().filter(Diagnostic::isError).map(d -> d.code() + " " + d.message()).findFirst()
        .orElse("");
  }

  /** The exception and the place in tkc that it comes from, which tell one defect from another. */
  private static String raised(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String where = "";
    for (StackTraceElement f : root.getStackTrace()) {
      if (f.getClassName().startsWith("dev.tkc")) {
        where = " at " + f.getFileName() + ":" + f.getLineNumber();
        break;
      }
    }
    return e.getMessage() == null || e == root ? root + where
        : e.getMessage().lines().findFirst().orElse("") + ": " + root + where;
  }

  /** In the order of the kernel's parameters. */
  private static List<Object> arguments(RandomProgram program, Tkc session) {
    Kernel kernel = session.load(program.text()).kernel();
    List<Object> arguments = new ArrayList<>();
    kernel.parameters().forEach(p -> arguments.add(argument(program, p.name())));
    return arguments;
  }

  private static Tensor argument(RandomProgram program, String name) {
    for (RandomProgram.Output o : program.outputs()) {
      if (o.name().equals(name)) {
        long[] shape = Inputs.shape(o.dims(), program.sizes());
        return switch (o.mode()) {
          case OUT -> Tensor.zeros(o.element(), shape);
          case INOUT -> Inputs.tensor(new Inputs.Input(name, o.element(),
              o.element().isFloat() ? Inputs.Values.NORMAL : Inputs.Values.SMALL, o.dims()), program.sizes(),
                  program.seed());
        };
      }
    }
    Inputs.Input input = Inputs.ALL.stream().filter(i -> i.name().equals(name)).findFirst().orElseThrow();
    return Inputs.tensor(input, program.sizes(), program.seed());
  }

  private static List<Tensor> outputs(RandomProgram program, List<Object> arguments) {
    int count = program.outputs().size();
    return arguments.subList(arguments.size() - count, arguments.size()).stream().map(Tensor.class::cast).toList();
  }

  // ------------------------------------------------------------------------------------------------ comparing

  private Optional<String> firstDifference(RandomProgram program, List<Tensor> expected, List<Tensor> actual) {
    for (int o = 0; o < expected.size(); o++) {
      RandomProgram.Output output = program.outputs().get(o);
      Tensor y = expected.get(o);
      Tensor x = actual.get(o);
      long at = output.exact() ? exact(x, y) : close(x, y);
      if (at >= 0) {
        return Optional.of(output.name() + position(at, y.shape()) + " is " + x.number(at) + " on "
            + device.device() + ", "
            + y.number(at) + " on " + reference.device() + (output.exact() ? "; it is exact" : ""));
      }
    }
    return Optional.empty();
  }

  /** The first position of different bits; −1 if there is none. */
  private static long exact(Tensor x, Tensor y) {
    for (long i = 0; i < y.count(); i++) {
      boolean nan = y.element().isFloat() && Double.isNaN(x.number(i)) && Double.isNaN(y.number(i));
      if (x.bits(i) != y.bits(i) && !nan) {
        return i;
      }
    }
    return -1;
  }

  private static long close(Tensor x, Tensor y) {
    boolean narrow = y.element() != Element.F32;
    double relative = narrow ? 2e-2 : 2e-3;
    double absolute = narrow ? 1e-3 : 1e-4;
    double rms = rms(y);
    for (long i = 0; i < y.count(); i++) {
      double a = x.number(i);
      double b = y.number(i);
      boolean same = a == b || Double.isNaN(a) && Double.isNaN(b);
      if (!same && !(Math.abs(a - b) <= absolute + relative * Math.max(finite(b), rms))) {
        return i;
      }
    }
    return -1;
  }

  private static double finite(double x) {
    return Double.isFinite(x) ? Math.abs(x) : 0;
  }

  private static double rms(Tensor y) {
    double sum = 0;
    for (long i = 0; i < y.count(); i++) {
      sum += finite(y.number(i)) * finite(y.number(i));
    }
    return Math.sqrt(sum / Math.max(1, y.count()));
  }

  private static String position(long at, long[] shape) {
    StringBuilder text = new StringBuilder("]");
    long rest = at;
    for (int d = shape.length - 1; d >= 0; d--) {
      text.insert(0, rest % shape[d]).insert(0, d > 0 ? ", " : "[");
      rest /= shape[d];
    }
    return text.toString();
  }
}
