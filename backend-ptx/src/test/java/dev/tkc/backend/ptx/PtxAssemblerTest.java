package dev.tkc.backend.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.api.Test;

/** Both assemblers give code and figures, and say what is wrong with bad text. */
class PtxAssemblerTest {
  private static final String PTX = """
      .version 8.0
      .target sm_80
      .address_size 64
      .visible .entry k(.param .u64 p)
      {
        .reg .b32 %r<3>;
        .reg .b64 %d<2>;
        .shared .align 16 .b8 buf[1024];
        ld.param.u64 %d1, [p];
        ld.global.u32 %r1, [%d1];
        st.shared.u32 [buf], %r1;
        bar.sync 0;
        ld.shared.u32 %r2, [buf+4];
        st.global.u32 [%d1], %r2;
        ret;
      }
      """;

  static List<PtxAssembler> assemblers() {
    return Stream.concat(Stream.of(new PtxAssembler.Library()), PtxAssembler.Program.onPath().stream()).toList();
  }

  @Test
  void textOfAVersionToComeHasNoAssembler() {
    DiagnosticException e = catchThrowableOfType(DiagnosticException.class, () -> PtxAssembler.forPtx(990));
    assertThat(e.diagnostics().get(0).code()).isEqualTo(Code.NO_ASSEMBLER);
    assertThat(e).hasMessageContaining("PTX 99.0");
  }

  @ParameterizedTest
  @MethodSource("assemblers")
  void reportsResources(PtxAssembler assembler) {
    PtxAssembler.Cubin cubin = assembler.assemble(PTX, PtxAssembler.Options.of("sm_80"));
    assertThat(cubin.image()).startsWith(0x7F, 'E', 'L', 'F');
    PtxResources k = cubin.kernel("k");
    assertThat(k.registers()).isBetween(1, 32);
    assertThat(k.sharedBytes()).isEqualTo(1024);
    assertThat(k.barriers()).isBetween(0, 1);
    assertThat(k.hasSpills()).isFalse();
  }

  @ParameterizedTest
  @MethodSource("assemblers")
  void quotesWhatItRefuses(PtxAssembler assembler) {
    assertThatThrownBy(() -> assembler.assemble(PTX.replace("ld.param.u64 %d1", "ld.param.u64 %d7"),
        PtxAssembler.Options.of("sm_80")))
        .isInstanceOf(IllegalStateException.class).hasMessageContaining("d7");
  }

  @Test
  void readsSpillsAndWarnings() {
    String log = """
        ptxas info    : 0 bytes gmem
        ptxas info    : Compiling entry function 'a' for 'sm_90a'
        ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized
        ptxas info    : Function properties for a
            16 bytes stack frame, 20 bytes spill stores, 24 bytes spill loads
        ptxas info    : Used 255 registers, used 3 barriers, 16 bytes cumulative stack size, 49152 bytes smem, 400 bytes cmem[0]
        """;
    assertThat(PtxResources.parse(log))
        .containsExactly(new PtxResources("a", 255, 16, 20, 24, 49152, 400, 3));
    assertThat(PtxResources.warnings(log)).hasSize(1).first().asString().contains("C7510");
  }

  @Test
  void tooNewAVersionIsTheUsersToMend() {
    assertThatThrownBy(() -> PtxAssembler.forPtx(990)).isInstanceOf(DiagnosticException.class)
        .hasMessageContaining("TK0744");
  }
}
