package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.antlr.v4.runtime.DefaultErrorStrategy;
import org.antlr.v4.runtime.InputMismatchException;
import org.antlr.v4.runtime.NoViableAltException;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.TokenStream;
import org.antlr.v4.runtime.atn.ATNState;
import org.antlr.v4.runtime.misc.IntervalSet;

/**
 * Reports a syntax error and reads on at the next statement, setting or item.
 *
 * <p>An error is thrown up through the rules to the nearest of {@code stmt}, {@code setting}, {@code params} and {@code
 * item}, whose context keeps it (the tree builder leaves it out). The rule then skips to where it must have ended;
 * blocks on the way are read, so errors within them are reported too. Brackets balance here (see {@link Brackets}), so
 * the end is found by counting; where only the layout can tell, a name that begins a line begins a statement.
 */
final class Recovery extends DefaultErrorStrategy {
  private final Spans spans;
  private final TreeSet<Integer> repairs;
  private final List<Diagnostic> diagnostics;

  /** The lists of settings that are known to have commas. */
  private final Set<ParserRuleContext> commas = Collections.newSetFromMap(new IdentityHashMap<>());

  Recovery(Spans spans, TreeSet<Integer> repairs, List<Diagnostic> diagnostics) {
    this.spans = spans;
    this.repairs = repairs;
    this.diagnostics = diagnostics;
  }

  @Override
  public void reportError(Parser parser, RecognitionException e) {
    if (inErrorRecoveryMode(parser)) {
      return;
    }
    beginErrorCondition(parser);
    Token found = e.getOffendingToken();
    Token from = enclosing(parser.getContext()).start;
    if (!besideRepair(behind(parser, from == null ? found : from), found)) {
      diagnostics.add(new SyntaxError(spans, parser, e).diagnostic());
    }
  }

  /** The token itself, or the one that its line begins with if nothing separates it from what is in front of it. */
  private static Token behind(Parser parser, Token from) {
    Token first = from;
    for (int i = from.getTokenIndex() - 1; i >= 0; i--) {
      Token token = parser.getInputStream().get(i);
      if (token.getLine() < from.getLine() || Words.is(token, ";") || Words.is(token, "{") || Words.is(token, "}")) {
        break;
      }
      first = token.getChannel() == Token.DEFAULT_CHANNEL ? token : first;
    }
    return first;
  }

  /** The statement, setting or item that {@code ctx} is part of. */
  static ParserRuleContext enclosing(ParserRuleContext ctx) {
    ParserRuleContext c = ctx;
    while (c.getParent() != null && !isResting(c)) {
      c = c.getParent();
    }
    return c;
  }

  private static boolean isResting(ParserRuleContext ctx) {
    return switch (ctx.getRuleIndex()) {
      case TkParser.RULE_stmt, TkParser.RULE_setting, TkParser.RULE_item, TkParser.RULE_program -> true;
      default -> false;
    };
  }

  /** Something between the start of the statement and the end of the error's line was already reported and mended. */
  private boolean besideRepair(Token from, Token found) {
    Source source = spans.source();
    int start = Math.min(from.getStartIndex(), found.getStartIndex());
    int end = source.text().indexOf('\n', Math.min(found.getStartIndex(), source.text().length()));
    Integer repair = repairs.ceiling(start);
    return repair != null && (end < 0 || repair <= end);
  }

  /**
   * Between statements, settings and items: what cannot begin one is reported and skipped. Elsewhere: an optional part
   * that does not fit is an error at once, so that the error knows of everything that might have stood there.
   */
  @Override
  public void sync(Parser parser) {
    ATNState state = parser.getInterpreter().atn.states.get(parser.getState());
    ParserRuleContext ctx = parser.getContext();
    boolean loop = state.getStateType() == ATNState.STAR_LOOP_ENTRY || state.getStateType() == ATNState.STAR_LOOP_BACK;
    if (isList(ctx) && !loop && !headed(ctx)) {
      // The optional `;` after a statement: what follows is judged at the loop.
      return;
    }
    if (!loop || !isList(ctx)) {
      IntervalSet next = parser.getATN().nextTokens(state);
      if (!next.contains(Token.EPSILON) && !next.contains(parser.getCurrentToken().getType())) {
        throw new InputMismatchException(parser);
      }
      return;
    }
    while (!fitsList(ctx, parser.getCurrentToken())) {
      // Of the commas between a list's settings the first is reported.
      boolean again = Words.is(parser.getCurrentToken(), ",") && commas.contains(ctx);
      if (!again) {
        reportError(parser, new InputMismatchException(parser));
      }
      if (Words.is(parser.getCurrentToken(), ";") || SyntaxError.betweenSettings(ctx, parser.getCurrentToken())) {
        commas.add(ctx);
        endErrorCondition(parser);
        parser.consume();
      } else {
        skip(parser, ctx, parser.getCurrentToken());
      }
    }
  }

