package dev.tkc.cli;

import dev.tkc.Device;
import dev.tkc.Tkc;
import dev.tkc.fuzz.DeviceComparison;
import dev.tkc.fuzz.Fuzzer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/** {@code tkc fuzz}: random programs, compared between the interpreter and a device. */
@picocli.CommandLine.Command(
    name = "fuzz",
    description = "Compare random programs between the interpreter and a device, and shrink what differs.")
final class FuzzCommand extends Command {
  @Option(
      names = "--count", paramLabel = "N", defaultValue = "500", converter = Count.class,
      description = "How many programs (default ${DEFAULT-VALUE}).")
  private long count;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "1", converter = WholeNumber.class,
      description = "The first program's seed (default ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--device", paramLabel = "DEVICE", converter = DeviceOptions.DeviceName.class, defaultValue = "passes",
      description = "cuda[:N], or passes[:TARGET]: the interpreter after the passes (default ${DEFAULT-VALUE}).")
  private Device device;

  @Option(
      names = "--stop-after-failures", paramLabel = "N", defaultValue = "5", converter = Count.class,
      description = "End after so many programs that differ (default ${DEFAULT-VALUE}).")
  private long stopAfter;

  @Option(
      names = "--shrink-seconds", paramLabel = "N", defaultValue = "20", converter = Count.class,
      description = "The time to spend on making one differing program small (default ${DEFAULT-VALUE}).")
  private long shrinkSeconds;

  @Option(
      names = "--seconds", paramLabel = "N", converter = Count.class,
      description = "End after so much time, however many programs were tried until then.")
  private Long seconds;

  @Option(names = "--out", paramLabel = "DIR",
      description = "Where to write differing programs as fuzz-SEED.tk; else they are printed.")
  private Path out;

  FuzzCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    if (device instanceof Device.Interpreter) {
      throw usage("--device " + device + " would compare the interpreter with itself");
    }
    Fuzzer.requireFolder(Optional.ofNullable(out));
    try (Tkc reference = Tkc.create(Device.interpreter()); Tkc other = Tkc.create(device)) {
      Fuzzer.Plan plan = new Fuzzer.Plan(seed, count, stopAfter, Duration.ofSeconds(shrinkSeconds),
          Optional.ofNullable(seconds).map(Duration::ofSeconds), Optional.ofNullable(out));
      Fuzzer.Outcome outcome = Fuzzer.run(new DeviceComparison(reference, other), plan, terminal()::remark);
      terminal().out().println(outcome.summary());
      return outcome.differences().isEmpty() ? 0 : 1;
    }
  }
}
