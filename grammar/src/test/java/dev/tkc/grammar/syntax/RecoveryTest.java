package dev.tkc.grammar.syntax;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said about texts that are wrong, and that reading goes on behind each error. */
class RecoveryTest {
  private static Parsed read(String text) {
    return SyntaxReader.read(new Source("t", text));
  }

  /** {@code line:column code message}, one for each finding. */
  private static List<String> findings(String text) {
    return read(text).diagnostics().stream().map(RecoveryTest::line).toList();
  }

  private static String line(Diagnostic d) {
    var at = d.labels().get(0).span();
    return at.line() + ":" + at.column() + " " + d.code().id() + " " + d.message();
  }

  @Test
  void reportsSeveralErrorsAndKeepsWhatIsSound() {
    Parsed parsed =
        read(
            """
            fn f(x: f32[M]) {
              let y x
              let z = x
              for k K by 3 {
                let u v
              }
              return z 0.5
            }
            fn g(x f32) { let a b }
            kernel h(x: f32[M]) { parallel i in M by 4 { x[i] = } }
            fn sound(x: f32) { return x }
            """);
    assertThat(parsed.diagnostics().stream().map(RecoveryTest::line))
        .containsExactly(
            "2:9 TK0001 expected `=`, found `x`",
            "4:9 TK0001 expected `in`, found `K`",
            "5:11 TK0001 expected `=`, found `v`",
            "7:12 TK0001 expected an operator or the end of the statement, found the number `0.5`",
            "9:8 TK0001 expected `:`, found `f32`",
            "9:21 TK0001 expected `=`, found `b`",
            "10:53 TK0001 expected an expression, found `}`");
    assertThat(parsed.ok()).isFalse();
    assertThat(Dump.tree(parsed.program()))
        .isEqualTo(
            "(Program [(Fn f [(Param IN x (Shaped f32 [(Ref M)]) [])] [] - (Block [(Let [z] [(Ref x)]),"
                + " (Return [(Ref z)])]) \"\"), (Kernel false h [] [(Param IN x (Shaped f32 [(Ref M)]) [])] -"
                + " (Block [(Parallel - [(Domain [i] - (Ref M) (IntLit 4) false)] (Block []))]) \"\"),"
                + " (Fn sound [(Param IN x (Scalar f32) [])] [] - (Block [(Return [(Ref x)])]) \"\")])");
  }

  @Test
  void anUnclosedBracketPointsAtItsOpener() {
    assertThat(findings("fn f() { x = (1 + 2 }")).containsExactly("1:14 TK0003 `(` is never closed");
    assertThat(findings("fn f() {\n  g(a, b\n  let ok = 3\n}")).containsExactly("2:4 TK0003 `(` is never closed");
    assertThat(findings("fn f() { x = a[1 }\nfn g() {")).hasSize(2).last().isEqualTo("2:8 TK0003 `{` is never closed");
  }

  @Test
  void indentationTellsWhichBraceIsNotClosed() {
    String text =
        """
        kernel f(x: f32[M]) {
          parallel i in M by 4 {
            x[i] = 0
        }

        /// The next one.
        kernel g(x: f32[M]) {}
        """;
    assertThat(findings(text)).containsExactly("2:24 TK0003 `{` is never closed");
    assertThat(read(text).program().items()).hasSize(2).last().extracting(Item::doc).isEqualTo("The next one.");
  }

  @Test
  void aSuperfluousBracketIsOneFinding() {
    assertThat(findings("fn f() { x = 3) }")).containsExactly("1:15 TK0004 `)` closes nothing");
    assertThat(findings("fn f() { x = (3] }")).containsExactly("1:16 TK0004 `(` is closed by `]`");
    assertThat(findings("fn f() { } }")).containsExactly("1:12 TK0004 `}` closes nothing");
  }

  @Test
  void slipsHaveTheirOwnCodes() {
    assertThat(findings("fn f() { if n = 0 { } }")).containsExactly("1:15 TK0010 `=` cannot stand in an expression");
    assertThat(findings("fn f() { let a == 4 }")).containsExactly("1:16 TK0010 `==` cannot bind or store a value");
    assertThat(findings("fn f() { let in = 3 }")).containsExactly("1:14 TK0011 `in` is a keyword and cannot be a name");
    assertThat(findings("fn f(by: f32) { }")).containsExactly("1:6 TK0011 `by` is a keyword and cannot be a name");
    assertThat(findings("fn f() { if a && b { } }")).containsExactly("1:15 TK0009 `&&` is not part of the language");
    assertThat(findings("fn f() { while a { let b c } }"))
        .containsExactly("1:10 TK0009 `while` is not part of the language", "1:26 TK0001 expected `=`, found `c`");
    assertThat(findings("fn f() { n++ }")).containsExactly("1:11 TK0009 `++` is not part of the language");
    assertThat(findings("fn f() { n %= 2 }")).containsExactly("1:12 TK0009 `%=` is not part of the language");
    assertThat(findings("fn f() { q := 2 }")).containsExactly("1:12 TK0009 `:=` is not part of the language");
    assertThat(findings("def f(x): return x")).containsExactly("1:1 TK0009 `def` is not part of the language");
    assertThat(findings("fn f() { let a: f32 = 2 }")).containsExactly("1:15 TK0001 `let` takes no type");
    assertThat(findings("fn f() { a: f32 = 2 }")).containsExactly("1:10 TK0001 a declaration begins with `var`");
    assertThat(findings("fn f(a: f32,) { }")).containsExactly("1:12 TK0001 a list does not end with a comma");
    assertThat(findings("let x = 3")).containsExactly(
        "1:1 TK0001 a statement cannot stand outside of a kernel, function or test");
    assertThat(findings("fn f() { else { } }")).containsExactly("1:10 TK0001 `else` without an `if`");
    assertThat(findings("fn f() { x.f(3) }")).containsExactly("1:12 TK0001 a statement cannot begin with a member");
    assertThat(findings("const a = x.f(3)")).containsExactly("1:13 TK0001 there are no method calls");
    assertThat(findings("import foo")).containsExactly("1:8 TK0001 expected a text in quotes, found `foo`");
  }

