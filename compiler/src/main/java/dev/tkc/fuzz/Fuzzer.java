package dev.tkc.fuzz;

import dev.tkc.fuzz.DeviceComparison.Difference;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
   * @param limit the time after which no other program is begun
   * @param out where differing programs are written as {@code fuzz-SEED.tk}; absent: nowhere
   */
  public record Plan(long first, long count, long stopAfter, Duration shrinking, Optional<Duration> limit,
      Optional<Path> out) {}

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

  /** Where programs take long, a line as often as this. */
  private static final Duration REPORT_AFTER = Duration.ofSeconds(30);

  private Fuzzer() {}

  /** {@code log} receives progress and every difference, in lines. Ends early where a program breaks the device. */
  public static Outcome run(DeviceComparison comparison, Plan plan, Consumer<String> log) {
    List<Difference> found = new ArrayList<>();
    long start = System.nanoTime();
    long reported = start;
    long done = 0;
    while (done < plan.count && found.size() < plan.stopAfter && found.stream().noneMatch(Difference::lost)
        && !isOver(plan.limit, start)) {
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
      boolean due = done % REPORT_EVERY == 0 || System.nanoTime() - reported > REPORT_AFTER.toNanos();
      if (due && done < plan.count) {
        reported = System.nanoTime();
        log.accept(new Outcome(done, found).summary() + " so far");
      }
    }
    return new Outcome(done, found);
  }

  /** Makes the folder for what will be found, before hours are spent on finding it. */
  public static void requireFolder(Optional<Path> out) {
    try {
      if (out.isPresent()) {
        Files.createDirectories(out.get());
      }
    } catch (IOException e) {
      throw unwritable(out.get(), e);
    }
  }

  private static DiagnosticException unwritable(Path folder, IOException e) {
    String reason = e instanceof FileAlreadyExistsException ? "it is a file"
        : e instanceof AccessDeniedException ? "permission denied"
        : e instanceof NoSuchFileException ? "no folder can be made there" : e.getMessage();
    return new DiagnosticException(
        Diagnostic.error(Code.FILE_ACCESS, folder + " cannot be written to: " + reason));
  }

  private static boolean isOver(Optional<Duration> limit, long start) {
    return limit.isPresent() && System.nanoTime() - start > limit.get().toNanos();
  }

  private static Path write(Path folder, long seed, Difference difference) {
    try {
      Files.createDirectories(folder);
      return Files.writeString(folder.resolve("fuzz-" + seed + ".tk"), difference.text());
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
  }
}
