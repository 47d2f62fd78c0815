package dev.tkc;

import dev.tkc.host.TestResult;
import dev.tkc.ir.diag.Span;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How tests ended, as lines of JSON:
 *
 * <pre>{@code
 * {"type": "test", "name": "…", "file": "a.tk",
 *  "at": {"line": 3, "column": 6, "endLine": 3, "endColumn": 12}, "status": "passed",
 *  "seconds": 0.02, "launches": 1, "comparisons": 2, "largestError": 0.001, "largestRelative": 0.004,
 *  "device": "interpreter", "findings": []}
 * {"type": "summary", "passed": 1, "failed": 0, "filesInError": [], "seconds": 0.02, "device": "interpreter"}
 * }</pre>
 *
 * <p>The status is {@code passed} or {@code failed}; findings are those of the test as {@link DiagnosticJson} writes
 * them. Errors are the largest of all comparisons of the test, among finite numbers, relative as {@code within rel}
 * counts.
 */
public final class TestRecords {
  private TestRecords() {}

  public static String test(String file, TestResult result, Device device) {
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("type", "test");
    record.put("name", result.title());
    record.put("file", file);
    record.put("at", place(result.at()));
    record.put("status", result.passed() ? "passed" : "failed");
    record.put("seconds", result.nanos() / 1e9);
    record.put("launches", result.launches());
    record.put("comparisons", result.comparisons());
    record.put("largestError", result.largestError());
    record.put("largestRelative", result.largestRelative());
    record.put("device", device.toString());
    record.put("findings", result.findings().stream().map(DiagnosticJson::values).toList());
    return Json.text(record);
  }

  /** {@code inError}: files whose tests could not be run. */
  public static String summary(int passed, int failed, List<String> inError, long nanos, Device device) {
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("type", "summary");
    record.put("passed", passed);
    record.put("failed", failed);
    record.put("filesInError", inError);
    record.put("seconds", nanos / 1e9);
    record.put("device", device.toString());
    return Json.text(record);
  }

  private static Map<String, Object> place(Span span) {
    Map<String, Object> at = new LinkedHashMap<>();
    DiagnosticJson.lines(span, at);
    return at;
  }
}
