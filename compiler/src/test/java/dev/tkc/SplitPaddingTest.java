package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.type.Element;
import org.junit.jupiter.api.Test;

/** A sum that a schedule shares out is kept in whole tiles, padding included, which checking follows through them. */
class SplitPaddingTest {
  private static final String PROGRAM = """
      kernel product<BM = 16, BN = 16, BK = 16>(a: bf16[M, K], b: bf16[K, N], out c: f32[M, N]) {
        parallel i in M by BM, j in N by BN {
          var acc = zeros(f32[BM, BN])
          for k in K by BK { acc += a[i, k] @ b[k, j] }
          c[i, j] = acc
        }
      }
      schedule product for sm_90a { BM = 64; BN = 64; BK = 64; split_k = 2 }
      """;

  @Test
  void paddingOfSharesIsDroppedWithTheResult() {
    Device hopper = Device.passes(Target.find("sm_90a").orElseThrow());
    try (Tkc tkc = Tkc.create(hopper, Tkc.Options.defaults().withCheck(true))) {
      Tensor a = Random.normal(1, Element.BF16, 13, 512);
      Tensor b = Random.normal(2, Element.BF16, 512, 21);
      Tensor c = Tensor.empty(Element.F32, 13, 21);
      tkc.load(PROGRAM).kernel("product").launch(a, b, c);
      double sum = 0;
      for (int k = 0; k < 512; k++) {
        sum += a.number(12 * 512 + k) * b.number(k * 21 + 20);
      }
      assertThat(c.number(12 * 21 + 20)).isCloseTo(sum, org.assertj.core.data.Offset.offset(1e-3));
    }
  }
}
