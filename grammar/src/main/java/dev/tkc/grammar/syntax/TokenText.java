package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkLexer;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.Token;

/**
 * The tokens of a text, made fit for the parser: characters that have no place are reported and hidden, an unclosed text
 * literal counts as closed, and brackets balance (see {@link Brackets}).
 *
 * <p>{@code repairs} are the offsets where something was mended; a syntax error beside one is most likely its consequence.
 */
record TokenText(List<Token> tokens, TreeSet<Integer> repairs) {
  /** Signs from elsewhere, and what to write for them. */
  private static final Map<String, String> LOOK_ALIKES =
      Map.ofEntries(
          Map.entry("×", "*"),
          Map.entry("·", "@"),
          Map.entry("÷", "/"),
          Map.entry("−", "-"),
          Map.entry("–", "-"),
          Map.entry("—", "-"),
          Map.entry("≤", "<="),
          Map.entry("≥", ">="),
          Map.entry("≠", "!="),
          Map.entry("→", "->"),
          Map.entry("…", "..."),
          Map.entry("∞", "inf"),
          Map.entry("π", "PI"),
          Map.entry("“", "\""),
          Map.entry("”", "\""),
          Map.entry("„", "\""),
          Map.entry("‘", "\""),
          Map.entry("’", "\""),
          Map.entry("'", "\""),
          Map.entry("\u00a0", " "));

  static TokenText of(Spans spans, List<Diagnostic> diagnostics) {
    TkLexer lexer = new TkLexer(new SourceChars(spans.source()));
    lexer.removeErrorListeners();
    List<Token> tokens = new ArrayList<>();
    TreeSet<Integer> repairs = new TreeSet<>();
    Token last = null;
    Token token;
    do {
      token = lexer.nextToken();
      CommonToken mutable = (CommonToken) token;
      if (token.getType() == TkLexer.UNTERMINATED) {
        diagnostics.add(unterminated(spans.of(token)));
        repairs.add(token.getStartIndex());
        mutable.setType(TkLexer.STRING);
      } else if (token.getType() == TkLexer.BAD) {
        boolean continues = last != null && last.getType() == TkLexer.BAD && last.getStopIndex() + 1 == token.getStartIndex();
        if (continues && !LOOK_ALIKES.containsKey(token.getText())) {
          widen(diagnostics, spans.of(token));
        } else {
          diagnostics.add(badCharacter(spans.of(token), token.getText()));
        }
        repairs.add(token.getStartIndex());
        mutable.setChannel(Token.HIDDEN_CHANNEL);
      }
      tokens.add(token);
      last = token;
    } while (token.getType() != Token.EOF);
    return new TokenText(new Brackets(spans, diagnostics, repairs).balance(tokens), repairs);
  }

  /** Lets the finding about a bad character cover the next one too. */
  private static void widen(List<Diagnostic> diagnostics, Span span) {
    Diagnostic d = diagnostics.removeLast();
    Span whole = d.labels().get(0).span().to(span);
    String message = "these characters have no place in a program";
    diagnostics.add(Diagnostic.error(Code.BAD_CHARACTER, message).label(whole, "not part of the language"));
  }

  private static Diagnostic badCharacter(Span span, String text) {
    char c = text.charAt(0);
    String shown = Character.isISOControl(c) || Character.isSurrogate(c) || Character.getType(c) == Character.FORMAT
        ? "U+%04X".formatted((int) c)
        : "`" + text + "`";
    Diagnostic d =
        Diagnostic.error(Code.BAD_CHARACTER, "the character " + shown + " has no place in a program")
            .label(span, "not part of the language");
    String instead = LOOK_ALIKES.get(text);
    if (instead != null) {
      return d.help(instead.equals("\"") ? "texts are written between `\"`" : "write `" + instead + "`", span, instead);
    }
    return switch (c) {
      case '!' -> d.help("negation is written `not`", span, "not ");
      case '?' -> d.help("a choice is written `if … then … else …`");
      case '#' -> d.help("comments begin with `//`");
      case '\\' -> d.help("newlines are white space: a line needs no mark to go on");
      case '$', '`' -> d.help("names are made of letters, digits and `_`");
      default -> Character.isLetter(c) ? d.help("names are made of ASCII letters, digits and `_`") : d;
    };
  }

  private static Diagnostic unterminated(Span span) {
    return Diagnostic.error(Code.BAD_STRING, "this text is not closed")
        .label(span, "no closing `\"` on this line")
        .help("close it", new Span(span.source(), span.end(), span.end()), "\"");
  }
}
