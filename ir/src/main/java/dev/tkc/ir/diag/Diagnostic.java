package dev.tkc.ir.diag;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One finding about a program, as a value: what is wrong, where, why, and what to do about it.
 *
 * <p>The first label is the primary one; a diagnostic without labels concerns no place in a text (a missing file).
 */
public record Diagnostic(
    Severity severity, Code code, String message, List<Label> labels, List<String> notes,
    List<Suggestion> suggestions) {

  public enum Severity {
    ERROR,
    WARNING;

    public String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** A place and what is to be said about it ({@code "this is f32[128, 64]"}); the text may be empty. */
  public record Label(Span span, String text) {}

  /**
   * A fix: replace {@code span} by {@code replacement}; {@code span} may be null when there is nothing to replace in
   * place.
   */
  public record Suggestion(String text, Span span, String replacement) {}

  public Diagnostic {
    Objects.requireNonNull(severity);
    Objects.requireNonNull(code);
    Objects.requireNonNull(message);
    labels = List.copyOf(labels);
    notes = List.copyOf(notes);
    suggestions = List.copyOf(suggestions);
  }

  public static Diagnostic error(Code code, String message) {
    return new Diagnostic(Severity.ERROR, code, message, List.of(), List.of(), List.of());
  }

  public static Diagnostic error(Code code, Span at, String message) {
    return error(code, message).label(at, "");
  }

  public static Diagnostic warning(Code code, Span at, String message) {
    return new Diagnostic(Severity.WARNING, code, message, List.of(), List.of(), List.of()).label(at, "");
  }

  public boolean isError() {
    return severity == Severity.ERROR;
  }

  public Diagnostic label(Span span, String text) {
    if (span == null) {
      return this;
    }
    List<Label> more = new ArrayList<>(labels);
    more.add(new Label(span, text));
    return new Diagnostic(severity, code, message, more, notes, suggestions);
  }

  public Diagnostic note(String note) {
    List<String> more = new ArrayList<>(notes);
    more.add(note);
    return new Diagnostic(severity, code, message, labels, more, suggestions);
  }

  public Diagnostic help(String text) {
    return help(text, null, null);
  }

  public Diagnostic help(String text, Span span, String replacement) {
    List<Suggestion> more = new ArrayList<>(suggestions);
    more.add(new Suggestion(text, span, replacement));
    return new Diagnostic(severity, code, message, labels, notes, more);
  }

  /** {@code error[TK0101] file:1:2: message}, one line, for logs and exceptions; faces render the whole. */
  @Override
  public String toString() {
    String at = labels.isEmpty() ? "" : " " + labels.get(0).span();
    return severity.word() + "[" + code.id() + "]" + at + ": " + message;
  }
}
