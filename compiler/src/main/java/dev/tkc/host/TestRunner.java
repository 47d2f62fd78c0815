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
    long start = System.nanoTime();
    List<Diagnostic> findings = new ArrayList<>();
    try (HostMachine machine = new HostMachine(module)) {
      HostCode code = new HostCode(module.library(), machine.builder(), machine);
      try {
        code.run(test.body());
      } catch (DiagnosticException e) {
        findings.addAll(e.diagnostics());
      }
      findings.addAll(code.findings());
      return new TestResult(
          test.title(), test.titleSpan(), findings, machine.launches(), machine.comparisons(),
          System.nanoTime() - start);
    }
  }
}
