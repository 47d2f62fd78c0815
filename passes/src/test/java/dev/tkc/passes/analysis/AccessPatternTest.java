package dev.tkc.passes.analysis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import java.util.List;
import org.junit.jupiter.api.Test;

class AccessPatternTest {
  /** The pattern of the load in a function over a tensor f32[N, M] whose row length is a multiple of 8. */
  private static AccessPattern of(String indices, String body) {
    var module = IrParser.parse("""
        device @f(%N: i64, %M: i64 div 8, %x: ptr<f32> div 16, %i: i64 div 4, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c2 = constant {value = 2 : i64} : i64
          %c32 = constant {value = 32 : i64} : i64
          %t = make_tensor %x, [%N, %M], [%M, %c1] {access = in, name = "x"} : tensor<f32, 2>
        """ + body + "  %v = load %t, [" + indices + "], _ : f32[32]\n  yield []\n}\n");
    assertThat(Verifier.verify(module)).isEmpty();
    Func func = module.funcs().get(0);
    Inst load = func.body().insts().stream().filter(i -> i.op() instanceof MemoryOp.Load).findFirst().orElseThrow();
    return new AccessPattern.Finder(func).of(load).orElseThrow();
  }

  @Test
  void alignmentOfPointerRowAndStartBoundTheVector() {
    AccessPattern p = of("%n, %r", "  %left = sub %M, %i : i64\n  %r = range %i, %c1, %left {size = 32} : range<32>\n");
    assertThat(p).isEqualTo(new AccessPattern(0, 4, List.of(true, false)));
    AccessPattern odd = of("%n, %r",
        "  %left = sub %M, %n : i64\n  %r = range %n, %c1, %left {size = 32} : range<32>\n");
    assertThat(odd.vector()).isEqualTo(1);
  }

  @Test
  void aRangeWithAStrideIsNotContiguous() {
    AccessPattern p = of("%n, %r", "  %r = range %i, %c2, %c32 {size = 32} : range<32>\n");
    assertThat(p.contiguous()).isEqualTo(-1);
    assertThat(of("%r, %n", "  %r = range %i, %c1, %c32 {size = 32} : range<32>\n").contiguous()).isEqualTo(-1);
  }

  @Test
  void aPartialCountThatSplitsVectorsNarrowsThem() {
    AccessPattern p = of("%n, %r", "  %r = range %i, %c1, %n {size = 32} : range<32>\n");
    assertThat(p.vector()).isEqualTo(1);
    assertThat(of("%n, %r", "  %r = range %i, %c1, %c32 {size = 32} : range<32>\n").vector()).isEqualTo(4);
  }
}
