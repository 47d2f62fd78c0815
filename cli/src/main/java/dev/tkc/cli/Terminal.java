package dev.tkc.cli;

import dev.tkc.DiagnosticJson;
import dev.tkc.Sources;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.diag.Source;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where a command reads and writes, and how findings are shown there. Results go to {@code out}, findings to
 * {@code err}; with {@code --message-format=json} findings are one JSON object a line.
 */
final class Terminal {
  /** How findings are written. */
  enum MessageFormat {
    human,
    json
  }

  /** When colours are used; {@code auto} is: on a terminal that shows them, unless {@code NO_COLOR} is set. */
  enum Color {
    auto,
    always,
    never
  }

  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;
  private MessageFormat format = MessageFormat.human;
  private Color color = Color.auto;
  private int errors;
  private int warnings;

  Terminal(InputStream in, PrintStream out, PrintStream err) {
    this.in = in;
    this.out = out;
    this.err = err;
  }

  InputStream in() {
    return in;
  }

  PrintStream out() {
    return out;
  }

  PrintStream err() {
    return err;
  }

  /** The text to work on: a file, or standard input for {@code -}. */
  Source source(String file) {
    return file.equals("-") ? Sources.read(in) : Sources.read(Path.of(file));
  }

  /**
   * The paths with each folder replaced by the {@code .tk} files below it, in the order of their names. A folder
   * without any is reported.
   */
  List<String> tkFiles(List<String> paths) {
    List<String> files = new ArrayList<>();
    for (String path : paths) {
      boolean folder = !path.isEmpty() && Files.isDirectory(Path.of(path));
      List<String> inside = folder ? Sources.below(Path.of(path), ".tk") : List.of(path);
      if (inside.isEmpty()) {
        report(Diagnostic.error(Code.FILE_MISSING, "there is no .tk file in " + path + " or below"));
      }
      files.addAll(inside);
    }
    return files;
  }

  void show(MessageFormat newFormat, Color newColor) {
    format = newFormat;
    color = newColor;
  }

  boolean isJson() {
    return format == MessageFormat.json;
  }

  boolean colors() {
    return switch (color) {
      case always -> true;
      case never -> false;
      case auto -> {
        Map<String, String> env = System.getenv();
        boolean plain = env.containsKey("NO_COLOR") || "dumb".equals(env.getOrDefault("TERM", "dumb"));
        yield !plain && System.console() != null && System.console().isTerminal();
      }
    };
  }

  /** Shows the findings and counts them. */
  void report(List<Diagnostic> findings) {
    for (Diagnostic d : findings) {
      if (d.isError()) {
        errors++;
      } else {
        warnings++;
      }
      err.print(isJson() ? DiagnosticJson.text(d) + "\n" : HumanText.of(d, colors()));
    }
  }

  void report(Diagnostic finding) {
    report(List.of(finding));
  }

  /** A line about the run, for people only. */
  void remark(String line) {
    if (!isJson()) {
      err.println(line);
    }
  }

  /** How many findings there were, for people, if there were any. */
  void summary() {
    if (errors + warnings > 0) {
      remark(Plural.of(errors, "error") + (warnings > 0 ? ", " + Plural.of(warnings, "warning") : ""));
    }
  }

  int errors() {
    return errors;
  }

  int warnings() {
    return warnings;
  }

  /** The exit status of a command that has said all it had to say. */
  int exit() {
    return errors == 0 ? 0 : 1;
  }
}
