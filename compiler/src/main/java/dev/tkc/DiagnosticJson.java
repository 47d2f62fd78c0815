package dev.tkc;

import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A diagnostic as one line of JSON, for editors and scripts:
 *
 * <pre>{@code
 * {"severity": "error", "code": "TK0201", "message": "…",
 *  "labels": [{"file": "a.tk", "line": 3, "column": 5, "endLine": 3, "endColumn": 9, "text": "…"}],
 *  "notes": ["…"], "suggestions": [{"text": "…", "replacement": "…", "at": {…as a label, without text…}}]}
 * }</pre>
 *
 * <p>Lines and columns count from 1, columns in UTF-16 units, ends are exclusive; the first label is the primary one.
 */
public final class DiagnosticJson {
  private DiagnosticJson() {}

  public static String text(Diagnostic d) {
    return Json.text(values(d));
  }

  static Map<String, Object> values(Diagnostic d) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("severity", d.severity().word());
    out.put("code", d.code().id());
    out.put("message", d.message());
    out.put("labels", d.labels().stream().map(DiagnosticJson::label).toList());
    out.put("notes", d.notes());
    out.put("suggestions", d.suggestions().stream().map(DiagnosticJson::suggestion).toList());
    return out;
  }

  private static Map<String, Object> label(Diagnostic.Label label) {
    Map<String, Object> out = place(label.span());
    out.put("text", label.text());
    return out;
  }

  private static Map<String, Object> suggestion(Diagnostic.Suggestion s) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("text", s.text());
    if (s.span() != null && s.replacement() != null) {
      out.put("replacement", s.replacement());
      out.put("at", place(s.span()));
    }
    return out;
  }

  private static Map<String, Object> place(Span span) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("file", span.source().name());
    lines(span, out);
    return out;
  }

  static void lines(Span span, Map<String, Object> out) {
    out.put("line", span.line());
    out.put("column", span.column());
    out.put("endLine", span.source().line(span.end()));
    out.put("endColumn", span.source().column(span.end()));
  }
}
