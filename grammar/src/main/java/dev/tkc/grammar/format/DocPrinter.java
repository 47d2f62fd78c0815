package dev.tkc.grammar.format;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.antlr.v4.runtime.Token;

/**
 * Prints a {@link Doc}. Blanks and line breaks are held back until something follows them, so no line ends with a blank
 * and a comment behind code can still be put before the line break.
 */
final class DocPrinter {
  private static final int WIDTH = 120;

  private enum Mode {
    FLAT,
    BROKEN
  }

  private record Job(int indent, Mode mode, Doc doc) {}

  private final Trivia trivia;
  private final StringBuilder out = new StringBuilder();
  private final Deque<Job> jobs = new ArrayDeque<>();
  private int column;

  /** Blanks held back. */
  private int spaces;

  /** The indentation of the line break held back, -1 if there is none; whether a blank line may precede it. */
  private int newLine = -1;

  private boolean blank;

  private DocPrinter(Trivia trivia) {
    this.trivia = trivia;
  }

  static String print(Doc doc, Trivia trivia) {
    DocPrinter printer = new DocPrinter(trivia);
    printer.jobs.push(new Job(0, Mode.BROKEN, doc));
    while (!printer.jobs.isEmpty()) {
      printer.step(printer.jobs.pop());
    }
    return printer.out.isEmpty() ? "" : printer.out.append('\n').toString();
  }

  private void step(Job job) {
    int indent = job.indent();
    boolean flat = job.mode() == Mode.FLAT;
    switch (job.doc()) {
      case Doc.Word(Token token) -> word(token, indent);
      case Doc.Space() -> spaces = 1;
      case Doc.Pad(int columns) -> spaces += columns;
      case Doc.Separator() -> {
        if (flat) {
          append(";");
        }
      }
      case Doc.Break(boolean tight) -> {
        if (!flat) {
          breakLine(indent, false);
        } else {
          spaces = tight ? spaces : 1;
        }
      }
      case Doc.NewLine(boolean keepBlank) -> breakLine(indent, keepBlank);
      case Doc.Indent(int columns, Doc body) -> jobs.push(new Job(indent + columns, job.mode(), body));
      case Doc.Group(Doc body) -> {
        Mode mode = flat || fits(body, true) ? Mode.FLAT : Mode.BROKEN;
        jobs.push(new Job(indent, mode, body));
      }
      case Doc.Seq(List<Doc> parts) -> {
        for (Doc part : parts.reversed()) {
          jobs.push(new Job(indent, job.mode(), part));
        }
      }
      case Doc.Fill fill -> fill(fill, job);
      case Doc.Gap(Doc next, boolean last) -> {
        spaces = 1;
        if (!fits(next, last)) {
          breakLine(indent, false);
        }
      }
    }
  }

  private void fill(Doc.Fill fill, Job job) {
    if (fill.parts().isEmpty()) {
      return;
    }
    Doc first = fill.parts().get(0);
    if (fill.parts().size() > 1) {
      jobs.push(new Job(job.indent(), job.mode(), fill.rest()));
      Doc gap = fill.kept().get(1) ? Doc.LINE : new Doc.Gap(fill.parts().get(1), fill.parts().size() == 2);
      jobs.push(new Job(job.indent(), job.mode(), job.mode() == Mode.FLAT ? Doc.LINE : gap));
    }
    jobs.push(new Job(job.indent(), job.mode(), first));
  }

  /** Whether {@code doc} fits flat on the rest of the line, with what follows it up to the next possible line break. */
  private boolean fits(Doc doc, boolean withRest) {
    int left = WIDTH - (newLine >= 0 ? newLine : column + spaces);
    Deque<Job> open = new ArrayDeque<>();
    open.push(new Job(0, Mode.FLAT, doc));
    Iterator<Job> rest = jobs.iterator();
    boolean first = true;
    while (left >= 0) {
      if (open.isEmpty()) {
        if (!withRest || !rest.hasNext()) {
          return true;
        }
        open.push(rest.next());
      }
      Job job = open.pop();
      boolean flat = job.mode() == Mode.FLAT;
      switch (job.doc()) {
        case Doc.Word(Token token) -> {
          if (!first && !trivia.comments(token).isEmpty()) {
            return false;
          }
          first = false;
          left -= text(token).length();
        }
        case Doc.Space() -> left--;
        case Doc.Pad(int columns) -> left -= columns;
        case Doc.Separator() -> left -= flat ? 1 : 0;
        case Doc.Break(boolean tight) -> {
          if (!flat) {
            return true;
          }
          left -= tight ? 0 : 1;
        }
        case Doc.NewLine _ -> {
          return !flat;
        }
        case Doc.Gap _ -> {
          return true;
        }
        case Doc.Indent(int _, Doc body) -> open.push(new Job(0, job.mode(), body));
        case Doc.Group(Doc body) -> open.push(new Job(0, job.mode(), body));
        case Doc.Seq(List<Doc> parts) -> parts.reversed().forEach(part -> open.push(new Job(0, job.mode(), part)));
        case Doc.Fill(List<Doc> parts, List<Boolean> _) -> {
          for (int i = parts.size() - 1; i >= 0; i--) {
            open.push(new Job(0, job.mode(), parts.get(i)));
            if (i > 0) {
              open.push(new Job(0, job.mode(), Doc.LINE));
            }
          }
        }
      }
    }
    return false;
  }

  private void breakLine(int indent, boolean keepBlank) {
    newLine = indent;
    blank = keepBlank;
    spaces = 0;
  }

  private static String text(Token token) {
    return token.getType() == Token.EOF ? "" : token.getText();
  }

  private void word(Token token, int indent) {
    boolean closing = token.getText().equals("}");
    for (Token comment : trivia.comments(token)) {
      int next = newLine >= 0 ? newLine : indent;
      if (trivia.trails(comment) && !out.isEmpty()) {
        newLine = -1;
        spaces = 0;
        append(" " + comment.getText().stripTrailing());
      } else {
        // Before a closing brace a comment belongs to the block.
        breakLine(closing ? indent + LayoutBuilder.STEP : next, newLine >= 0 && blank);
        flush(trivia.blankAbove(comment));
        append(comment.getText().stripTrailing());
      }
      breakLine(next, true);
    }
    if (token.getType() != Token.EOF) {
      flush(trivia.blankAbove(token) && !closing);
      append(token.getText());
    }
  }

  /** Writes the blank or line break held back. */
  private void flush(boolean blankAbove) {
    if (newLine >= 0 && !out.isEmpty()) {
      out.append(blank && blankAbove ? "\n\n" : "\n").repeat(" ", newLine);
      column = newLine;
    } else if (!out.isEmpty()) {
      out.repeat(" ", spaces);
      column += spaces;
    }
    newLine = -1;
    spaces = 0;
  }

  private void append(String text) {
    out.append(text);
    column += text.length();
  }
}