  @Test
  void wordsForSeveralDevicesAreReserved() {
    assertThat(findings("fn f(rank: int, sym x: f32) { wait(x) x.on(r) = 3 let y = x.on(2) g(y) across 3 }"))
        .containsExactly(
            "1:6 TK0002 `rank` is reserved",
            "1:17 TK0002 `sym` is reserved",
            "1:31 TK0002 `wait` is reserved",
            "1:41 TK0002 `.on(…)` is reserved",
            "1:61 TK0002 `.on(…)` is reserved",
            "1:72 TK0002 `across` is reserved");
  }

  @Test
  void charactersTextsAndNumbers() {
    assertThat(findings("const a = 3 × 4")).containsExactly("1:13 TK0005 the character `×` has no place in a program");
    assertThat(findings("const a = €€€ 3")).containsExactly("1:11 TK0005 these characters have no place in a program");
    assertThat(findings("import \"abc\nconst a = 3")).containsExactly("1:8 TK0006 this text is not closed");
    assertThat(findings("import \"a\\qc\"")).containsExactly("1:10 TK0006 unknown escape `\\q`");
    assertThat(findings("const a = 18446744073709551616")).containsExactly("1:11 TK0007 integer literal out of range");
    assertThat(findings("const a = 1e999")).containsExactly("1:11 TK0007 floating-point literal out of range");
    assertThat(findings("const a = 1e-999")).containsExactly("1:11 TK0007 floating-point literal out of range");
    assertThat(findings("const a = 0.0e-999")).isEmpty();
    assertThat(findings("const a = 0x")).containsExactly("1:11 TK0007 `0x` is neither a number nor a name");
    assertThat(findings("const a = 1.5f + 2x")).hasSize(2).allMatch(f -> f.contains("TK0007"));
    assertThat(findings("test \"abc {\n  x = \n}")).containsExactly(
        "1:6 TK0006 this text is not closed", "3:1 TK0001 expected an expression, found `}`");
  }

  @Test
  void aFixReplacesWhatIsWrong() {
    Function<String, String> fixed =
        text -> {
          var fix = read(text).diagnostics().get(0).suggestions().get(0);
          return text.substring(0, fix.span().start()) + fix.replacement() + text.substring(fix.span().end());
        };
    for (String text :
        List.of(
            "fn f() { if n = 0 { } }",
            "fn f() { let a == 4 }",
            "fn f() { if a && b { } }",
            "fn f() { x = a || b }",
            "fn f() { x = (3] }",
            "fn f(a: f32,) { }",
            "fn f() { a: f32 = 2 }",
            "fn f() { if !a { } }",
            "const a = 3 × 4",
            "let x = 3")) {
      assertThat(findings(fixed.apply(text))).as(fixed.apply(text)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "[", "{", "f(", "-", "not ", "~", "1 + ", "1 ** ", "if 1 then ", "if x { ", "x[", "x."})
  void deepNestingIsAFindingAndNoStackOverflow(String opening) {
    for (String prefix : List.of("const a = ", "fn f() { x = ", "fn f() { ")) {
      for (int depth : List.of(130, 450, 10_000)) {
        String text = prefix + opening.repeat(depth) + "1";
        assertThatCode(() -> read(text)).doesNotThrowAnyException();
      }
    }
    assertThat(read("const a = " + "(".repeat(10_000) + "1" + ")".repeat(10_000)).diagnostics())
        .singleElement()
        .extracting(Diagnostic::code)
        .isEqualTo(Code.TOO_DEEP);
    assertThat(read("const a = 1" + " + 1".repeat(10_000)).diagnostics())
        .singleElement()
        .extracting(Diagnostic::code)
        .isEqualTo(Code.TOO_DEEP);
  }

  @Test
  void charactersOutsideTheBasicPlaneDoNotShiftSpans() {
    assertThat(findings("// 𝒳\nconst 𝒳 = 3")).first().asString().startsWith("2:7 TK0005");
    assertThat(findings("test \"𝒳𝒳\" { x = }")).containsExactly("1:19 TK0001 expected an expression, found `}`");
  }
}
