package dev.tkc.fuzz;

import dev.tkc.fuzz.DeviceComparison.Difference;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Compares many generated programs, and shrinks those that differ. */
public final class Fuzzer {
  /**
   * What to try.
   *
   * @param first the first seed
   * @param count how many seeds from there
   * @param stopAfter the number of differing programs after which to stop
   * @param shrinking the time spent on making one differing program small
   * @param out where differing programs are written as {@code fuzz-SEED.tk}; absent: nowhere
   */
  public record Plan(long first, long count, long stopAfter, Duration shrinking, Optional<Path> out) {}

  /** What came of it. */
  public record Outcome(long programs, List<Difference> differences) {
    public Outcome {
      differences = List.copyOf(differences);
    }

    /** {@code 500 programs, 0 differ}. */
    public String summary() {
      return programs + (programs == 1 ? " program, " : " programs, ") + differences.size()
          + (differences.size() == 1 ? " differs" : " differ");
    }
  }

  private static final int REPORT_EVERY = 100;

  private Fuzzer() {}

  /** {@code log} receives progress and every difference, in lines. Ends early where a program breaks the device. */
  public static Outcome run(DeviceComparison comparison, Plan plan, Consumer<String> log) {
    List<Difference> found = new ArrayList<>();
    long done = 0;
    while (done < plan.count && found.size() < plan.stopAfter && found.stream().noneMatch(Difference::lost)) {
      long seed = plan.first + done;
      done++;
      Optional<Difference> difference = comparison.compare(seed);
      difference.ifPresent(d -> {
        Difference small = d.lost() ? d : new Shrinker(comparison, plan.shrinking).shrink(d);
        found.add(small);
        log.accept("seed " + seed + " differs: " + small.what());
        plan.out.ifPresentOrElse(folder -> log.accept("written to " + write(folder, seed, small)),
            () -> log.accept(small.text()));
      });
      if (done % REPORT_EVERY == 0 && done < plan.count) {
        log.accept(new Outcome(done, found).summary() + " so far");
      }
    }
    return new Outcome(done, found);
  }

  private static Path write(Path folder, long seed, Difference difference) {
    try {
      Files.createDirectories(folder);
      return Files.writeString(folder.resolve("fuzz-" + seed + ".tk"), difference.text());
    } catch (IOException e) {
      throw new DiagnosticException(
          Diagnostic.error(Code.FILE_ACCESS, folder + " cannot be written to: " + e.getMessage()));
    }
  }
}
