package dev.tkc.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tkc.Tensor;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.type.Element;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BinderTest {
  private static final String GEMM =
      "kernel gemm<BM = 128, t: bool = false, K>(a: bf16[M, K], b: bf16[K, N], out c: f32[M, N])";

  @Test
  void namesAreBoundByShapes() {
    Binding b = bind(GEMM, Map.of("BM", 64), tensor(Element.BF16, 3, 5), tensor(Element.BF16, 5, 7),
        tensor(Element.F32, 3, 7));
    assertThat(b.constants()).isEqualTo(Map.of("BM", 64L, "t", false, "K", 5L));
    assertThat(b.sizes()).isEqualTo(Map.of("M", 3L, "N", 7L));
  }

  @Test
  void namesAreBoundAtOffsetsAndElsewhereChecked() {
    String head = "kernel f(o: i32[E + 1], w: u8[K / 2, E], s: f32[cdiv(K, 128)], k: f32[K])";
    Binding b = bind(head, Map.of(), tensor(Element.I32, 4), tensor(Element.U8, 150, 3), tensor(Element.F32, 3),
        tensor(Element.F32, 300));
    assertThat(b.sizes()).isEqualTo(Map.of("E", 3L, "K", 300L));
    Diagnostic d = refused(head, tensor(Element.I32, 4), tensor(Element.U8, 151, 3), tensor(Element.F32, 3),
        tensor(Element.F32, 300));
    assertThat(d.code()).isEqualTo(Code.LAUNCH_EQUATION);
    assertThat(d.message()).isEqualTo("dimension 0 of `w` is 151, but `K / 2` is 150");
    assertThat(d.notes()).containsExactly("with K = 300");
  }

  @Test
  void contradictionsNameBothPlaces() {
    Diagnostic d = refused(GEMM, tensor(Element.BF16, 3, 5), tensor(Element.BF16, 6, 7), tensor(Element.F32, 3, 7));
    assertThat(d.message()).isEqualTo("dimension 0 of `b` is 6, but `K` is 5");
    assertThat(d.labels()).extracting(l -> l.span().text() + ": " + l.text())
        .containsExactly("K: the argument has 6 here", "K: K is 5 here");
  }

  @Test
  void constantsWithValuesAreEquations() {
    assertThat(refused("kernel f<D = 64>(a: f32[D])", tensor(Element.F32, 65)).message())
        .isEqualTo("dimension 0 of `a` is 65, but `D` is 64");
  }

  @Test
  void everyOtherReasonHasItsCode() {
    Tensor x = tensor(Element.F32, 4);
    assertThat(refused("kernel f(a: f32[N])").code()).isEqualTo(Code.LAUNCH_COUNT);
    assertThat(refused("kernel f(a: f16[N])", x).code()).isEqualTo(Code.LAUNCH_ELEMENT);
    assertThat(refused("kernel f(a: f32[N, M])", x).code()).isEqualTo(Code.LAUNCH_RANK);
    assertThat(refused("kernel f(a: f32[N], out b: f32[N])", x, x).code()).isEqualTo(Code.LAUNCH_OVERLAP);
    assertThat(bind("kernel f(a: f32[N], b: f32[N])", Map.of(), x, x).sizes()).containsEntry("N", 4L);
    assertThat(refused("kernel f(a: f32[N]) where N % 3 == 0 and N > 2", x).message()).contains("`N % 3 == 0`");
    assertThat(refused("kernel f<D>(a: f32[N])", x).code()).isEqualTo(Code.LAUNCH_UNBOUND);
    assertThat(refused("kernel f(a: f32[2 * N])", x).code()).isEqualTo(Code.LAUNCH_UNBOUND);
    assertThat(refused("kernel f(a: f32)", x).code()).isEqualTo(Code.LAUNCH_SCALAR);
    assertThat(refused("kernel f(a: i8)", 200).code()).isEqualTo(Code.LAUNCH_SCALAR);
    assertThat(refused("kernel f(a: i32)", 1.5).code()).isEqualTo(Code.LAUNCH_SCALAR);
    assertThat(refused("kernel f(a: f32[N / 0])", x).code()).isEqualTo(Code.LAUNCH_UNBOUND);
    assertThat(failure("kernel f<B = 2>(a: f32[N])", Map.of("C", 1), x).code()).isEqualTo(Code.LAUNCH_CONSTANT);
    assertThat(failure("kernel f<B = 2>(a: f32[N])", Map.of("B", true), x).code()).isEqualTo(Code.LAUNCH_CONSTANT);
  }

  @Test
  void stridesAreThoseOfTheArgument() {
    assertThat(bind("kernel f(a: f32[N, M] strides [S, 1])", Map.of(), tensor(Element.F32, 3, 4)).strides())
        .isEqualTo(Map.of("S", 4L));
  }

  private static Tensor tensor(Element element, long... shape) {
    return Tensor.zeros(element, shape);
  }

  private static Binding bind(String head, Map<String, ?> constants, Object... arguments) {
    Item.Kernel kernel = (Item.Kernel) SyntaxReader.read(new Source("k.tk", head + " { }")).program().items().get(0);
    List<Argument> list = Arrays.stream(arguments).map(Argument::of).toList();
    return Binder.bind(kernel, _ -> Optional.empty(), list, constants, Map.of());
  }

  private static Diagnostic refused(String head, Object... arguments) {
    return failure(head, Map.of(), arguments);
  }

  private static Diagnostic failure(String head, Map<String, ?> constants, Object... arguments) {
    return catchThrowableOfType(DiagnosticException.class, () -> bind(head, constants, arguments)).diagnostics().get(0);
  }
}
