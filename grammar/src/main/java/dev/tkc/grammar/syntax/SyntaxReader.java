package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.antlr.v4.runtime.BailErrorStrategy;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ListTokenSource;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.atn.PredictionMode;
import org.antlr.v4.runtime.misc.ParseCancellationException;

/**
 * Reads a text into a syntax tree. Never throws, whatever the text.
 *
 * <p>A text is parsed with SLL prediction first, which is fast and settles every correct text; only if that fails is it
 * parsed again with full LL prediction and {@link Recovery}, which reports what is wrong and reads on.
 */
public final class SyntaxReader {
  /** How deep a tree may nest; every walk over a tree may recurse this deep. */
  public static final int MAX_TREE_DEPTH = 400;

  /** More findings than this in one file help nobody. */
  private static final int MAX_DIAGNOSTICS = 50;

  private SyntaxReader() {}

  public static Parsed read(Source source) {
    Spans spans = new Spans(source);
    List<Diagnostic> diagnostics = new ArrayList<>();
    Program program;
    try {
      program = read(spans, diagnostics);
    } catch (TooDeep e) {
      diagnostics.add(Brackets.tooDeep(spans.of(e.at())));
      program = new Program(List.of(), new Span(source, 0, source.text().length()));
    }
    diagnostics.sort(Comparator.comparingInt(d -> d.labels().get(0).span().start()));
    return new Parsed(program, diagnostics.subList(0, Math.min(MAX_DIAGNOSTICS, diagnostics.size())));
  }

  private static Program read(Spans spans, List<Diagnostic> diagnostics) {
    TokenText text = TokenText.of(spans, diagnostics);
    CommonTokenStream tokens = new CommonTokenStream(new ListTokenSource(text.tokens(), spans.source().name()));
    tokens.fill();
    GuardedParser parser = new GuardedParser(tokens);
    TkParser.ProgramContext tree;
    try {
      tree = parseFast(parser);
    } catch (ParseCancellationException e) {
      parser.reset();
      parser.setErrorHandler(new Recovery(spans, text.repairs(), diagnostics));
      parser.getInterpreter().setPredictionMode(PredictionMode.LL);
      tree = parser.program();
    }
    return new TreeBuilder(spans, tokens.getTokens(), diagnostics).program(tree);
  }

  private static TkParser.ProgramContext parseFast(GuardedParser parser) {
    parser.setErrorHandler(new BailErrorStrategy());
    parser.getInterpreter().setPredictionMode(PredictionMode.SLL);
    return parser.program();
  }

  /** A text's parse tree with every token in it, as the formatter needs it. */
  public record Concrete(TkParser.ProgramContext program, List<Token> tokens) {}

  /** The parse tree of a text that {@link #read} found no error in. */
  public static Concrete concrete(Source source) {
    TokenText text = TokenText.of(new Spans(source), new ArrayList<>());
    CommonTokenStream tokens = new CommonTokenStream(new ListTokenSource(text.tokens(), source.name()));
    tokens.fill();
    return new Concrete(parseFast(new GuardedParser(tokens)), tokens.getTokens());
  }
}
