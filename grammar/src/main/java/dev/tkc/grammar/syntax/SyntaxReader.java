package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkLexer;
import dev.tkc.grammar.TkParser;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import java.util.ArrayList;
import java.util.List;
import org.antlr.v4.runtime.BailErrorStrategy;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.atn.PredictionMode;
import org.antlr.v4.runtime.misc.ParseCancellationException;

/** Reads a text into a syntax tree. Never throws, whatever the text. */
public final class SyntaxReader {
  /** How deep a tree may nest; every walk over a tree may recurse this deep. */
  static final int MAX_TREE_DEPTH = 1000;

  private SyntaxReader() {}

  public static Parsed read(Source source) {
    Spans spans = new Spans(source);
    List<Diagnostic> diagnostics = new ArrayList<>();
    TkLexer lexer = new TkLexer(new SourceChars(source));
    lexer.removeErrorListeners();
    CommonTokenStream tokens = new CommonTokenStream(lexer);
    TkParser parser = new TkParser(tokens);
    parser.removeErrorListeners();
    parser.setErrorHandler(new BailErrorStrategy());
    parser.getInterpreter().setPredictionMode(PredictionMode.SLL);
    try {
      Program program = new TreeBuilder(spans, tokens.getTokens(), diagnostics).program(parser.program());
      return new Parsed(program, diagnostics);
    } catch (ParseCancellationException e) {
      Token at = parser.getCurrentToken();
      diagnostics.add(Diagnostic.error(Code.SYNTAX, spans.of(at), "unexpected `" + at.getText() + "`"));
      return new Parsed(new Program(List.of(), new dev.tkc.ir.diag.Span(source, 0, source.text().length())), diagnostics);
    }
  }
}
