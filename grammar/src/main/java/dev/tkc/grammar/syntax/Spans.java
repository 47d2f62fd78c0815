package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Source;
import dev.tkc.ir.diag.Span;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;

/** Spans of one source from tokens and contexts. */
record Spans(Source source) {
  Span of(Token token) {
    int length = source.text().length();
    int start = Math.min(token.getStartIndex(), length);
    // EOF and tokens put in by the reader stop before they start: they are empty.
    return new Span(source, start, Math.max(start, Math.min(token.getStopIndex() + 1, length)));
  }

  Span of(ParserRuleContext ctx) {
    return ctx.stop == null || ctx.stop.getTokenIndex() < ctx.start.getTokenIndex()
        ? of(ctx.start)
        : of(ctx.start).to(of(ctx.stop));
  }
}
