package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.antlr.v4.runtime.NoViableAltException;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.TokenStream;
import org.antlr.v4.runtime.misc.IntervalSet;

/**
 * Says in a person's words what one syntax error is: what was found, what may stand there, and the likely slip
 * ({@link Slips}).
 */
final class SyntaxError {
  private static final int MAX_EXPECTED = 5;

  private final Spans spans;
  private final TokenStream tokens;
  private final ParserRuleContext ctx;

  /** The first token of the statement, setting or item; between two of them, the offending token. */
  final Token start;

  final Token found;

  /** What may stand at {@link #found}; empty where that takes a noun ("a statement"). */
  final BitSet expected;

  SyntaxError(Spans spans, Parser parser, RecognitionException e) {
    this.spans = spans;
    this.tokens = parser.getInputStream();
    this.ctx = parser.getContext();
    this.found = e.getOffendingToken();
    this.start = atList() ? found : Recovery.enclosing(ctx).start;
    this.expected = expected(e);
  }

  private BitSet expected(RecognitionException e) {
    BitSet set = new BitSet();
    boolean known = !(e instanceof NoViableAltException n) || n.getStartToken() == found;
    IntervalSet types = atList() || !known ? null : e.getExpectedTokens();
    if (types != null) {
      types.toList().stream().filter(t -> t > 0).forEach(set::set);
    }
    return set;
  }

  /** The error is where a statement, setting or item would begin. */
  boolean atList() {
    return switch (ctx) {
      case TkParser.ProgramContext _ -> true;
      case TkParser.BlockContext _ -> found != ctx.start;
      case TkParser.ScheduleItemContext c -> !c.setting().isEmpty() || Words.is(previous(found), "{");
      case TkParser.PhaseSettingContext _ -> true;
      default -> false;
    };
  }

  /** A comma where a setting may end. */
  static boolean betweenSettings(ParserRuleContext list, Token token) {
    return Words.is(token, ",")
        && (list instanceof TkParser.ScheduleItemContext || list instanceof TkParser.PhaseSettingContext);
  }

  boolean betweenSettings() {
    return atList() && betweenSettings(ctx, found);
  }

  boolean within(int rule) {
    ParserRuleContext c = ctx;
    while (c != null && c.getRuleIndex() != rule) {
      c = c.getParent();
    }
    return c != null;
  }

  boolean inRule(int rule) {
    return ctx.getRuleIndex() == rule;
  }

  boolean expects(String literal) {
    return expected.get(Words.type(literal));
  }

  boolean expectsExpression() {
    return expected.get(TkParser.INT) && expected.get(TkParser.NAME);
  }

  /** The visible token before {@code token}; null at the start of the text. */
  Token previous(Token token) {
    int i = token.getTokenIndex() - 1;
    while (i >= 0 && tokens.get(i).getChannel() != Token.DEFAULT_CHANNEL) {
      i--;
    }
    return i < 0 ? null : tokens.get(i);
  }

  /** The visible token after {@code token}; the end of the text comes after itself. */
  Token next(Token token) {
    int i = token.getTokenIndex();
    while (tokens.get(i).getType() != Token.EOF) {
      i++;
      if (tokens.get(i).getChannel() == Token.DEFAULT_CHANNEL) {
        break;
      }
    }
    return tokens.get(i);
  }

  Span at(Token token) {
    // The end of the text has no place of its own to show; the last word before it does.
    Token previous = token.getType() == Token.EOF ? previous(token) : null;
    return spans.of(previous != null ? previous : token);
  }

  Diagnostic diagnostic() {
    Diagnostic slip = new Slips(this).find();
    if (slip != null) {
      return slip;
    }
    if (startsWithinLine()) {
      return Diagnostic.error(Code.SYNTAX, "expected an operator or the end of the statement, found " + describe(start))
          .label(at(start), "something is missing before this")
          .note("two statements on one line may be separated by `;`");
    }
    String wanted = wanted();
    Diagnostic d =
        Diagnostic.error(Code.SYNTAX, "expected " + wanted + ", found " + describe(found))
            .label(at(found), "expected " + wanted);
    return Words.is(found, ";") ? d.note("`;` may stand between statements and is never needed") : d;
  }

