package dev.tkc.grammar.format;

import dev.tkc.ir.diag.Source;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.antlr.v4.runtime.Token;

/** The comments before each token that is kept (semicolons are not), and the lines of the source things stand on. */
final class Trivia {
  private final Source source;
  private final Map<Token, List<Token>> before = new HashMap<>();

  Trivia(Source source, List<Token> tokens) {
    this.source = source;
    List<Token> comments = new ArrayList<>();
    for (Token token : tokens) {
      if (token.getChannel() != Token.DEFAULT_CHANNEL) {
        comments.add(token);
      } else if (!token.getText().equals(";") || token.getType() == Token.EOF) {
        if (!comments.isEmpty()) {
          before.put(token, List.copyOf(comments));
          comments.clear();
        }
      }
    }
  }

  /** The same source as if it had no comments. */
  Trivia withoutComments() {
    return new Trivia(source, List.of());
  }

  List<Token> comments(Token token) {
    return before.getOrDefault(token, List.of());
  }

  int line(Token token) {
    return source.line(Math.min(token.getStartIndex(), source.text().length()));
  }

  int column(Token token) {
    return source.column(token.getStartIndex());
  }

  /** Blanks before {@code token} on its line. */
  int gapBefore(Token token) {
    int at = token.getStartIndex();
    while (at > 0 && source.text().charAt(at - 1) == ' ') {
      at--;
    }
    return token.getStartIndex() - at;
  }

  /** The comment stands behind code, on a line that does not begin with it. */
  boolean trails(Token comment) {
    int start = source.lineStart(line(comment));
    return !source.text().substring(start, comment.getStartIndex()).isBlank();
  }

  /** The source has an empty line right above {@code token}'s line. */
  boolean blankAbove(Token token) {
    int line = line(token);
    return line > 1 && source.lineText(line - 1).isBlank();
  }
}
