package dev.tkc.grammar.lower;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * How findings are told: both operands with their shapes, what to change, once each, and nothing that merely follows.
 */
class DiagnosticsTest {
  private static List<Diagnostic> check(String text) {
    return Checker.check(Snippets.library(text), List.of("sm_80", "sm_90a"));
  }

  private static Diagnostic only(String text) {
    List<Diagnostic> all = check(text);
    assertThat(all).as(all.toString()).hasSize(1);
    return all.get(0);
  }

  private static List<String> labels(Diagnostic d) {
    List<String> out = new ArrayList<>();
    d.labels().forEach(l -> out.add(l.span().text() + ": " + l.text()));
    return out;
  }

  private static List<String> helps(Diagnostic d) {
    return d.suggestions().stream().map(Diagnostic.Suggestion::text).toList();
  }

  private static String kernel(String body) {
    return "kernel k<B = 64, D>(x: bf16[M, D], w: bf16[D, D], bias: f32[D], out y: f32[M, D]) {\n  parallel i in M "
        + "by B {\n"
        + body + "\n  }\n}\n";
  }

  @Test
  void bothOperandsAreShownWithTheirShapes() {
    Diagnostic d = only(kernel("y[i, :] = x[i, :] @ w[0:32, :]"));
    assertThat(d.code()).isEqualTo(Code.MATMUL_SHAPE);
    assertThat(labels(d)).containsExactly("x[i, :]: this is bf16[64, 192]", "w[0:32, :]: this is bf16[32, 192]");
    assertThat(d.message()).contains("192").contains("32");
  }

  @Test
  void aMissingUnderscoreIsSuggestedInPlace() {
    Diagnostic d = only(kernel("y[i, :] = x[i, :] + bias[:]"));
    assertThat(d.code()).isEqualTo(Code.RANK_MISMATCH);
    assertThat(d.suggestions()).singleElement().satisfies(s -> assertThat(s.replacement()).isEqualTo("bias[_, :]"));
  }

  @Test
  void severalFindingsInOneRunAndNoneThatFollows() {
    List<Diagnostic> all = check(kernel("""
        let a = x[i, :] @ nothing
        let b = a + 1
        let c = b @ b
        y[i, :] = c
        let d = x[i, :] + bias[_, 0:7]
        var e = d
        e = e * 2
        y[i] = e
        """));
    assertThat(all).extracting(Diagnostic::code)
        .containsExactly(Code.UNKNOWN_NAME, Code.SHAPE_MISMATCH, Code.INDEX_COUNT);
  }

  @Test
  void kernelsThatNobodyCallsAndFunctionsThatNobodyCallsAreChecked() {
    assertThat(check("fn f(x: f32[M, N], y: f32[N, M]) { return x + y }")).extracting(Diagnostic::code)
        .containsExactly(Code.SHAPE_MISMATCH);
    assertThat(check("fn f(x: f32[M, N], y: T[N, M]) { return x + y.T }")).isEmpty();
  }

  @Test
  void branchesThatAConstantSwitchesOffAreChecked() {
    Diagnostic d = only("""
        kernel k<B = 64, fast: bool = false>(x: f32[N], out y: f32[N]) {
          parallel i in N by B {
            if fast { y[i] = x[i] + iota(3) } else { y[i] = x[i] }
          }
        }
        """);
    assertThat(d.code()).isEqualTo(Code.MIXED_TYPES);
  }

  @Test
  void anErrorInAFunctionNamesTheCallAndIsToldOnce() {
    List<Diagnostic> all = check("""
        fn f(x: T[...]) { return x.T }
        kernel k<B = 64>(x: f32[N], out y: f32[N]) {
          parallel i in N by B {
            y[i] = f(x[i])
            y[i] = f(x[i])
          }
        }
        """);
    assertThat(all).hasSize(1);
    assertThat(all.get(0).notes()).anyMatch(n -> n.contains("in `f`, called at test.tk:4:12"));
  }

  @Test
  void aRunTimeDimensionInAShapeIsToldToBecomeAConstant() {
    Diagnostic d = only("""
        kernel k<B = 64>(x: f32[M, N], out y: f32[M, N]) {
          parallel i in M by B { y[i, :] = x[i, 0:4] }
        }
        """);
    assertThat(d.code()).isEqualTo(Code.NOT_CONSTANT);
    assertThat(helps(d)).anyMatch(h -> h.contains("<…, N>"));
  }

  @Test
  void slipsAreGuessed() {
    assertThat(helps(only(kernel("y[i, :] = x[i, :] * LOG2")))).contains("did you mean `LOG2E`?");
    assertThat(helps(only(kernel("y[i, :] = softmax_stepp(x[i, :])")))).contains("did you mean `softmax_step`?");
    assertThat(helps(only(kernel("y[i, :] = x[i, :] as float32")))).contains("did you mean `f32`?");
    assertThat(helps(only(kernel("y[i, :] = x[i, :] * i.strat")))).contains("did you mean `start`?");
    assertThat(helps(only(kernel("y[i, :] = x[i, :]\nbais[:] = 1")))).contains("did you mean `bias`?");
  }

