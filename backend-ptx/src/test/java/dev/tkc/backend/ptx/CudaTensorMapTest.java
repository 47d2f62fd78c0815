package dev.tkc.backend.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.diag.Code;
import java.util.List;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;

/** What the driver is told about a tensor. */
class CudaTensorMapTest {
  private static CudaTensorMap.Dimensions dimensions(List<Long> sizes, List<Long> strides, List<Integer> box) {
    return new CudaTensorMap(256, 2, sizes, strides, box, 128).dimensions();
  }

  @Test
  void theFastestDimensionComesFirstAndHasNoStride() {
    assertThat(dimensions(List.of(3L, 200L, 72L), List.of(14400L, 72L, 1L), List.of(1, 128, 64)))
        .isEqualTo(new CudaTensorMap.Dimensions(List.of(72L, 200L, 3L), List.of(144L, 28800L), List.of(64, 128, 1)));
  }

  @Test
  void anEmptyTensorHasSizesAndStridesAllTheSame() {
    assertThat(dimensions(List.of(200L, 0L), List.of(0L, 1L), List.of(128, 64)))
        .isEqualTo(new CudaTensorMap.Dimensions(List.of(1L, 200L), List.of(16L), List.of(64, 128)));
  }

  @Test
  void theStrideOfASingleRowIsAnyMultipleOfSixteenBytes() {
    assertThat(dimensions(List.of(1L, 72L), List.of(73L, 1L), List.of(1, 64)).strides()).containsExactly(160L);
  }

  @Test
  void whatTheDriverRefusesIsTold() {
    var e = new CudaTensorMap(260, 2, List.of(3L, 5L), List.of(5L, 1L), List.of(1, 64), 128)
        .refused(CUresult.CUDA_ERROR_INVALID_VALUE);
    assertThat(e.diagnostics().get(0).code()).isEqualTo(Code.TENSOR_MAP);
    assertThat(e.diagnostics().get(0).message()).contains("sizes [3, 5]", "strides [5, 1]");
  }

  @Test
  void aVectorHasNoStrides() {
    assertThat(dimensions(List.of(4096L), List.of(1L), List.of(256)).strides()).isEmpty();
  }
}
