package dev.tkc.tests.staged;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.backend.ptx.PtxResources;
import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.ir.Module;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.type.Element;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * Programs with roles, written by hand: the PTX is what it should be, and the assembler has nothing to say against it.
 */
class StagedProgramsTest {
  private static PtxBackend.Compiled compile(String name, String tir) throws IOException {
    String folder = System.getProperty("tkc.dump");
    if (folder != null) {
      Files.writeString(Path.of(folder, name + ".tir"), tir);
    }
    Module module = IrParser.parse(tir);
    assertThat(Verifier.verify(module)).isEmpty();
    PtxBackend.Compiled compiled = PtxBackend.compile(module, PtxTargets.SM_90A, PtxBackend.Options.DEFAULT);
    if (folder != null) {
      Files.writeString(Path.of(folder, name + ".ll"), compiled.llvm());
      Files.writeString(Path.of(folder, name + ".ptx"), compiled.ptx());
    }
    return compiled;
  }

  private static void assertClean(PtxBackend.Compiled compiled, int registers) {
    PtxBackend.Assembled assembled = PtxBackend.assemble(compiled);
    PtxResources resources = assembled.kernels().getFirst().resources();
    assertThat(assembled.warnings()).isEmpty();
    assertThat(resources.hasSpills()).isFalse();
    assertThat(resources.stackBytes()).isZero();
    assertThat(resources.registers()).isEqualTo(registers);
  }

  private static PtxBackend.Compiled gemm(String name, Element element, Element sum, String instruction, boolean kMajor)
      throws IOException {
    PtxBackend.Compiled c = compile(name, new StagedGemm(element, sum, instruction, kMajor, 4, 132).tir());
    assertClean(c, 168);
    return c;
  }

  @Test
  void gemmOfRowMajorOperands() throws IOException {
    String ptx = gemm("gemm-kn", Element.BF16, Element.F32, "WGMMA_BF16", false).ptx();
    assertThat(ptx).containsSubsequence(
        ".param .align 64 .b8 gemm_0_param_3[128]", ".maxntid 384, 1, 1", ".minnctapersm 1",
        "shfl.sync.idx.b32", "prefetch.tensormap", "mbarrier.init.shared.b64", "fence.mbarrier_init.release.cluster",
        "fence.proxy.async", "bar.sync", "setmaxnreg.dec.sync.aligned.u32 40;",
        "mbarrier.try_wait.parity.shared::cta.b64", "mbarrier.arrive.expect_tx.shared::cta.b64 _",
        // One box of A, four panels of B.
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes",
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes",
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes",
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes",
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes",
        "setmaxnreg.inc.sync.aligned.u32 232;", "mbarrier.try_wait.parity.shared::cta.b64", "wgmma.fence.sync.aligned",
        "setp.ne.b32 p0, 0, 0;", "mov.pred p2",
        // Upper halves: 1024 bytes between units of eight rows, 128-byte swizzle. B's lower one goes 2048 bytes further
        // with k.
        "mov.b64 a, {", ", 1073741888}", "mov.b64 b, {", ", 1073741888}", "add.s64 a1, a, 2;", "add.s64 b1, b, 128;",
        "add.s64 a2, a, 4;", "add.s64 b2, b, 256;",
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16", "a0, b0, p2, 1, 1, 0, 1;",
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16", "a1, b1, p1, 1, 1, 0, 1;",
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16", "a3, b3, p1, 1, 1, 0, 1;",
        "wgmma.commit_group.sync.aligned", "wgmma.wait_group.sync.aligned 1;", "mbarrier.arrive.shared::cta.b64 _",
        "wgmma.wait_group.sync.aligned 0;", "cp.async.bulk.wait_group.read", "stmatrix.sync.aligned.m8n8.x4.shared.b16",
        "fence.proxy.async.shared::cta", "cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group",
        "cp.async.bulk.commit_group");
    assertThat(ptx.split("wgmma\\.mma_async", -1)).hasSize(5);
  }

  @Test
  void gemmWithKContiguousInBoth() throws IOException {
    assertThat(gemm("gemm-nk", Element.BF16, Element.F32, "WGMMA_BF16", true).ptx())
        .contains("a0, b0, p2, 1, 1, 0, 0;").contains("a3, b3, p1, 1, 1, 0, 0;");
  }

  @Test
  void gemmOfEightBitFloats() throws IOException {
    assertThat(gemm("gemm-fp8", Element.E4M3, Element.F32, "WGMMA_E4M3", true).ptx())
        .contains("wgmma.mma_async.sync.aligned.m64n256k32.f32.e4m3.e4m3").contains("a3, b3, p1, 1, 1;");
  }

  @Test
  void gemmOfEightBitIntegers() throws IOException {
    assertThat(gemm("gemm-s8", Element.I8, Element.I32, "WGMMA_S8", true).ptx())
        .contains("wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8").contains("a3, b3, p1;");
  }

  @Test
  void rolesMayNotWantMoreRegistersThanThereAre() {
    String tir = new StagedGemm(Element.BF16, Element.F32, "WGMMA_BF16", true, 4, 132).tir()
        .replace("registers = 40", "registers = 48");
    assertThatThrownBy(() -> compile("greedy", tir)).isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("168 for each");
  }

  @Test
  void attention() throws IOException {
    PtxBackend.Compiled c = compile("attention", StagedAttention.tir());
    assertThat(c.ptx()).containsSubsequence(
        "setmaxnreg.dec.sync.aligned.u32 24;", "cp.async.bulk.tensor.3d.shared::cluster.global",
        "setmaxnreg.inc.sync.aligned.u32 240;",
        // The first Q·Kᵀ, then the loop: Q·Kᵀ has no accumulators to start from, P·V reads P from registers.
        "a7, b7, p1, 1, 1, 0, 0;", "wgmma.wait_group.sync.aligned 0;",
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16", "a0, b0, p0, 1, 1, 0, 0;",
        "wgmma.commit_group.sync.aligned", "wgmma.fence.sync.aligned",
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16", "b7, p1, 1, 1, 1;", "wgmma.wait_group.sync.aligned 1;",
        "ex2.approx.ftz.f32", "wgmma.wait_group.sync.aligned 0;");
    // The second half of d lies in the next panel: 16 KB further, for Q and K alike.
    assertThat(c.ptx()).contains(", 1024;").contains(", 1026;");
    assertClean(c, 168);
  }
}
