package dev.tkc.cli;

import dev.tkc.Bench;
import dev.tkc.BenchServer;
import dev.tkc.Kernel;
import dev.tkc.Report;
import dev.tkc.Tkc;
import dev.tkc.host.KernelRun;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc bench}: how long a kernel takes, by the protocol of {@link Bench}. */
@picocli.CommandLine.Command(name = "bench", description = "Measure a kernel on random data.")
final class BenchCommand extends Command {
  @Parameters(paramLabel = "FILE", arity = "0..1", description = "A .tk file, or - for standard input.")
  private String file;

  @Mixin private KernelOptions options;

  @Mixin private DeviceOptions device;

  @Option(names = "--in", paramLabel = "NAME=FILE", description = "An input: an array file, or a number for a scalar.")
  private NamedValues<String, String> inputs = new NamedValues<>();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(names = "--no-check", description = "Do not check the result first.")
  private boolean noCheck;

  @Option(
      names = "--serve",
      description = "Measure what lines of JSON on standard input ask for, for a program that compares.")
  private boolean serve;

  BenchCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() throws IOException {
    if (serve == (file != null)) {
      throw usage(serve ? "--serve takes no file: requests name theirs" : "a file is missing");
    }
    inputs.requireDistinct("--in", this);
    try (Tkc tkc = device.session(false)) {
      if (serve) {
        serve(tkc);
        return 0;
      }
      Kernel kernel = options.in(tkc, terminal().source(file), this);
      Bench.Measured m =
          Bench.measure(kernel, new KernelRun.Request(options.values(), inputs, Set.of(), 0, !noCheck));
      terminal().out().println(json ? m.json() : text(m));
      return m.check().equals("wrong") ? 1 : 0;
    }
  }

  private void serve(Tkc tkc) throws IOException {
    var requests = new BufferedReader(new InputStreamReader(terminal().in(), StandardCharsets.UTF_8));
    new BenchServer(tkc).serve(requests, answer -> {
      terminal().out().println(answer);
      terminal().out().flush();
    });
  }

  private static String bound(Report r) {
    return r.bounds().size() == 1 ? "its " + r.bounds().getFirst().part() + " allow" : "the bounds of its phases allow";
  }

  private static String text(Bench.Measured m) {
    StringBuilder shapes = new StringBuilder();
    m.shapes().forEach((name, shape) -> shapes.append(' ').append(name).append(java.util.Arrays.toString(shape)));
    return String.format(
        Locale.ROOT, "%s on %s:%s%nmedian %.1f µs (%.1f to %.1f, %d launches, %s), %.0f GB/s, check: %s",
        m.kernel(), m.device(), shapes, m.median(), m.micros().getFirst(), m.micros().getLast(), m.runs(), m.protocol(),
        m.gigabytesPerSecond(), m.check())
        + m.ofBound()
            .map(part -> String.format(Locale.ROOT, "%n%.0f%% of what %s", 100 * part, bound(m.report().orElseThrow())))
            .orElse("");
  }
}
