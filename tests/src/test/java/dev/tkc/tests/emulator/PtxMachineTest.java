package dev.tkc.tests.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The emulator on PTX written by hand, and what it catches. */
final class PtxMachineTest {
  /** A kernel of one parameter, the address of the output in %rd1, with the thread's number in %r1. */
  private static String kernel(String body) {
    return """
        .version 8.0
        .target sm_80
        .address_size 64
        .extern .shared .align 16 .b8 buf[];
        .visible .entry k(
          .param .u64 k_param_0
        )
        {
          .reg .pred %p<9>;
          .reg .b16 %rs<9>;
          .reg .b32 %r<20>;
          .reg .f32 %f<20>;
          .reg .b64 %rd<9>;
          ld.param.u64 %rd1, [k_param_0];
          mov.u32 %r1, %tid.x;
          mul.wide.u32 %rd2, %r1, 4;
          add.s64 %rd3, %rd1, %rd2;
          shl.b32 %r2, %r1, 2;
          mov.u32 %r3, buf;
          add.s32 %r4, %r3, %r2;
        """ + body + """
          ret;
        }
        """;
  }

  private static List<Integer> run(String body, int threads) {
    return run(kernel(body), 1, threads);
  }

  private static List<Integer> run(String ptx, int blocks, int threads) {
    PtxMachine machine = new PtxMachine(ptx, false);
    byte[] out = new byte[4 * threads];
    machine.launch("k", blocks, threads, 1024, List.of(machine.memory().map(out)));
    List<Integer> words = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      words.add((int) SharedMemory.get(out, 4 * i, 4));
    }
    return words;
  }

  @Test
  void lanesThatDivergeMeetAgain() {
    List<Integer> out = run("""
        and.b32 %r5, %r1, 1;
        setp.eq.s32 %p1, %r5, 0;
        @%p1 bra $EVEN;
        mov.u32 %r6, 100;
        bra.uni $DONE;
        $EVEN:
        mov.u32 %r6, 200;
        $DONE:
        shfl.sync.bfly.b32 %r7, %r6, 1, 31, -1;
        st.global.u32 [%rd3], %r7;
        """, 32);
    assertThat(out.subList(0, 4)).containsExactly(100, 200, 100, 200);
  }

  @Test
  void barriersOrderWarps() {
    String text = """
        st.shared.u32 [%r4], %r1;
        bar.sync 0;
        xor.b32 %r5, %r2, 128;
        add.s32 %r6, %r3, %r5;
        ld.shared.u32 %r7, [%r6];
        st.global.u32 [%rd3], %r7;
        """;
    assertThat(run(text, 64).subList(0, 3)).containsExactly(32, 33, 34);
    assertThatThrownBy(() -> run(text.replace("bar.sync 0;", ""), 64))
        .isInstanceOf(PtxFault.class).hasMessageContaining("since the last barrier");
  }

  @Test
  void blocksOfAClusterWriteToEachOther() {
    String meets = "barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;\n";
    String text = kernel("""
        mov.u32 %r8, %ctaid.x;
        mov.u64 %rd4, buf;
        cvta.shared.u64 %rd5, %rd4;
        add.s64 %rd5, %rd5, %rd2;
        mapa.u64 %rd6, %rd5, 1;
        setp.eq.s32 %p1, %r8, 1;
        @%p1 bra $READ;
        add.s32 %r5, %r1, 7;
        st.u32 [%rd6], %r5;
        barrier.cluster.arrive.release;
        ret;
        $READ:
        """ + meets + """
        ld.shared.u32 %r7, [%r4];
        st.global.u32 [%rd3], %r7;
        """).replace("\n{\n  .reg .pred", "\n.explicitcluster\n.reqnctapercluster 2, 1, 1\n{\n  .reg .pred");
    assertThat(run(text, 2, 32)).startsWith(7, 8, 9);
    assertThatThrownBy(() -> run(text.replace(meets, ""), 2, 32)).hasMessageContaining("since the last barrier");
    assertThatThrownBy(() -> run(text.replace(".arrive.release;\nbarrier.cluster", ""), 2, 32))
        .hasMessageContaining("without having arrived");
    assertThatThrownBy(() -> run(text.replace("%rd5, 1;", "%rd5, 2;"), 2, 32)).hasMessageContaining("in block 2 of 2");
    assertThatThrownBy(() -> run(text, 3, 32)).hasMessageContaining("clusters of 2");
  }

  @Test
  void copiesLandAtTheWait() {
    String text = """
        cp.async.ca.shared.global [%r4], [%rd3], 4;
        cp.async.commit_group;
        cp.async.wait_group 0;
        ld.shared.u32 %r7, [%r4];
        add.s32 %r7, %r7, 7;
        st.global.u32 [%rd3], %r7;
        """;
    assertThat(run(text, 32)).containsOnly(7);
    assertThatThrownBy(() -> run(text.replace("wait_group 0", "wait_group 1"), 32))
        .isInstanceOf(PtxFault.class).hasMessageContaining("copy is under way");
  }

  @Test
  void matricesAreLoadedByRows() {
    List<Integer> out = run("""
        mul.lo.s32 %r5, %r1, 65537;
        st.shared.u32 [%r4], %r5;
        bar.sync 0;
        and.b32 %r6, %r1, 7;
        shl.b32 %r6, %r6, 4;
        add.s32 %r6, %r6, %r3;
        ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r7}, [%r6];
        st.global.u32 [%rd3], %r7;
        """, 32);
    // Row i of the matrix is 4i 4i 4i+1 4i+1 …; lane l has rows 2(l mod 4) and the next of column l / 4.
    assertThat(out.subList(0, 2)).containsExactly(4 << 16, 12 << 16 | 8);
    assertThat(out.get(9)).isEqualTo(13 << 16 | 9);
  }

  @Test
  void addressesAreChecked() {
    assertThatThrownBy(() -> run("st.global.v2.u32 [%rd3], {%r1, %r1};", 32))
        .hasMessageContaining("no multiple of 8").hasMessageContaining("line 21");
    assertThatThrownBy(() -> run("st.global.u32 [%rd3+4], %r1;", 32)).hasMessageContaining("outside");
    assertThatThrownBy(() -> run("st.shared.u32 [%r4+1024], %r1;", 32)).hasMessageContaining("of 1024 bytes");
  }

  @Test
  void whatIsUnknownIsNamed() {
    assertThatThrownBy(() -> run("frobnicate.s32 %r1, %r1;", 32)).hasMessageContaining("frobnicate.s32 %r1, %r1");
  }

  @Test
  void inlineAssemblyHasScopes() {
    assertThat(run("""
        {
        .reg .b32 t;
        add.s32 t, %r1, 1;
        mul.lo.s32 %r5, t, 2;
        }
        st.global.u32 [%rd3], %r5;
        """, 32)).startsWith(2, 4, 6);
  }

  @Test
  void conversionsRoundToNearestEven() {
    assertThat(PtxType.BF16.bits(1 + 0x1p-8)).isEqualTo(0x3F80);
    assertThat(PtxType.BF16.bits(1 + 0x1.8p-7)).isEqualTo(0x3F82);
    assertThat(PtxType.F16.bits(65520)).isEqualTo(0x7C00);
    assertThat(PtxType.F16.bits(0x1p-24)).isEqualTo(1);
    assertThat(PtxType.E4M3.bits(448)).isEqualTo(0x7E);
    assertThat(Rounding.E4M3.saturate(1e9)).isEqualTo(0x7E);
    for (int i = 0; i < 1 << 16; i++) {
      double x = Float.float16ToFloat((short) i);
      assertThat(Double.compare(PtxType.F16.number(i), x)).isZero();
    }
  }
}
