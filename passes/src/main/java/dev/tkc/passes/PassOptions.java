package dev.tkc.passes;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How a pipeline is run. Names are those of the table's rows; {@link PassDriver} refuses others.
 *
 * @param only the rows to run, in this order; empty: all that apply
 * @param disabled rows to leave out
 * @param stopAfter the last row to run
 * @param printAfter rows after which the module is printed; {@code "all"} means every one
 * @param verify whether to verify after every pass
 * @param time whether to measure
 * @param debugAsserts whether the program's {@code assert}s are compiled
 * @param reproducers the directory for {@code tkc-crash-PASS.tir}; absent: none is written
 */
public record PassOptions(
    List<String> only,
    Set<String> disabled,
    Optional<String> stopAfter,
    Set<String> printAfter,
    boolean verify,
    boolean time,
    boolean debugAsserts,
    Optional<Path> reproducers) {
  public PassOptions {
    only = List.copyOf(only);
    disabled = Set.copyOf(disabled);
    printAfter = Set.copyOf(printAfter);
  }

  public static PassOptions defaults() {
    return new PassOptions(List.of(), Set.of(), Optional.empty(), Set.of(), false, false, false, Optional.empty());
  }

  /** What tests use: every pass is followed by the verifier. */
  public static PassOptions checked() {
    return defaults().withVerify(true);
  }

  public PassOptions withOnly(String... rows) {
    return new PassOptions(List.of(rows), disabled, stopAfter, printAfter, verify, time, debugAsserts, reproducers);
  }

  public PassOptions withDisabled(Set<String> rows) {
    return new PassOptions(only, rows, stopAfter, printAfter, verify, time, debugAsserts, reproducers);
  }

  public PassOptions withStopAfter(String row) {
    return new PassOptions(only, disabled, Optional.of(row), printAfter, verify, time, debugAsserts, reproducers);
  }

  public PassOptions withPrintAfter(Set<String> rows) {
    return new PassOptions(only, disabled, stopAfter, rows, verify, time, debugAsserts, reproducers);
  }

  public PassOptions withVerify(boolean on) {
    return new PassOptions(only, disabled, stopAfter, printAfter, on, time, debugAsserts, reproducers);
  }

  public PassOptions withTime(boolean on) {
    return new PassOptions(only, disabled, stopAfter, printAfter, verify, on, debugAsserts, reproducers);
  }

  public PassOptions withDebugAsserts(boolean on) {
    return new PassOptions(only, disabled, stopAfter, printAfter, verify, time, on, reproducers);
  }

  public PassOptions withReproducers(Path directory) {
    return new PassOptions(only, disabled, stopAfter, printAfter, verify, time, debugAsserts, Optional.of(directory));
  }
}
