package dev.tkc.host;

import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.List;

/**
 * How one test ended.
 *
 * @param launches kernels it launched
 * @param comparisons {@code expect}s it reached
 */
public record TestResult(String title, Span at, List<Diagnostic> findings, int launches, int comparisons, long nanos) {
  public TestResult {
    findings = List.copyOf(findings);
  }

  public boolean passed() {
    return findings.stream().noneMatch(Diagnostic::isError);
  }
}
