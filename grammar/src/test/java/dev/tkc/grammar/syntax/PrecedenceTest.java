package dev.tkc.grammar.syntax;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.grammar.syntax.Expr.BinaryOp;
import dev.tkc.ir.diag.Source;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How operators nest: the language's table of precedences, each neighbouring pair in both orders. */
class PrecedenceTest {
  /**
   * Binary operators, one level a row, tight to loose; comparisons are tested by hand, as the checker refuses chains.
   */
  private static final List<List<String>> LEVELS =
      List.of(
          List.of("**"),
          List.of("*", "/", "%", "@"),
          List.of("+", "-"),
          List.of("<<", ">>"),
          List.of("&"),
          List.of("^"),
          List.of("|"),
          List.of("==", "!=", "<", "<=", ">", ">="),
          List.of("and"),
          List.of("or"));

  static Expr parse(String text) {
    Parsed parsed = SyntaxReader.read(new Source("precedence", "const it = " + text));
    assertThat(parsed.diagnostics()).as(text).isEmpty();
    return ((Item.Const) parsed.program().items().get(0)).value();
  }

  @Test
  void tighterOperatorsNestInside() {
    for (int tight = 0; tight < LEVELS.size(); tight++) {
      for (int loose = tight + 1; loose < LEVELS.size(); loose++) {
        for (String t : LEVELS.get(tight)) {
          for (String l : LEVELS.get(loose)) {
            assertThat(Dump.nesting(parse("a " + t + " b " + l + " c"))).isEqualTo("{{a " + t + " b} " + l + " c}");
            assertThat(Dump.nesting(parse("a " + l + " b " + t + " c"))).isEqualTo("{a " + l + " {b " + t + " c}}");
          }
        }
      }
    }
  }

  @Test
  void operatorsOfOneLevelNestToTheLeftButPowersToTheRight() {
    for (List<String> level : LEVELS) {
      for (String first : level) {
        for (String second : level) {
          String expected =
              first.equals("**") ? "{a ** {b ** c}}" : "{{a " + first + " b} " + second + " c}";
          assertThat(Dump.nesting(parse("a " + first + " b " + second + " c"))).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void everyBinaryOperatorIsInTheTable() {
    assertThat(LEVELS.stream().flatMap(List::stream))
        .containsExactlyInAnyOrderElementsOf(List.of(BinaryOp.values()).stream().map(BinaryOp::text).toList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\0',
      value = {
        "-a ** b; {- {a ** b}}",
        "a ** -b; {a ** {- b}}",
        "a ** -b ** c; {a ** {- {b ** c}}}",
        "-a as f32; {{- a} as f32}",
        "~a & b; {{~ a} & b}",
        "a * b as f32; {a * {b as f32}}",
        "a as f32 * b; {{a as f32} * b}",
        "a as e4m3 wrap + b; {{a as e4m3 wrap} + b}",
        "a as f32 as bf16; {{a as f32} as bf16}",
        "a pad -inf; {a pad {- inf}}",
        "a[i] pad 0 ** b; {{{a[i]} pad 0} ** b}",
        "-a.T; {- {a.T}}",
        "a[i].T; {{a[i]}.T}",
        "a @ b.T * c; {{a @ {b.T}} * c}",
        "not a == b; {not {a == b}}",
        "not a and b; {{not a} and b}",
        "not not a; {not {not a}}",
        "a == b and not c or d; {{{a == b} and {not c}} or d}",
        "if a then b else c + d; {if a then b else {c + d}}",
        "if a or b then c else if d then e else f; {if {a or b} then c else {if d then e else f}}",
        "(a < b) == c; {({a < b}) == c}",
        "a < b == c; {{a < b} == c}",
        "(a + b) * c; {({a + b}) * c}",
        "f(a, axis = -1)[_, :, 1:2, a + 1]; {f(a, axis = {- 1})[_, :, 1:2, {a + 1}]}",
        "f(x, fn = g); f(x, fn = g)",
        "min(a, max = b); min(a, max = b)",
        "[(1, 2), (3, 4)]; [(1, 2), (3, 4)]",
        "[]; []",
        "18446744073709551615; 18446744073709551615",
        "0xFF_ff; 65535",
        "1_000; 1000",
        "1e3; 1000.0",
        "2.5E-1; 0.25",
      })
  void nests(String text, String expected) {
    assertThat(Dump.nesting(parse(text))).isEqualTo(expected);
  }
}
