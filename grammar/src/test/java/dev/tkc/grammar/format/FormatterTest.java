package dev.tkc.grammar.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.grammar.TkFiles;
import dev.tkc.grammar.syntax.Dump;
import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The layout by example, and on every file: same meaning, same comments, and a second run changes nothing. */
class FormatterTest {
  private static String format(String text) {
    return Formatter.format(new Source("t", text));
  }

  private static void check(Source source) {
    String once = Formatter.format(source);
    Parsed before = SyntaxReader.read(source);
    Parsed after = SyntaxReader.read(new Source(source.name(), once));
    assertThat(after.diagnostics()).as(source.name()).isEmpty();
    assertThat(Dump.tree(after.program())).as(source.name()).isEqualTo(Dump.tree(before.program()));
    assertThat(comments(once)).as(source.name()).isEqualTo(comments(source.text()));
    assertThat(format(once)).as(source.name()).isEqualTo(once);
    assertThat(once).as(source.name()).doesNotContain("\n\n\n").doesNotContain(" \n").doesNotContain("\t");
  }

  /** White space with an even number of quotes behind it. */
  private static final String OUTSIDE_TEXTS = "\\s+(?=[^\"]*+(?:\"[^\"]*+\"[^\"]*+)*+$)";

  private static List<String> comments(String text) {
    return text.lines().filter(l -> l.contains("//")).map(l -> l.substring(l.indexOf("//")).stripTrailing()).toList();
  }

  @Test
  void everyFileKeepsItsMeaningAndIsStable() {
    List<Source> files = TkFiles.all().stream().filter(f -> SyntaxReader.read(f).ok()).toList();
    assertThat(files).hasSizeGreaterThan(15);
    files.forEach(FormatterTest::check);
  }

  @Test
  void theLibrariesAreLaidOut() {
    List<Source> library = TkFiles.all().stream()
        .filter(f -> f.name().startsWith("kernels/") || f.name().startsWith("grammar/src/main/resources/dev/tkc/std/"))
            .toList();
    assertThat(library).hasSizeGreaterThan(15);
    assertThat(library).allSatisfy(f -> assertThat(Formatter.format(f)).as(f.name()).isEqualTo(f.text()));
  }

  @Test
  void headsAndListsBreakAtTheirBrackets() {
    String params = "aaaaaaaaaaaa: f32[M, N], bbbbbbbbbbbb: f32[M, N], cccccccccccc: f32[M, N]";
    assertThat(format("fn long_name(" + params + ") -> f32[M, 1], f32[M, 1], f32[M, N] { return a, b, c }\n"))
        .startsWith("fn long_name(\n    " + params + ") -> f32[M, 1], f32[M, 1], f32[M, N] {");
    String rounds = "(111111111, 111111111), (111111111, 111111111), (111111111, 111111111), (111111111, 111111111)";
    assertThat(format("test \"t\" {\n  for mmmmmmmm, nnnnnnnn in [" + rounds + "] {\n    run(m)\n  }\n}\n"))
        .contains("  for mmmmmmmm, nnnnnnnn in [\n      " + rounds + "] {\n    run(m)");
  }

  /**
   * The same files with all their white space changed: every word on a line of its own, and as few lines as possible.
   */
  @Test
  void strangeLayoutsKeepTheirMeaningAndBecomeStable() {
    for (Source source : TkFiles.all()) {
      if (SyntaxReader.read(source).ok() && !source.text().contains("//") && !source.text().contains("\\\"")) {
        check(new Source(source.name(), source.text().replaceAll(OUTSIDE_TEXTS, "\n\n\n\t")));
        check(new Source(source.name(), source.text().replaceAll(OUTSIDE_TEXTS, " ")));
      }
    }
    for (String name : List.of("gemm", "attention", "linear_attention", "everything")) {
      for (Source source : TkFiles.all()) {
        if (source.name().endsWith("resources/tk/" + name + ".tk")) {
          String code = source.text().replaceAll("(?m)//.*$", "");
          check(new Source(name, code.replaceAll("\\s+", " ")));
          check(new Source(name, code.replaceAll("(?<![\"a-z]) (?![a-z])", "\n")));
          check(new Source(name, code.replaceAll("\n", " // c\n")));
          check(new Source(name, code.replaceAll("\n", "\n// c\n\n// d\n")));
        }
      }
    }
  }

  @Test
  void blanksAndLines() {
    assertThat(format("const a=1+2*-3\n\n\n\nconst b :f32=f( x,y =2 )[ : ,_,0 : 4 ,i ]"))
        .isEqualTo("const a = 1 + 2 * -3\n\nconst b: f32 = f(x, y = 2)[:, _, 0:4, i]\n");
    assertThat(format("fn f(){let a=1;var b=not x\n;b min =3}"))
        .isEqualTo("fn f() {\n  let a = 1; var b = not x\n  b min= 3\n}\n");
    assertThat(format("fn f() { return x } kernel k(out x:f32[N]){}"))
        .isEqualTo("fn f() { return x }\nkernel k(out x: f32[N]) {}\n");
    assertThat(format("")).isEmpty();
    assertThat(format("// only a comment")).isEqualTo("// only a comment\n");
  }

  @Test
  void commentsStayWhereTheyAre() {
    String text =
        """
        // A file.

        /// An item.
        fn f(
            x: f32[M], // first
            // before the second
            y: f32[N]) { // opens
          // own line
          let a = x // behind

          // before the next
          let b = a + // in the middle
              y
          // last
        }
        // end
        """;
    assertThat(format(text))
        .isEqualTo(
            text.replace("let b = a + // in the middle\n      y", "let b = a\n      + // in the middle\n      y"));
    check(new Source("comments", text));
  }

  @Test
  void longHeadsAndExpressions() {
    String name = "a_rather_long_name_for_a_tile_of_values";
    String text =
        ("kernel k<BM = 64, BN = 64>(%s: f32[M, N], out second_%s: f32[M, N], third: f32) where M > 0 "
            + "{ x = %s + %s * %s + %s }")
            .replace("%s", name);
    assertThat(format(text))
        .isEqualTo(
            """
            kernel k<BM = 64, BN = 64>(
                %s: f32[M, N], out second_%s: f32[M, N],
                third: f32)
              where M > 0
            {
              x = %s
                  + %s * %s
                  + %s
            }
            """
                .replace("%s", name));
    check(new Source("long", text));
  }

  @Test
  void alignedEqualsSignsStayAligned() {
    String aligned =
        """
        fn f(x: f32) {
          var m   = 1
          var l   = zeros(f32[4, 1]) // trailing
          var acc = 3
          let y = 2
          acc = acc + 1
          m   = m
          return m
        }
        """;
    assertThat(format(aligned)).isEqualTo(aligned);
    assertThat(format(aligned.replace("m   =", "m=").replace("l   =", "l=").replace("acc =", "acc=")))
        .isEqualTo(aligned.replace("m   =", "m =").replace("l   =", "l ="));
    assertThat(format("fn f() {\n  let   a = 1\n  let bcd = 2\n}\n"))
        .isEqualTo("fn f() {\n  let a = 1\n  let bcd = 2\n}\n");
  }

  @Test
  void aTextWithErrorsIsRefused() {
    assertThatThrownBy(() -> format("fn f( {")).isInstanceOf(DiagnosticException.class);
  }
}
