package dev.tkc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

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
  private static final JsonFactory JSON = new JsonFactory();

  private DiagnosticJson() {}

  public static String text(Diagnostic d) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeStringField("severity", d.severity().word());
      json.writeStringField("code", d.code().id());
      json.writeStringField("message", d.message());
      json.writeArrayFieldStart("labels");
      for (Diagnostic.Label label : d.labels()) {
        json.writeStartObject();
        span(json, label.span());
        json.writeStringField("text", label.text());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeFieldName("notes");
      json.writeArray(d.notes().toArray(String[]::new), 0, d.notes().size());
      json.writeArrayFieldStart("suggestions");
      for (Diagnostic.Suggestion s : d.suggestions()) {
        suggestion(json, s);
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toString();
  }

  private static void suggestion(JsonGenerator json, Diagnostic.Suggestion s) throws IOException {
    json.writeStartObject();
    json.writeStringField("text", s.text());
    if (s.span() != null && s.replacement() != null) {
      json.writeStringField("replacement", s.replacement());
      json.writeObjectFieldStart("at");
      span(json, s.span());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void span(JsonGenerator json, Span span) throws IOException {
    json.writeStringField("file", span.source().name());
    json.writeNumberField("line", span.line());
    json.writeNumberField("column", span.column());
    json.writeNumberField("endLine", span.source().line(span.end()));
    json.writeNumberField("endColumn", span.source().column(span.end()));
  }
}