  /** A statement that begins in the middle of a line is more likely the rest of the one before it. */
  private boolean startsWithinLine() {
    boolean early = atList() || previous(found) == start;
    Token before = previous(start);
    return early
        && (within(TkParser.RULE_block) || within(TkParser.RULE_setting))
        && before != null
        && before.getLine() == start.getLine()
        && Words.in(before, Words.MAY_END)
        && !Words.is(before, ";")
        && !Words.is(before, "}")
        && !Words.is(start, ";")
        && !Words.in(start, Words.STATEMENT_WORDS);
  }

  static String describe(Token token) {
    return switch (token.getType()) {
      case Token.EOF -> "the end of the file";
      case TkParser.STRING -> "a text";
      case TkParser.INT, TkParser.FLOAT -> "the number `" + token.getText() + "`";
      default -> (Words.isKeyword(token) && !Words.in(token, Words.NAMES) ? "the keyword `" : "`")
          + token.getText() + "`";
    };
  }

  private String wanted() {
    List<String> words = words();
    if (words.isEmpty()) {
      return noun();
    }
    int last = words.size() - 1;
    return last == 0 ? words.get(0) : String.join(", ", words.subList(0, last)) + " or " + words.get(last);
  }

  private List<String> words() {
    BitSet rest = (BitSet) expected.clone();
    List<String> words = new ArrayList<>();
    if (expectsExpression()) {
      words.add("an expression");
      rest.andNot(Words.EXPRESSION_START);
      rest.clear(Words.type("fn"));
    } else if (rest.get(TkParser.NAME)) {
      words.add(nameless());
      rest.andNot(Words.NAMES);
      rest.clear(Words.type("inout"));
    }
    if (rest.get(Words.type("*"))) {
      rest.andNot(Words.BINARY);
      for (String postfix : List.of("[", ".", "as", "pad", "(")) {
        rest.clear(Words.type(postfix));
      }
    }
    for (String never : List.of("sym", "across", "_")) {
      rest.clear(Words.type(never));
    }
    rest.stream().mapToObj(TkParser.VOCABULARY::getDisplayName).map(SyntaxError::display).forEach(words::add);
    return words.size() > MAX_EXPECTED ? List.of() : words;
  }

  /** What the name would be that is missing. */
  private String nameless() {
    String before = previous(found) == null ? "" : previous(found).getText();
    boolean type = before.equals("->") || before.equals(":")
        && (within(TkParser.RULE_constant) || within(TkParser.RULE_type));
    return inRule(TkParser.RULE_params) ? "a parameter"
        : type || inRule(TkParser.RULE_type) ? "a type"
        : before.equals("for") && start.getText().equals("schedule") ? "a target" : "a name";
  }

  private static String display(String name) {
    return switch (name) {
      case "STRING" -> "a text in quotes";
      case "INT", "FLOAT" -> "a number";
      default -> "`" + name.substring(1, name.length() - 1) + "`";
    };
  }

  private String inStatement() {
    if (start == found) {
      return "a statement";
    }
    return previous(found).getText().equals("else") ? "`{` or `if`" : "`=`, `(` or `[`";
  }

  private String noun() {
    if (ctx instanceof TkParser.ScheduleItemContext && atList()) {
      return "a setting or `}`";
    }
    return switch (ctx.getRuleIndex()) {
      case TkParser.RULE_program, TkParser.RULE_item ->
          "an item (`fn`, `kernel`, `schedule`, `test`, `const` or `import`)";
      case TkParser.RULE_setting -> atList() ? "a setting" : "`=`, a role or `{`";
      case TkParser.RULE_stmt, TkParser.RULE_place -> inStatement();
      case TkParser.RULE_block -> "a statement";
      case TkParser.RULE_param, TkParser.RULE_params -> "a parameter";
      case TkParser.RULE_type -> "a type";
      case TkParser.RULE_assign -> "an assignment";
      case TkParser.RULE_index -> "an index";
      default -> "an expression";
    };
  }
}
