package dev.tkc.cli;

import dev.tkc.Kernel;
import dev.tkc.Tkc;
import dev.tkc.Tuner;
import dev.tkc.host.KernelRun;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc tune}: measures schedules of a kernel and keeps the times beside its file, where later runs find them. */
@picocli.CommandLine.Command(
    name = "tune",
    description = "Measure the most promising schedules of a kernel; later runs on the same sizes take the best.")
final class TuneCommand extends Command {
  private static final int BAR = 24;

  @Parameters(paramLabel = "FILE", description = "A .tk file; times go to NAME.tuned.json beside it.")
  private String file;

  @Mixin private KernelOptions options;

  @Mixin private DeviceOptions device;

  @Option(names = "--in", paramLabel = "NAME=FILE", description = "An input: an array file, or a number for a scalar.")
  private NamedValues<String, String> inputs = new NamedValues<>();

  @Option(
      names = "--budget", paramLabel = "SECONDS", defaultValue = "120", converter = Count.class,
      description = "Begin no further measurement after so many seconds (default ${DEFAULT-VALUE}).")
  private long budget;

  @Option(
      names = "--top", paramLabel = "N", defaultValue = "8", converter = Count.class,
      description = "How many combinations of tile sizes to measure (default ${DEFAULT-VALUE}).")
  private long top;

  @Option(names = "--no-check", description = "Do not check results before measuring.")
  private boolean noCheck;

  TuneCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    inputs.requireDistinct("--in", this);
    if (top == 0) {
      throw usage("--top 0 measures nothing");
    }
    try (Tkc tkc = device.session(false)) {
      Kernel kernel = options.in(tkc, terminal().source(file), this);
      var request = new KernelRun.Request(options.values(), inputs, Set.of(), 0, !noCheck);
      Tuner.Result result =
          Tuner.tune(kernel, request, new Tuner.Options(Duration.ofSeconds(budget), (int) top, !noCheck), this::show);
      result.trials().stream().filter(t -> t.failure().isEmpty()).limit(5)
          .forEach(t -> terminal().out().println(line(t)));
      terminal()
          .remark((result.complete() ? "all is measured" : "the budget is used up; the next run goes on from here")
          + ", times are in " + result.file());
      return result.trials().stream().anyMatch(t -> t.failure().isEmpty()) ? 0 : 1;
    }
  }

  private void show(Tuner.Progress p) {
    int filled = BAR * p.done() / Math.max(1, p.total());
    String bar = "█".repeat(filled) + "░".repeat(BAR - filled);
    terminal().remark("%s %d/%d  %s".formatted(bar, p.done(), p.total(), line(p.last())));
  }

  private static String line(Tuner.Trial t) {
    String schedule = new TreeMap<>(t.constants()) + (t.settings().isEmpty() ? "" : " " + new TreeMap<>(t.settings()));
    return t.failure().map(why -> schedule + "  " + why)
        .orElseGet(() -> String.format(Locale.ROOT, "%-48s %10.2f µs", schedule, t.micros()));
  }
}
