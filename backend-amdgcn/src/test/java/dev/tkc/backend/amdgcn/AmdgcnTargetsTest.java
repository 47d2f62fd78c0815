package dev.tkc.backend.amdgcn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.TargetInfo;
import org.junit.jupiter.api.Test;

class AmdgcnTargetsTest {
  @Test
  void everyMatrixInstructionHasTheShapeOfItsName() {
    for (TargetInfo t : AmdgcnTargets.ALL) {
      assertThat(t.lanes()).isEqualTo(64);
      for (MatrixInstruction i : t.matrixInstructions()) {
        assertThat(AmdgcnIntrinsic.valueOf(i.name()).name())
            .startsWith("MFMA_" + i.m() + "X" + i.n() + "X" + i.k() + "_");
        assertThat(i.fragments().lanes()).isEqualTo(64);
      }
    }
  }

  @Test
  void fp8IsOfferedOnlyWhereItIsTheLanguagesFormat() {
    assertThat(AmdgcnTargets.GFX942.matrixInstructions()).noneMatch(i -> i.a() == Element.E4M3);
    assertThat(AmdgcnTargets.GFX950.matrixInstructions()).anyMatch(i -> i.a() == Element.E4M3);
  }
}
