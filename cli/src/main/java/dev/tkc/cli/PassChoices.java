package dev.tkc.cli;

import dev.tkc.passes.PassOptions;
import java.nio.file.Path;
import java.util.Set;
import picocli.CommandLine.Option;

/** The options of commands that run passes: which are left out, and what is shown of the others. */
final class PassChoices {
  @Option(names = "--disable", paramLabel = "NAME", split = ",", description = "Passes to leave out.")
  private Set<String> disable = Set.of();

  @Option(
      names = "--print-after", paramLabel = "NAME", split = ",",
      description = "Print the IR after these passes, or all, to standard error.")
  private Set<String> printAfter = Set.of();

  @Option(names = "--verify-each", description = "Verify after every pass.")
  private boolean verifyEach;

  @Option(names = "--time-passes", description = "Print the time that each pass took to standard error.")
  private boolean timePasses;

  @Option(names = "--debug-asserts", description = "Keep assert statements.")
  private boolean debugAsserts;

  /** What was chosen; a pass that fails leaves its reproducer in the current folder. */
  PassOptions options() {
    return PassOptions.defaults()
        .withDisabled(disable)
        .withPrintAfter(printAfter)
        .withVerify(verifyEach)
        .withTime(timePasses)
        .withDebugAsserts(debugAsserts)
        .withReproducers(Path.of(""));
  }

  boolean leavesOut() {
    return !disable.isEmpty();
  }
}
