package dev.tkc.ir.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.Cloner;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.rules.Verifier;
import org.junit.jupiter.api.Test;

class RoundTripTest {
  private static final String AXPY = """
      kernel @axpy(%x: ptr<bf16> div 16, %y: ptr<f32> div 16, %N: i64 div 16, %a: f32) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %tx = make_tensor %x, [%N], [%c1] {access = in, name = "x"} : tensor<bf16, 1>
        %ty = make_tensor %y, [%N], [%c1] {access = inout, name = "y"} : tensor<f32, 1>
        parallel %c0, %N {step = 1024} (%i: i64) {
          %left = sub %N, %i : i64
          %r = range %i, %c1, %left {size = 1024} : range<1024>
          %0 = load %tx, [%r], _ : bf16[1024]
          %1 = cast %0 {to = f32, kind = saturate} : f32[1024]
          %2 = load %ty, [%r], _ #{vector = 4} : f32[1024]
          %3 = splat %a {shape = [1024]} : f32[1024]
          %4 = mul %1, %3 {exact} : f32[1024]
          %5 = add %4, %2 : f32[1024]
          %s = for %c0, %N, [%5] {step = 4} (%k: i64, %acc: f32[1024]) {
            %6 = exp2 %acc : f32[1024]
            yield [%6]
          } : f32[1024]
          store %ty, [%r], %s
          yield []
        }
        yield []
      }
      """;

  @Test
  void printsWhatItParsed() {
    Module m = IrParser.parse(AXPY);
    assertThat(IrPrinter.print(m)).isEqualTo(AXPY);
    assertThat(IrPrinter.print(Cloner.clone(m))).isEqualTo(AXPY);
    assertThat(Verifier.verify(m)).isEmpty();
  }

  @Test
  void everyOpHasAShape() {
    assertThat(OpShape.entries()).hasSizeGreaterThan(50);
  }

  @Test
  void saysWhereTheTextIsWrong() {
    assertThatThrownBy(() -> IrParser.parse("kernel @f() {\n  %0 = frobnicate : f32\n}"))
        .isInstanceOf(DiagnosticException.class).hasMessageContaining("2:8").hasMessageContaining("frobnicate");
    assertThatThrownBy(() -> IrParser.parse("kernel @f() {\n  store")).isInstanceOf(DiagnosticException.class);
  }

  @Test
  void verifierFindsAWrongType() {
    Module m = IrParser.parse(AXPY.replace("add %4, %2", "add %4, %0"));
    assertThat(Verifier.verify(m)).extracting(d -> d.message()).anyMatch(s -> s.contains("operands of one type"));
  }
}
