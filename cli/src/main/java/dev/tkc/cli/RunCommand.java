package dev.tkc.cli;

import dev.tkc.Kernel;
import dev.tkc.Literals;
import dev.tkc.RunRecords;
import dev.tkc.Tensor;
import dev.tkc.Tkc;
import dev.tkc.host.Comparison;
import dev.tkc.host.KernelRun;
import dev.tkc.io.ArrayFile;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc run}: one launch of a kernel, on given or random inputs, compared with its test's reference. */
@picocli.CommandLine.Command(name = "run",
    description = "Run a kernel once and compare what it wrote with its test's reference.")
final class RunCommand extends Command {
  @Parameters(paramLabel = "FILE", description = "A .tk file, or - for standard input.")
  private String file;

  @Mixin private KernelOptions options;

  @Mixin private DeviceOptions device;

  @Option(
      names = "--in", paramLabel = "NAME=FILE",
      description = "An input: a .npy file, file.safetensors:NAME, or a number for a scalar. Others are made up.")
  private NamedValues<String, String> inputs = new NamedValues<>();

  @Option(names = "--out", paramLabel = "NAME=FILE",
      description = "Where to write an output: .npy or file.safetensors:NAME.")
  private NamedValues<String, String> outputs = new NamedValues<>();

  @Option(names = "--seed", paramLabel = "N", defaultValue = "0", converter = WholeNumber.class,
      description = "Changes the inputs that are made up.")
  private long seed;

  @Option(
      names = "--check",
      description = "In the interpreter, also look for races, unwritten outputs and leaking padding.")
  private boolean check;

  @Option(names = "--no-reference", description = "Do not compute a reference.")
  private boolean noReference;

  RunCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    inputs.requireDistinct("--in", this);
    outputs.requireDistinct("--out", this);
    if (Set.copyOf(outputs.values()).size() < outputs.size()) {
      throw usage("--out writes two outputs to one file");
    }
    outputs.values().forEach(path -> ArrayFile.parse(path).requireWritable());
    if (check && !device.interprets()) {
      throw usage("--check is the interpreter's, and this runs on " + device.device() + ": --device interpreter");
    }
    try (Tkc tkc = device.session(check)) {
      Kernel kernel = options.in(tkc, terminal().source(file), this);
      KernelRun.Request request = new KernelRun.Request(options.values(), inputs, outputs.keySet(), seed, !noReference);
      KernelRun.Result result = KernelRun.run(kernel, request);
      if (terminal().isJson()) {
        terminal().out().println(RunRecords.run(kernel, result, device.device()));
      } else {
        print(kernel, result);
      }
      outputs.forEach((name, path) -> ArrayFile.parse(path).write(result.output(name)));
      return result.holds() ? 0 : 1;
    }
  }

  private void print(Kernel kernel, KernelRun.Result result) {
    terminal().out().println(kernel.name() + " on " + device.device());
    for (KernelRun.Used used : result.arguments()) {
      String value = used.value() instanceof Tensor t ? t.toString()
          : Literals.text(used.value(), used.parameter().element());
      String mode = used.parameter().isWritten() ? used.parameter().isRead() ? "inout " : "out " : "";
      String origin = used.origin().isEmpty() ? "" : "  (" + used.origin() + ")";
      terminal().out().println("  " + mode + used.parameter().name() + ": " + value + origin);
    }
    terminal().out().printf(Locale.ROOT, "time: %s, %s with compiling and copies%n",
        time(result.timing().kernelNanos()), time(result.timing().totalNanos()));
    for (KernelRun.Check c : result.checks()) {
      Comparison found = c.comparison();
      terminal().out().printf(Locale.ROOT, "%s: largest error %s, relative %s; %s: %s%n",
          c.output(), number(found.largestError()), number(found.largestRelative()),
          c.expectation().replaceAll("\\s+", " "), found.holds() ? "holds"
          : found.wrong() + " of " + found.count() + " elements do not hold");
    }
    result.note().ifPresent(why -> terminal().out().println("no reference: " + why));
  }

  static String time(long nanos) {
    return nanos < 10_000_000
        ? String.format(Locale.ROOT, "%.1f µs", nanos / 1e3)
        : String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
  }

  private static String number(double x) {
    return x == 0 ? "0" : String.format(Locale.ROOT, "%.2e", x);
  }

}
