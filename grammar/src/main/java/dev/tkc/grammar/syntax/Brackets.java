package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.diag.Span;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeSet;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.Token;

/**
 * Makes brackets balance before parsing, so that one missing bracket is one finding that points at its partner, and a
 * statement's or item's end can be found by counting.
 *
 * <p>What no bracket can span closes it: a statement's keyword or a brace closes {@code (} and {@code [}, an item's
 * keyword closes everything. Missing brackets are put in as empty tokens, superfluous ones are hidden.
 */
final class Brackets {
  static final int MAX_OPEN = 128;

  private final Spans spans;
  private final List<Diagnostic> diagnostics;
  private final TreeSet<Integer> repairs;
  private final Deque<Token> open = new ArrayDeque<>();
  private final List<Token> out = new ArrayList<>();

  /** A brace whose closing brace is indented otherwise than its line: if one is missing, then likely this one's. */
  private Token suspect;

  /** Where in {@link #out} the last visible token is. */
  private int lastVisible = -1;

  Brackets(Spans spans, List<Diagnostic> diagnostics, TreeSet<Integer> repairs) {
    this.spans = spans;
    this.diagnostics = diagnostics;
    this.repairs = repairs;
  }

  List<Token> balance(List<Token> tokens) {
    for (int i = 0; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      if (token.getChannel() == Token.DEFAULT_CHANNEL) {
        visible(token, followedByEquals(tokens, i));
        lastVisible = token.getChannel() == Token.DEFAULT_CHANNEL ? out.size() : lastVisible;
      }
      out.add(token);
    }
    return out;
  }

  private static boolean followedByEquals(List<Token> tokens, int i) {
    int next = i + 1;
    while (next < tokens.size() && tokens.get(next).getChannel() != Token.DEFAULT_CHANNEL) {
      next++;
    }
    return next < tokens.size() && Words.is(tokens.get(next), "=");
  }

  private void visible(Token token, boolean beforeEquals) {
    switch (token.getText()) {
      case "(", "[" -> open(token);
      case "{" -> {
        closeParentheses(token);
        open(token);
      }
      case ")", "]", "}" -> close(token);
      default -> {
        // `fn =` names an argument; as an item `fn` is followed by a name.
        boolean item = token.getType() == Token.EOF
            || Words.in(token, Words.ITEM_START) && !beforeEquals && !isInside(token);
        if (item) {
          closeAll(token);
        } else if (Words.in(token, Words.STATEMENT_WORDS)) {
          closeParentheses(token);
        }
      }
    }
  }

  /** An item's word among statements, which is taken for a slip rather than for the end of the item that is open. */
  private boolean isInside(Token token) {
    boolean declares = Words.is(token, "const") || Words.is(token, "fn");
    return declares && !open.isEmpty() && startsLine(token) && indent(token) > indent(open.peekLast());
  }

  private void open(Token token) {
    open.push(token);
    if (open.size() > MAX_OPEN) {
      throw new TooDeep(token);
    }
  }

  private void close(Token token) {
    if (open.isEmpty()) {
      unopened(token);
      return;
    }
    String wanted = closer(open.peek());
    if (wanted.equals(token.getText())) {
      Token opener = open.pop();
      if (open.isEmpty()) {
        suspect = null;
      } else if (token.getText().equals("}") && suspect == null && startsLine(token)
          && indent(token) != indent(opener)) {
        suspect = opener;
      }
    } else if (token.getText().equals("}") && open.stream().anyMatch(o -> o.getText().equals("{"))) {
      closeParentheses(token);
      close(token);
    } else if (!wanted.equals("}") && !token.getText().equals("}")) {
      wrongKind(token, wanted);
    } else {
      unopened(token);
    }
  }

  /** {@code (a]}: taken for the bracket that is wanted, unless one further out fits and the inner one is forgotten. */
  private void wrongKind(Token token, String wanted) {
    Token inner = open.pop();
    boolean fitsNext = !open.isEmpty() && closer(open.peek()).equals(token.getText());
    if (fitsNext) {
      unclosed(inner, token);
      insert(wanted);
      open.pop();
      return;
    }
    diagnostics.add(
        Diagnostic.error(Code.UNOPENED, "`" + inner.getText() + "` is closed by `" + token.getText() + "`")
            .label(spans.of(token), "`" + wanted + "` expected")
            .label(spans.of(inner), "opened here")
            .help("close it by `" + wanted + "`", spans.of(token), wanted));
    repairs.add(token.getStartIndex());
    ((CommonToken) token).setType(Words.type(wanted));
  }

  private void closeParentheses(Token at) {
    while (!open.isEmpty() && !open.peek().getText().equals("{")) {
      Token opener = open.pop();
      unclosed(opener, at);
      insert(closer(opener));
    }
  }

  private void closeAll(Token at) {
    boolean reported = false;
    while (!open.isEmpty()) {
      Token opener = open.pop();
      if (!reported) {
        boolean brace = opener.getText().equals("{");
        unclosed(brace && suspect != null ? suspect : opener, at);
        reported = true;
      }
      insert(closer(opener));
    }
    suspect = null;
  }

  private void unclosed(Token opener, Token at) {
    String wanted = closer(opener);
    Diagnostic d =
        Diagnostic.error(Code.UNCLOSED, "`" + opener.getText() + "` is never closed")
            .label(spans.of(opener), "opened here");
    boolean end = at.getType() == Token.EOF;
    if (!end) {
      d = d.label(spans.of(at), "`" + wanted + "` expected before this");
    }
    boolean guessed = opener == suspect;
    if (guessed) {
      d = d.note("guessed from the indentation: the brace that closes it is indented otherwise");
    }
    diagnostics.add(d);
    repairs.add(at.getStartIndex());
  }

  private void unopened(Token token) {
    diagnostics.add(
        Diagnostic.error(Code.UNOPENED, "`" + token.getText() + "` closes nothing")
            .label(spans.of(token), "no bracket is open here that it could close"));
    repairs.add(token.getStartIndex());
    ((CommonToken) token).setChannel(Token.HIDDEN_CHANNEL);
  }

  /** Puts a missing bracket right behind the last visible token, before the comments that follow it. */
  private void insert(String bracket) {
    Token before = out.get(lastVisible);
    CommonToken token = new CommonToken(Words.type(bracket), bracket);
    token.setStartIndex(before.getStopIndex() + 1);
    token.setStopIndex(before.getStopIndex());
    token.setLine(before.getLine());
    out.add(++lastVisible, token);
  }

  private boolean startsLine(Token token) {
    Source source = spans.source();
    String line = source.lineText(source.line(token.getStartIndex()));
    return line.stripLeading().startsWith(token.getText()) && indent(token) == source.column(token.getStartIndex()) - 1;
  }

  private int indent(Token token) {
    String line = spans.source().lineText(spans.source().line(token.getStartIndex()));
    return line.length() - line.stripLeading().length();
  }

  private static String closer(Token opener) {
    return switch (opener.getText()) {
      case "(" -> ")";
      case "[" -> "]";
      default -> "}";
    };
  }

  /** The finding about a text that nests too deeply to be read. */
  static Diagnostic tooDeep(Span at) {
    return Diagnostic.error(Code.TOO_DEEP, "this is nested too deeply")
        .label(at, "reading stops here")
        .note(
            "at most %d brackets may be open at once, and %d operators depend on each other"
                .formatted(MAX_OPEN, SyntaxReader.MAX_TREE_DEPTH))
        .help("name intermediate results with `let`");
  }
}
