package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.TokenStream;

/** The generated parser with a bound on how deep its rules nest, so that no text can overflow the stack. */
final class GuardedParser extends TkParser {
  private static final int MAX_RULES = 600;

  private int depth;

  GuardedParser(TokenStream tokens) {
    super(tokens);
    removeErrorListeners();
  }

  @Override
  public void enterRule(ParserRuleContext localctx, int state, int ruleIndex) {
    enter();
    super.enterRule(localctx, state, ruleIndex);
  }

  @Override
  public void enterRecursionRule(ParserRuleContext localctx, int state, int ruleIndex, int precedence) {
    enter();
    super.enterRecursionRule(localctx, state, ruleIndex, precedence);
  }

  @Override
  public void exitRule() {
    depth--;
    super.exitRule();
  }

  @Override
  public void unrollRecursionContexts(ParserRuleContext parent) {
    depth--;
    super.unrollRecursionContexts(parent);
  }

  @Override
  public void reset() {
    depth = 0;
    super.reset();
  }

  private void enter() {
    if (++depth > MAX_RULES) {
      throw new TooDeep(getCurrentToken());
    }
  }
}
