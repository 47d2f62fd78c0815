package dev.tkc.host;

import dev.tkc.KernelModule;
import dev.tkc.grammar.lower.HostCode;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.ArrayList;
import java.util.List;

/** Runs one test to its end or its first finding. */
public final class TestRunner {
  private TestRunner() {}

  public static TestResult run(KernelModule module, Item.Test test) {
    return run(module, test, List.of());
  }

  /** {@code known}: what checking found wrong with the test; with an error it is not run. */
  public static TestResult run(KernelModule module, Item.Test test, List<Diagnostic> known) {
    if (known.stream().anyMatch(Diagnostic::isError)) {
      return TestResult.refused(test.title(), test.titleSpan(), known);
    }
    long start = System.nanoTime();
    List<Diagnostic> findings = new ArrayList<>(known);
    try (HostMachine machine = new HostMachine(module)) {
      HostCode code = new HostCode(module.library(), machine.builder(), machine);
      try {
        code.run(test.body());
      } catch (DiagnosticException e) {
        findings.addAll(e.diagnostics());
      }
      findings.addAll(code.findings());
      return new TestResult(test.title(), test.titleSpan(), findings, machine.launches(), machine.comparisons(),
          machine.largestError(), machine.largestRelative(), System.nanoTime() - start);
    }
  }
}
