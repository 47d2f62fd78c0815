package dev.tkc.grammar.format;

import java.util.List;
import org.antlr.v4.runtime.Token;

/**
 * A text with choices of where to break its lines (Wadler's documents). A group is printed on one line if it fits; if
 * not, the breaks directly in it become line breaks.
 */
sealed interface Doc {
  /** A token; its comments come with it. */
  record Word(Token token) implements Doc {}

  /** Blank in a flat group, a line break in a broken one; nothing in a flat group if {@code tight}. */
  record Break(boolean tight) implements Doc {}

  /** Always a line break; a blank line of the source is kept if {@code blank}. */
  record NewLine(boolean blank) implements Doc {}

  record Space() implements Doc {}

  /** More blanks, to align with a neighbouring line. */
  record Pad(int columns) implements Doc {}

  /** A semicolon where two statements share a line. */
  record Separator() implements Doc {}

  record Indent(int columns, Doc body) implements Doc {}

  record Group(Doc body) implements Doc {}

  record Seq(List<Doc> parts) implements Doc {
    public Seq {
      parts = List.copyOf(parts);
    }
  }

  /**
   * Parts with a blank or a line break between them, as many on a line as fit; {@code kept.get(i)} asks for a line
   * break before part i, where the source has one.
   */
  record Fill(List<Doc> parts, List<Boolean> kept) implements Doc {
    public Fill {
      parts = List.copyOf(parts);
      kept = List.copyOf(kept);
    }

    Fill rest() {
      return new Fill(parts.subList(1, parts.size()), kept.subList(1, kept.size()));
    }
  }

  /**
   * Within a broken fill: a blank if {@code next} fits on the line, else a line break; with what follows it if last.
   */
  record Gap(Doc next, boolean last) implements Doc {}

  Doc EMPTY = new Seq(List.of());
  Doc SPACE = new Space();
  Doc LINE = new Break(false);
  Doc SOFT = new Break(true);

  static Doc seq(Doc... parts) {
    return new Seq(List.of(parts));
  }

  static Doc group(Doc... parts) {
    return new Group(seq(parts));
  }

  static Doc indent(int columns, Doc... parts) {
    return new Indent(columns, seq(parts));
  }
}
