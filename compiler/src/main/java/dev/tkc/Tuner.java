package dev.tkc;

import dev.tkc.host.KernelRun;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.launch.Argument;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Measures the most promising schedules of a kernel for the sizes of one launch, and keeps the times in
 * {@link TunedSchedules}.
 *
 * <p>First the sizes of tiles: the best by estimate; where no estimate is made, the kernel's own and powers of two
 * around them. Then, for the best of those, settings ({@link #SETTINGS}). A schedule is checked against the kernel's
 * test before it is measured, by the protocol of {@link Bench}. Times are written as soon as they are known, and what
 * is written is not measured again. Schedules of one kind are measured in random order, since the chip's temperature
 * shows.
 */
public final class Tuner {
  /** What is tried beside the pipeline's own choice, one at a time. */
  private static final List<Map<String, Object>> SETTINGS = List.of(
      Map.of("grouped", 1L), Map.of("grouped", 4L), Map.of("grouped", 8L), Map.of("stages", 2L), Map.of("stages", 3L),
      Map.of("stages", 4L));

  private static final long SEED = 1;

  /**
   * @param budget after which no further measurement is begun
   * @param tiles how many combinations of tile sizes are measured
   * @param check whether schedules are checked before
   */
  public record Options(Duration budget, int tiles, boolean check) {
    public static Options defaults() {
      return new Options(Duration.ofSeconds(120), 8, true);
    }
  }

  /** A schedule; its time, or why it has none. */
  public record Trial(Map<String, Object> constants, Map<String, Object> settings, double micros,
      Optional<String> failure) {
    public Trial {
      constants = Map.copyOf(constants);
      settings = Map.copyOf(settings);
    }
  }

  /**
   * What to show while it runs: {@code done} of {@code total}, and the last trial; the total grows in the second half.
   */
  public record Progress(int done, int total, Trial last) {}

  /**
   * @param trials those of this run and of earlier ones, the quickest first
   * @param complete whether all was measured before the budget was used up
   */
  public record Result(List<Trial> trials, Path file, boolean complete) {
    public Result {
      trials = List.copyOf(trials);
    }
  }

  /** How a schedule that is in force is measured: microseconds. */
  @FunctionalInterface
  interface Stopwatch {
    double micros(Map<String, Object> constants, Map<String, Object> settings);
  }

  private final Kernel kernel;
  private final Options options;
  private final Consumer<Progress> progress;
  private final Stopwatch stopwatch;
  private final TunedSchedules.Subject subject;
  private final Path file;
  private final long deadline;
  private TunedSchedules known;
  private final List<Trial> failures = new ArrayList<>();
  private int done;

  private Tuner(
      Kernel kernel, TunedSchedules.Subject subject, Path file, Options options, Consumer<Progress> progress,
      Stopwatch stopwatch) {
    this.kernel = kernel;
    this.subject = subject;
    this.file = file;
    this.options = options;
    this.progress = progress;
    this.stopwatch = stopwatch;
    this.deadline = System.nanoTime() + options.budget().toNanos();
    this.known = Files.exists(file) ? TunedSchedules.read(file) : TunedSchedules.NONE;
  }

  /**
   * Tunes a kernel on the session's device.
   *
   * @throws DiagnosticException without a device that is measured on, or where the kernel does not come from a file
   */
  public static Result tune(Kernel kernel, KernelRun.Request request, Options options, Consumer<Progress> progress) {
    if (!(kernel.module().session().engine() instanceof CudaEngine cuda)) {
      throw new DiagnosticException(Diagnostic.error(Code.NO_DEVICE, "only a GPU's times are worth keeping")
          .note("this session runs on " + kernel.module().session().device()));
    }
    if (!kernel.module().session().options().disabled().isEmpty()) {
      throw new DiagnosticException(Diagnostic.error(Code.USAGE, "times without some passes are not worth keeping")
          .note("this session leaves out " + String.join(", ", kernel.module().session().options().disabled())));
    }
    Map<String, Object> given = new LinkedHashMap<>(request.values());
    given.keySet().retainAll(kernel.constants());
    Constants constants = new Constants(given);
    List<KernelRun.Used> used = KernelRun.arguments(kernel, request);
    Stopwatch stopwatch = (c, s) -> {
      if (options.check() && Bench.check(kernel, request).equals("wrong")) {
        throw new IllegalStateException("its result is wrong");
      }
      try (BenchSubject measured = BenchSubject.of(kernel, constants, used, Optional.empty())) {
        return measured.time(Optional.empty()).median();
      }
    };
    return tune(kernel, cuda.target().orElseThrow(), constants, used.stream().map(u -> Argument.of(u.value())).toList(),
        options, progress, stopwatch);
  }

  /** The same with another clock. */
  static Result tune(
      Kernel kernel, Target target, Constants constants, List<Argument> arguments, Options options,
      Consumer<Progress> progress, Stopwatch stopwatch) {
    Path file = TunedSchedules.path(kernel.syntax().span().source()).orElseThrow(() -> new DiagnosticException(
        Diagnostic.error(Code.FILE_MISSING, "times are kept beside a kernel's file, and this one has none")));
    Kernel.Scheduled scheduled = kernel.scheduled(target, constants, arguments);
    try {
      return new Tuner(kernel, scheduled.subject(), file, options, progress, stopwatch).run(scheduled.tiles());
    } finally {
      kernel.scheduler().tryOut(Optional.empty());
      kernel.scheduler().forget();
    }
  }

  private Result run(List<Map<String, Object>> tiles) {
    List<TunedSchedules.Entry> first = new ArrayList<>();
    tiles.stream().limit(options.tiles()).forEach(c -> first.add(new TunedSchedules.Entry(c, Map.of(), 0)));
    boolean complete = measure(first, SETTINGS.size());
    Optional<Map<String, Object>> best = known.measured(subject).stream()
        .map(TunedSchedules.Entry::constants).findFirst();
    if (best.isPresent() && complete) {
      List<TunedSchedules.Entry> second = new ArrayList<>();
      SETTINGS.forEach(s -> second.add(new TunedSchedules.Entry(best.get(), s, 0)));
      complete = measure(second, 0);
    }
    List<Trial> trials = new ArrayList<>();
    known.measured(subject)
        .forEach(e -> trials.add(new Trial(e.constants(), e.settings(), e.micros(), Optional.empty())));
    trials.addAll(failures);
    return new Result(trials, file, complete);
  }

  /** Measures what is not known yet; false where the budget ended that. */
  private boolean measure(List<TunedSchedules.Entry> entries, int later) {
    List<TunedSchedules.Entry> todo = new ArrayList<>(entries);
    todo.removeIf(e -> known.measured(subject).stream()
        .anyMatch(k -> k.constants().equals(e.constants()) && k.settings().equals(e.settings())));
    Collections.shuffle(todo, new Random(SEED));
    int total = done + todo.size() + later;
    for (TunedSchedules.Entry e : todo) {
      if (System.nanoTime() >= deadline) {
        return false;
      }
      Trial trial = one(e);
      done++;
      progress.accept(new Progress(done, total, trial));
    }
    return true;
  }

  private Trial one(TunedSchedules.Entry e) {
    kernel.scheduler().tryOut(Optional.of(e));
    try {
      double micros = stopwatch.micros(e.constants(), e.settings());
      known = known.with(subject, new TunedSchedules.Entry(e.constants(), e.settings(), micros));
      known.write(file);
      return new Trial(e.constants(), e.settings(), micros, Optional.empty());
    } catch (DiagnosticException | IllegalStateException x) {
      String why = x instanceof DiagnosticException d ? d.diagnostics().getFirst().message()
          : String.valueOf(x.getMessage());
      Trial trial = new Trial(e.constants(), e.settings(), Double.POSITIVE_INFINITY, Optional.of(why));
      failures.add(trial);
      return trial;
    }
  }
}
