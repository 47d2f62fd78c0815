package dev.tkc.grammar.syntax;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.grammar.TkFiles;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.antlr.v4.runtime.BaseErrorListener;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ListTokenSource;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.atn.ATNConfigSet;
import org.antlr.v4.runtime.atn.PredictionMode;
import org.antlr.v4.runtime.dfa.DFA;
import org.junit.jupiter.api.Test;

/** The grammar gives each text one tree, found by exact detection on every file there is. */
class AmbiguityTest {
  private final List<String> ambiguities = new ArrayList<>();

  private void parse(Source source) {
    List<Diagnostic> diagnostics = new ArrayList<>();
    TokenText text = TokenText.of(new Spans(source), diagnostics);
    GuardedParser parser = new GuardedParser(new CommonTokenStream(new ListTokenSource(text.tokens())));
    parser.getInterpreter().setPredictionMode(PredictionMode.LL_EXACT_AMBIG_DETECTION);
    parser.addErrorListener(
        new BaseErrorListener() {
          @Override
          public void reportAmbiguity(
              Parser p, DFA dfa, int start, int stop, boolean exact, BitSet alternatives, ATNConfigSet configs) {
            String rule = p.getRuleNames()[dfa.atnStartState.ruleIndex];
            String tokens = p.getTokenStream().getText(org.antlr.v4.runtime.misc.Interval.of(start, stop));
            ambiguities.add(source.name() + ": " + rule + " " + alternatives + " on " + tokens);
          }
        });
    parser.program();
  }

  @Test
  void noFileIsAmbiguous() {
    List<Source> files = TkFiles.all();
    assertThat(files).hasSizeGreaterThan(15);
    files.stream().filter(f -> SyntaxReader.read(f).ok()).forEach(this::parse);
    assertThat(ambiguities).isEmpty();
  }

  /** Prefix operators of low precedence inside tighter ones, where ambiguity would hide. */
  @Test
  void nestedPrefixOperatorsAreNotAmbiguous() {
    for (String expr :
        List.of("a * not b + c", "a + if b then c else d + e", "2 ** -x ** 3 * y", "-a as f32 * b",
            "a == not b and c")) {
      parse(new Source(expr, "const it = " + expr));
    }
    assertThat(ambiguities).isEmpty();
  }
}
