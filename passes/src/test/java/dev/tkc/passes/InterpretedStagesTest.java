package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * A program computes the same bits before the pipeline and after every pass of it, and the checker has nothing to say.
 */
class InterpretedStagesTest {
  private static final List<Computation> COMPUTATIONS = List.of(
      new Computation(Programs.AXPY,
          List.of(Computation.normal(Element.BF16, 1, 1040), Computation.normal(Element.F32, 2, 1040)),
          List.of(1040, 0.5)),
      new Computation(Programs.GEMM,
          List.of(Computation.normal(Element.BF16, 3, 144 * 48), Computation.normal(Element.BF16, 4, 48 * 160),
              Computation.normal(Element.BF16, 5, 144 * 160)), List.of(144, 48, 160)),
      new Computation(Programs.SOFTMAX,
          List.of(Computation.normal(Element.F32, 6, 3 * 4096), Computation.normal(Element.F32, 7, 3 * 4096)),
          List.of(3)));

  private static void sameAfterEveryPass(Optional<TargetInfo> target) {
    COMPUTATIONS.forEach(c -> assertThat(c.sameAfterEveryPass(target)).isNotEmpty());
  }

  @Test
  void withoutATarget() {
    sameAfterEveryPass(Optional.empty());
  }

  @Test
  void forATarget() {
    sameAfterEveryPass(Optional.of(TestTarget.TARGET));
    sameAfterEveryPass(Optional.of(TestTargets.WIDE));
  }
}
