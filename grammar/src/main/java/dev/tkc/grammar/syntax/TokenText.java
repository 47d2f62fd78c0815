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
 * The tokens of a text, made fit for the parser: characters that have no place are reported and hidden, an unclosed
 * text literal counts as closed, and brackets balance (see {@link Brackets}).
 *
 * <p>{@code repairs} are the offsets where something was mended; a syntax error beside one is most likely its
 * consequence.
 */
record TokenText(List<Token> tokens, TreeSet<Integer> repairs) {
  private static final String NAMES = "names are made of ASCII letters, digits and `_`";

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
      tokens.add(token);
      switch (token.getType()) {
        case TkLexer.UNTERMINATED -> closeText(spans, (CommonToken) token, tokens, diagnostics);
        case TkLexer.MALFORMED -> {
          diagnostics.add(malformed(spans.of(token)));
          ((CommonToken) token).setType(TkLexer.INT);
          ((CommonToken) token).setText("0");
        }
        case TkLexer.BAD -> {
          if (token.getText().equals("'") && quoted(lexer, (CommonToken) token, spans, diagnostics)) {
            last = token;
            repairs.add(token.getStartIndex());
            continue;
          }
          boolean continues = last != null && last.getType() == TkLexer.BAD
              && last.getStopIndex() + 1 == token.getStartIndex();
          if (continues && !LOOK_ALIKES.containsKey(token.getText())) {
            widen(diagnostics, spans.of(token));
          } else {
            diagnostics.add(badCharacter(spans.of(token), token.getText()));
          }
          ((CommonToken) token).setChannel(Token.HIDDEN_CHANNEL);
        }
        default -> {
          last = token;
          continue;
        }
      }
      repairs.add(token.getStartIndex());
      last = token;
    } while (token.getType() != Token.EOF);
    return new TokenText(new Brackets(spans, diagnostics, repairs).balance(tokens), repairs);
  }

  /** A text between single quotes is read as the text it is meant to be; false if the line has no second quote. */
  private static boolean quoted(TkLexer lexer, CommonToken open, Spans spans, List<Diagnostic> diagnostics) {
    String text = spans.source().text();
    int end = open.getStartIndex() + 1;
    while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\'') {
      end++;
    }
    if (end >= text.length() || text.charAt(end) != '\'') {
      return false;
    }
    String meant = '"' + text.substring(open.getStartIndex() + 1, end).replace("\"", "\\\"") + '"';
    open.setStopIndex(end);
    open.setType(TkLexer.STRING);
    open.setText(meant);
    lexer.getInputStream().seek(end + 1);
    diagnostics.add(Diagnostic.error(Code.BAD_CHARACTER, "the character `'` has no place in a program")
        .label(spans.of(open), "not part of the language")
        .help("texts are written between `\"`", spans.of(open), meant));
    return true;
  }

  /** Lets the finding about a bad character cover the next one too. */
  private static void widen(List<Diagnostic> diagnostics, Span span) {
    Diagnostic d = diagnostics.removeLast();
    Span whole = d.labels().get(0).span().to(span);
    String message = "these characters have no place in a program";
    Diagnostic wide = Diagnostic.error(Code.BAD_CHARACTER, message).label(whole, "not part of the language");
    diagnostics.add(whole.text().codePoints().allMatch(Character::isLetter) ? wide.help(NAMES) : wide);
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
      default -> Character.isLetter(c) ? d.help(NAMES) : d;
    };
  }

  /** Ends the text where its line does, or before the brace that opens a test's body. */
  private static void closeText(Spans spans, CommonToken text, List<Token> tokens, List<Diagnostic> diagnostics) {
    Span span = spans.of(text);
    String stripped = span.text().stripTrailing();
    if (stripped.length() > 2 && stripped.endsWith("{")) {
      CommonToken brace = new CommonToken(Words.type("{"), "{");
      int at = span.start() + stripped.length() - 1;
      brace.setStartIndex(at);
      brace.setStopIndex(at);
      brace.setLine(text.getLine());
      tokens.add(brace);
      int end = span.start() + stripped.substring(0, stripped.length() - 1).stripTrailing().length();
      text.setStopIndex(end - 1);
      span = new Span(span.source(), span.start(), end);
    }
    text.setType(TkLexer.STRING);
    diagnostics.add(
        Diagnostic.error(Code.BAD_STRING, "this text is not closed")
            .label(span, "no closing `\"` on this line")
            .help("close it", new Span(span.source(), span.end(), span.end()), "\""));
  }

  private static Diagnostic malformed(Span span) {
    Diagnostic d =
        Diagnostic.error(Code.BAD_NUMBER, "`" + span.text() + "` is neither a number nor a name")
            .label(span, "a number goes on with letters");
    boolean based = span.text().matches("0[a-zA-Z].*");
    return based
        ? d.help("integers are written in decimal, or in hexadecimal as `0x1F`")
        : d.help("the type of a number comes from where it is used; names do not begin with a digit");
  }
}