  private static boolean isList(ParserRuleContext ctx) {
    return switch (ctx) {
      case TkParser.ProgramContext _, TkParser.BlockContext _ -> true;
      case TkParser.ScheduleItemContext _, TkParser.PhaseSettingContext _ -> true;
      default -> false;
    };
  }

  /** Still in what comes before the list itself. */
  private static boolean headed(ParserRuleContext list) {
    return list instanceof TkParser.ScheduleItemContext schedule && schedule.setting().isEmpty();
  }

  private static boolean fitsList(ParserRuleContext list, Token token) {
    if (token.getType() == Token.EOF) {
      return true;
    }
    return switch (list) {
      case TkParser.ProgramContext _ -> Words.in(token, Words.ITEM_START);
      case TkParser.BlockContext _ -> Words.is(token, "}") || Words.in(token, Words.STATEMENT_START);
      default -> Words.is(token, "}") || Words.in(token, Words.NAMES);
    };
  }

  @Override
  public Token recoverInline(Parser parser) {
    throw new InputMismatchException(parser);
  }

  @Override
  public void recover(Parser parser, RecognitionException e) {
    ParserRuleContext ctx = parser.getContext();
    switch (ctx.getRuleIndex()) {
      case TkParser.RULE_stmt, TkParser.RULE_setting, TkParser.RULE_item -> {
        if (e instanceof NoViableAltException) {
          // The parser stands where the decision began; the error is where it could not be made.
          consumeTo(parser, e.getOffendingToken().getTokenIndex());
        }
        skip(parser, ctx, ctx.start);
      }
      case TkParser.RULE_params -> skipParams(parser, ctx);
      case TkParser.RULE_program -> consumeTo(parser, Integer.MAX_VALUE);
      default -> throw e;
    }
  }

  private static void consumeTo(Parser parser, int index) {
    while (parser.getCurrentToken().getTokenIndex() < index && parser.getCurrentToken().getType() != Token.EOF) {
      parser.consume();
    }
  }

  /** Skips to the end of what began at {@code start}; always consumes something unless the text ends. */
  private void skip(Parser parser, ParserRuleContext ctx, Token start) {
    endErrorCondition(parser);
    boolean inList = ctx instanceof TkParser.ScheduleItemContext && start != ctx.start;
    boolean items = !inList && (ctx instanceof TkParser.ProgramContext || ctx.getRuleIndex() == TkParser.RULE_item);
    boolean settings = !items && isSettings(ctx);
    int depth = depthFrom(parser.getInputStream(), start);
    while (parser.getCurrentToken().getType() != Token.EOF) {
      Token token = parser.getCurrentToken();
      if (depth == 0 && token.getTokenIndex() > start.getTokenIndex() && ends(parser, token, items)) {
        return;
      }
      boolean blockHere = depth == 0 && Words.is(token, "{") && !settings && !isSettings(start);
      if (blockHere) {
        ((TkParser) parser).block();
        if (Words.is(parser.getCurrentToken(), "else")) {
          continue;
        }
        return;
      }
      depth += nesting(token);
      if (depth < 0) {
        // Only when `start` itself is the brace that ends the list.
        return;
      }
      parser.consume();
    }
  }

  private static boolean isSettings(ParserRuleContext ctx) {
    return ctx.getRuleIndex() == TkParser.RULE_setting || ctx instanceof TkParser.ScheduleItemContext;
  }

  private static boolean isSettings(Token start) {
    return Words.is(start, "schedule");
  }

  private static int nesting(Token token) {
    return switch (token.getText()) {
      case "(", "[", "{" -> 1;
      case ")", "]", "}" -> -1;
      default -> 0;
    };
  }

  /** How many brackets opened since {@code start} are open at the parser's token. */
  private static int depthFrom(TokenStream tokens, Token start) {
    int depth = 0;
    for (int i = start.getTokenIndex(); i < tokens.index(); i++) {
      Token token = tokens.get(i);
      depth += token.getChannel() == Token.DEFAULT_CHANNEL ? nesting(token) : 0;
    }
    return depth;
  }

  private static boolean ends(Parser parser, Token token, boolean items) {
    if (items) {
      return Words.in(token, Words.ITEM_START);
    }
    if (Words.is(token, "}") || Words.is(token, ";") || Words.in(token, Words.STATEMENT_WORDS)) {
      return true;
    }
    Token before = parser.getInputStream().LT(-1);
    boolean newLine = before != null && before.getLine() < token.getLine();
    return newLine && Words.in(token, Words.STATEMENT_START) && Words.in(before, Words.MAY_END);
  }

  /** Parameters end with their parenthesis; what follows them is read as if they were sound. */
  private void skipParams(Parser parser, ParserRuleContext ctx) {
    endErrorCondition(parser);
    int depth = depthFrom(parser.getInputStream(), ctx.start);
    while (depth > 0 && parser.getCurrentToken().getType() != Token.EOF) {
      depth += nesting(parser.getCurrentToken());
      parser.consume();
    }
  }
}
