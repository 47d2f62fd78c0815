package dev.tkc.backend.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.TargetInfo;
import org.junit.jupiter.api.Test;

class PtxTargetsTest {
  @Test
  void everyMatrixInstructionHasAnIntrinsicAndTheShapeInItsText() {
    for (TargetInfo t : PtxTargets.ALL) {
      for (MatrixInstruction i : t.matrixInstructions()) {
        PtxIntrinsic row = PtxIntrinsic.valueOf(i.name().replaceAll("X3$", ""));
        assertThat(row).isNotNull();
        assertThat(i.fragments().lanes()).isEqualTo(32);
        int bytesOfK = i.k() * i.a().bits() / 8;
        assertThat(bytesOfK).as(i.name()).isEqualTo(32);
        assertThat(i.m() * i.n()).isEqualTo(i.a() == Element.F64 ? 64 : 128);
      }
    }
  }

  @Test
  void newerProcessorsAddFp8() {
    assertThat(PtxTargets.SM_80.instructionsFor(Element.E4M3, Element.E4M3, Element.F32, Precision.DEFAULT)).isEmpty();
    assertThat(PtxTargets.SM_90A.instructionsFor(Element.E4M3, Element.E5M2, Element.F32, Precision.DEFAULT))
        .hasSize(1);
  }

  @Test
  void occupancyFollowsTheScarcestResource() {
    assertThat(PtxTargets.SM_90A.residentBlocks(256, 128, 0)).isEqualTo(2);
    assertThat(PtxTargets.SM_90A.residentBlocks(128, 32, 100_000)).isEqualTo(2);
    assertThat(PtxTargets.SM_80.residentBlocks(32, 16, 0)).isEqualTo(32);
  }
}