  @Test
  void ofAShortNameOnlyItsCaseOrOrderIsGuessed() {
    assertThat(helps(only(kernel("y[i, :] = x[i, :] * q")))).isEmpty();
    assertThat(helps(only(kernel("y[i, :] = x[i, :] * d")))).contains("did you mean `D`?");
    assertThat(helps(only(kernel("let ab = 3\ny[i, :] = x[i, :] * ba")))).contains("did you mean `ab`?");
    assertThat(helps(only(kernel("let ab = 3\ny[i, :] = x[i, :] * ac")))).isEmpty();
    assertThat(helps(only(kernel("y[i, :] = x[i, :]\nz[i] = 1"))))
        .containsExactly("a tensor is a parameter, `out z: …`, or a `temp`");
  }

  @Test
  void mixedAndNarrowedTypesOfferAnAs() {
    Diagnostic mixed = only(kernel("y[i, :] = x[i, :] + rows(i)"));
    assertThat(mixed.code()).isEqualTo(Code.MIXED_TYPES);
    assertThat(mixed.suggestions()).singleElement()
        .satisfies(s -> assertThat(s.replacement()).isEqualTo("(rows(i) as bf16)"));
    Diagnostic narrow = only("""
        kernel k<B = 64>(x: bf16[N], out y: bf16[N]) {
          parallel i in N by B { y[i] = x[i] * 2 }
        }
        """);
    assertThat(narrow.code()).isEqualTo(Code.NARROWING);
    assertThat(narrow.suggestions()).singleElement()
        .satisfies(s -> assertThat(s.replacement()).isEqualTo("(x[i] * 2) as bf16"));
  }

  @Test
  void updatesOfTensorsSayWhatTheyNeed() {
    assertThat(only(kernel("y[i, :] += x[i, :]")).code()).isEqualTo(Code.NOT_ASSIGNABLE);
    assertThat(only(kernel("x[i, :] = x[i, :]")).code()).isEqualTo(Code.NOT_ASSIGNABLE);
    assertThat(only("""
        kernel k<B = 64>(inout y: f32[N]) {
          parallel i in N by B { y[i] *= 2 }
        }
        """).code()).isEqualTo(Code.NOT_ASSIGNABLE);
  }

  @Test
  void importsAreFollowedOnceAndCirclesAreFound() {
    ImportResolver files = (path, _) -> switch (path) {
      case "a.tk" -> java.util.Optional
          .of(new dev.tkc.ir.diag.Source("a.tk", "import \"b.tk\"\nfn half(x: f32[M]) { return x * 0.5 }"));
      case "b.tk" -> java.util.Optional.of(new dev.tkc.ir.diag.Source("b.tk", "const TWO = 2"));
      case "c.tk" -> java.util.Optional.of(new dev.tkc.ir.diag.Source("c.tk", "import \"c.tk\""));
      default -> java.util.Optional.empty();
    };
    assertThat(Library.link(Snippets.library("const ONE = 1").program(), files).diagnostics()).isEmpty();
    Library good = Library.link(Snippets.library("""
        import "a.tk"
        import "b.tk"
        fn f(x: f32[M]) { return half(x) * TWO }
        """).program(), files);
    assertThat(Checker.check(good)).isEmpty();
    Library circle = Library.link(Snippets.library("import \"c.tk\"").program(), files);
    assertThat(Checker.check(circle)).extracting(Diagnostic::code).containsExactly(Code.IMPORT);
  }

  @Test
  void schedulesAreChosenByTheirFacts() {
    Library library = Snippets.library("""
        kernel k<B = 64>(x: f32[N], out y: f32[N]) { parallel i in N by B { y[i] = x[i] } }
        schedule k for sm_90a where N <= 100 { B = 16; warps = 2 }
        schedule k for sm_90a { B = {32, 64}; order = grouped(8); persistent = true }
        """);
    var kernel = library.kernels().get(0);
    var small = Schedules.choose(library, kernel, "sm_90a", java.util.Map.of("N", 10L));
    assertThat(small.constants()).containsEntry("B", 16L);
    assertThat(small.function()).containsEntry("warps", 2L);
    var large = Schedules.choose(library, kernel, "sm_90a", java.util.Map.of("N", 1000L));
    assertThat(large.constants()).containsEntry("B", 32L);
    assertThat(large.function()).containsEntry("grouped", 8L).containsEntry("persistent", true);
    assertThat(Schedules.choose(library, kernel, "sm_80", java.util.Map.of())).isEqualTo(Specialisation.Schedule.NONE);
  }
}
