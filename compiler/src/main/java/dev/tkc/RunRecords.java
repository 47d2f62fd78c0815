package dev.tkc;

import dev.tkc.host.KernelRun;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a run did, as one line of JSON; a launch that was refused has none, only its diagnostics.
 *
 * <pre>{@code
 * {"type": "run", "kernel": "scale", "device": "interpreter",
 *  "arguments": [{"name": "x", "mode": "in", "type": "f32[256]", "origin": "as in the test"},
 *                {"name": "s", "mode": "in", "type": "f32", "value": 0.5, "origin": "given"},
 *                {"name": "y", "mode": "out", "type": "f32[256]", "origin": ""}],
 *  "kernelSeconds": 0.001, "seconds": 0.02,
 *  "checks": [{"output": "y", "expectation": "expect y == x * s", "holds": true, "elements": 256, "wrong": 0,
 *              "largestError": 0.0, "largestRelative": 0.0}]}
 * }</pre>
 *
 * <p>Without checks, {@code note} says why there are none.
 */
public final class RunRecords {
  private RunRecords() {}

  public static String run(Kernel kernel, KernelRun.Result result, Device device) {
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("type", "run");
    record.put("kernel", kernel.name());
    record.put("device", device.toString());
    record.put("arguments", result.arguments().stream().map(RunRecords::argument).toList());
    record.put("kernelSeconds", result.timing().kernelNanos() / 1e9);
    record.put("seconds", result.timing().totalNanos() / 1e9);
    record.put("checks", result.checks().stream().map(RunRecords::check).toList());
    result.note().ifPresent(note -> record.put("note", note));
    return Json.text(record);
  }

  private static Map<String, Object> argument(KernelRun.Used used) {
    Parameter p = used.parameter();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("name", p.name());
    out.put("mode", p.mode().name().toLowerCase(Locale.ROOT));
    out.put("type", used.value() instanceof Tensor t ? t.toString() : p.element().text());
    if (!(used.value() instanceof Tensor)) {
      out.put("value", used.value() instanceof Double x ? (Object) shortest(x, p) : used.value());
    }
    out.put("origin", used.origin());
    return out;
  }

  /** Parsers of JSON know doubles only: the one whose text is that of the value in its own type. */
  private static double shortest(double x, Parameter p) {
    return Double.isFinite(x) ? Double.parseDouble(Literals.text(x, p.element())) : x;
  }

  private static Map<String, Object> check(KernelRun.Check check) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("output", check.output());
    out.put("expectation", check.expectation().replaceAll("\\s+", " "));
    out.put("holds", check.comparison().holds());
    out.put("elements", check.comparison().count());
    out.put("wrong", check.comparison().wrong());
    out.put("largestError", check.comparison().largestError());
    out.put("largestRelative", check.comparison().largestRelative());
    return out;
  }
}
