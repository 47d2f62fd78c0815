package dev.tkc.host;

import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.List;

/**
 * How one test ended.
 *
 * @param at its title
 * @param launches kernels it launched that ran to their end; none that was refused
 * @param comparisons {@code expect}s it reached
 * @param largestError the largest difference that a comparison found, among finite numbers
 * @param largestRelative the same, relative to what was expected ({@link Comparison#largestRelative})
 */
public record TestResult(String title, Span at, List<Diagnostic> findings, int launches, int comparisons,
    double largestError, double largestRelative, long nanos) {
  public TestResult {
    findings = List.copyOf(findings);
  }

  /** A test that cannot be run for what is wrong with its text. */
  static TestResult refused(String title, Span at, List<Diagnostic> findings) {
    return new TestResult(title, at, findings, 0, 0, 0, 0, 0);
  }

  public boolean passed() {
    return findings.stream().noneMatch(Diagnostic::isError);
  }
}
