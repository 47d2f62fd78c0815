package dev.tkc.ir.diag;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Diagnostics as a person sees them, each form once. */
class DiagnosticRendererTest {
  private static final Source SOURCE =
      new Source(
          "m.tk",
          """
          fn f(
              x: f32[M],
              y: f32[N]) {
          \tlet s = x + y * "日本" + z
            a
            b
            c
            return s
          }
          """);

  private static Span at(Source source, String words) {
    int start = source.text().indexOf(words);
    assertThat(start).isNotNegative();
    return new Span(source, start, start + words.length());
  }

  private static Span at(String words) {
    return at(SOURCE, words);
  }

  private static Diagnostic error(String message) {
    return Diagnostic.error(Code.SYNTAX, message);
  }

  private static String render(Diagnostic d) {
    return new DiagnosticRenderer(false).render(d);
  }

  @Test
  void noPlaceInAText() {
    assertThat(render(error("no such file").note("it was\nlooked for").help("name another")))
        .isEqualTo(
            """
            error[TK0001]: no such file
              = note: it was
                      looked for
              = help: name another
            """);
  }

  @Test
  void oneLabelBesideItsText() {
    assertThat(render(error("what").label(at("return"), "here").help("think")))
        .isEqualTo(
            """
            error[TK0001]: what
             --> m.tk:8:3
              |
            8 |   return s
              |   ^^^^^^ here
              |
              = help: think
            """);
  }

  @Test
  void severalLabelsOnALineWithTabsAndWideCharacters() {
    int x = at("x +").start();
    Diagnostic d =
        error("sizes")
            .label(at("+ y"), "they meet here")
            .label(new Span(SOURCE, x, x + 1), "f32[M]")
            .label(at("z"), "and this");
    assertThat(render(d))
        .isEqualTo(
            """
            error[TK0001]: sizes
             --> m.tk:4:12
              |
            4 |     let s = x + y * "日本" + z
              |             - ^^^            - and this
              |             | |
              |             | they meet here
              |             f32[M]
            """);
  }

  @Test
  void labelsOfSeveralLinesAndLinesLeftOut() {
    Diagnostic d =
        error("long")
            .label(at("return s"), "here")
            .label(new Span(SOURCE, 0, SOURCE.text().length()), "in this function")
            .label(at("x: f32[M],\n    y: f32[N]"), "");
    assertThat(render(d))
        .isEqualTo(
            """
            error[TK0001]: long
             --> m.tk:8:3
              |
            1 | /  fn f(
            2 | |/     x: f32[M],
            3 | ||     y: f32[N]) {
              | ||_____________-
            ... |
            8 | |    return s
              | |    ^^^^^^^^ here
            9 | |  }
              | |__- in this function
            """);
  }

  @Test
  void aLabelThatBeginsWithinALineAndAnotherSource() {
    Source other = new Source("o.tk", "import \"m.tk\"\n");
    assertThat(
        render(error("body").label(at("{\n\tlet s = x"), "this").label(at(other, "import"), "from here").note("so")))
        .isEqualTo(
            """
            error[TK0001]: body
             --> m.tk:3:16
              |
            3 |       y: f32[N]) {
              |  ________________^
            4 | |     let s = x + y * "日本" + z
              | |_____________^ this
              |
             ::: o.tk:1:1
              |
            1 | import "m.tk"
              | ------ from here
              |
              = note: so
            """);
  }

  @Test
  void fixesAreShownAsLines() {
    Diagnostic d =
        Diagnostic.warning(Code.SYNTAX, at("y *"), "odd")
            .help("transpose", at("y *"), "y.T *")
            .help("drop them", at("  a\n  b\n"), "")
            .help("or leave it");
    assertThat(render(d))
        .isEqualTo(
            """
            warning[TK0001]: odd
             --> m.tk:4:14
              |
            4 |     let s = x + y * "日本" + z
              |                 ^^^
              |
              = help: or leave it
            help: transpose
              |
            4 -     let s = x + y * "日本" + z
            4 +     let s = x + y.T * "日本" + z
            help: drop them
              |
            5 -   a
            6 -   b
            """);
  }

  @Test
  void theEndOfATextAndEmptySpans() {
    int end = SOURCE.text().length();
    assertThat(render(error("end").label(new Span(SOURCE, end, end), "expected more")))
        .isEqualTo(
            """
            error[TK0001]: end
              --> m.tk:10:1
               |
            10 |
               | ^ expected more
            """);
    Source empty = new Source("e.tk", "");
    assertThat(render(error("nothing").label(new Span(empty, 0, 0), ""))).contains("1 |\n  | ^\n");
  }

  @Test
  void ofAVeryLongLineAWindowIsShown() {
    Source source = new Source("l.tk", "x".repeat(3000) + " = " + "y".repeat(3000));
    String text = render(error("long").label(at(source, "="), "here").help("compare", at(source, "="), "=="));
    assertThat(text.lines()).allMatch(line -> line.length() < 200);
    assertThat(text).contains("xx = yy").contains("xx == yy").contains("^ here");
  }

  @Test
  void coloursOnlyWhenAsked() {
    Diagnostic d = error("what").label(at("return"), "here").note("why");
    assertThat(render(d)).doesNotContain("\u001b");
    String colored = new DiagnosticRenderer(true).render(d);
    assertThat(colored).contains("\u001b[1;31merror[TK0001]\u001b[0m").contains("\u001b[1;31m^^^^^^\u001b[0m");
    assertThat(colored.replaceAll("\u001b\\[[0-9;]*m", "")).isEqualTo(render(d));
  }

  @Test
  void controlCharactersDoNotReachTheTerminal() {
    Source source = new Source("c.tk", "a \u001b[31m \u202e b\r\n");
    assertThat(render(error("odd").label(at(source, "b"), ""))).doesNotContain("\u001b").doesNotContain("\u202e");
  }
}
