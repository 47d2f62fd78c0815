package dev.tkc.backend.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Without a driver: a value and a coded diagnostic. With one (tag gpu): memory, launch, timing. */
class CudaRuntimeTest {
  @Test
  void whatTheDriverRefusesHasACodeOfItsOwn() {
    assertThatCode(() -> CudaRuntime.check(CUresult.CUDA_SUCCESS, "cuInit")).doesNotThrowAnyException();
    assertThat(refused(CUresult.CUDA_ERROR_OUT_OF_MEMORY)).isEqualTo(Code.DEVICE_MEMORY);
    assertThat(refused(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS)).isEqualTo(Code.DEVICE_FAULT);
    assertThat(refused(CUresult.CUDA_ERROR_INVALID_VALUE)).isEqualTo(Code.DRIVER);
  }

  private static Code refused(int result) {
    DiagnosticException e =
        catchThrowableOfType(DiagnosticException.class, () -> CudaRuntime.check(result, "cuMemAlloc"));
    return e.diagnostics().get(0).code();
  }

  private static final String PTX = """
      .version 8.0
      .target sm_80
      .address_size 64
      .visible .entry scale(.param .u64 p, .param .u32 n, .param .f32 a)
      {
        .reg .pred %c;
        .reg .b32 %r<6>;
        .reg .f32 %f<3>;
        .reg .b64 %d<4>;
        mov.u32 %r1, %ctaid.x;
        mov.u32 %r2, %ntid.x;
        mov.u32 %r3, %tid.x;
        mad.lo.s32 %r4, %r1, %r2, %r3;
        ld.param.u32 %r5, [n];
        setp.ge.s32 %c, %r4, %r5;
        @%c ret;
        ld.param.u64 %d1, [p];
        mul.wide.s32 %d2, %r4, 4;
        add.s64 %d3, %d1, %d2;
        ld.global.f32 %f1, [%d3];
        ld.param.f32 %f2, [a];
        mul.f32 %f1, %f1, %f2;
        st.global.f32 [%d3], %f1;
        ret;
      }
      """;

  @Test
  void absenceIsAValue() {
    switch (CudaRuntime.probe()) {
      case CudaRuntime.Absent(String reason) -> {
        assertThat(reason).isNotBlank();
        assertThatThrownBy(() -> CudaRuntime.device(0)).isInstanceOf(DiagnosticException.class)
            .hasMessageContaining("TK0740");
      }
      case CudaRuntime.Present present -> assertThatThrownBy(() -> CudaRuntime.device(present.devices().size()))
          .isInstanceOf(DiagnosticException.class).hasMessageContaining("TK0740");
    }
  }

  @Test
  @Tag("gpu")
  void launchesAndTimes() {
    CudaDevice device = CudaRuntime.device(0);
    int n = 100_003;
    try (Arena arena = Arena.ofConfined(); CudaStream stream = device.newStream(); CudaEvent start = device.newEvent();
        CudaEvent end = device.newEvent(); CudaBuffer buffer = device.allocate(4L * n);
        CudaModule module = device.load(PTX.getBytes(StandardCharsets.US_ASCII))) {
      MemorySegment host = device.allocatePinned(4L * n, arena);
      for (int i = 0; i < n; i++) {
        host.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
      }
      buffer.upload(host, stream);
      CudaKernel kernel = module.kernel("scale");
      assertThat(kernel.registers()).isPositive();
      assertThat(kernel.localBytes()).isZero();
      assertThat(kernel.blocksPerMultiprocessor(256, 0)).isPositive();
      start.record(stream);
      kernel.launch(new CudaKernel.Launch((n + 255) / 256, 1, 1, 256, 0), List.of(CudaKernel.Argument.pointer(buffer),
          new CudaKernel.Argument.I32(n), new CudaKernel.Argument.F32(0.5f)), stream);
      end.record(stream);
      buffer.download(host, stream);
      stream.synchronize();
      assertThat(end.millisecondsSince(start)).isBetween(0.0, 1000.0);
      for (int i = 0; i < n; i++) {
        assertThat(host.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(0.5f * i);
      }
    }
  }
}
