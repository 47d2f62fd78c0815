package dev.tkc.tests.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.grammar.lower.Library;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Source;
import dev.tkc.tests.Project;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The library's kernels as PTX, executed by the emulator, give what the interpreter gives. */
final class PtxAgainstInterpreterTest {
  /** File, kernel, constants, sizes. Sizes are awkward on purpose; some divide, so that accesses are wide. */
  private static final String CASES = """
      elementwise | relu_forward | B=4096 | N=1000
      elementwise | relu_forward | B=256 | N=1
      elementwise | gelu_forward | B=1024 | N=2053
      elementwise | gelu_erf_forward | B=1024 | N=2064
      elementwise | silu_forward | B=1024 | N=1025
      elementwise | swiglu | B=1024 | N=2048
      elementwise | geglu | B=1000 | N=2001
      elementwise | sigmoid_forward | B=1024 | N=1000
      elementwise | tanh_forward | B=512 | N=1000
      elementwise | softplus_forward | B=512 | N=1000
      elementwise | axpy | B=512 | N=1028
      elementwise | add | B=512 | N=1031
      softmax | softmax | BM=4 D=100 | M=7
      softmax | softmax | BM=1 D=1024 | M=3
      softmax | log_softmax | BM=2 D=257 | M=3
      softmax | softmax_long | BM=1 BN=256 | M=3 N=1000
      norm | layernorm_forward | BM=1 D=768 | M=3
      norm | layernorm_forward | BM=4 D=100 | M=5
      norm | rmsnorm_forward | BM=2 D=511 | M=5
      norm | dropout_residual_layernorm | BM=1 D=256 | M=3
      reduce | sum_last | BM=4 BN=1024 | M=5 N=1500
      reduce | mean_last | BM=4 BN=128 | M=5 N=257
      reduce | max_last | BM=4 BN=128 | M=5 N=256
      reduce | argmax_last | BM=4 BN=128 | M=5 N=300
      reduce | sum_axis | BR=32 BC=128 | A=2 R=65 C=130
      reduce | mean_axis | BR=32 BC=64 | A=2 R=7 C=64
      reduce | max_axis | BR=32 BC=128 | A=2 R=65 C=136
      reduce | argmax_axis | BR=32 BC=64 | A=2 R=65 C=33
      reduce | sum_all | B=1024 | N=5000
      scan | cumsum_rows | BM=1 BN=512 | M=3 N=1300
      scan | cumsum_rows_reverse | BM=2 BN=128 | M=3 N=300
      cross_entropy | cross_entropy | BM=1 BV=512 | M=3 V=1000
      cross_entropy | cross_entropy_backward | BM=1 BV=512 | M=3 V=1000
      transpose | transpose | BM=64 BN=64 | M=65 N=72
      transpose | transpose_batched | BM=32 BN=32 | B=2 M=33 N=40
      rotary | rotary | BN=16 D=64 | B=1 H=2 N=17
      gemm | gemm | BM=64 BN=64 BK=32 | M=65 N=72 K=40
      gemm | gemm | BM=64 BN=64 BK=32 | M=33 N=37 K=41
      gemm | gemm_nt | BM=64 BN=64 BK=32 | M=65 N=72 K=80
      gemm | gemm_tn | BM=64 BN=64 BK=32 | M=72 N=72 K=40
      gemm | gemm_tt | BM=64 BN=64 BK=32 | M=72 N=72 K=40
      gemm | gemm_batched | BM=32 BN=32 BK=32 | B=2 M=33 N=40 K=24
      gemm | gemm_bias | BM=64 BN=64 BK=32 activation=2 | M=65 N=72 K=40
      gemm | gemm_bias_gelu | BM=64 BN=64 BK=32 | M=65 N=72 K=40
      gemm | gemm_bias_residual | BM=64 BN=64 BK=32 activation=0 | M=65 N=72 K=40
      gemm | gemm_gated | BM=32 BN=32 BK=32 | M=33 N=40 K=40
      gemm | gemm_skinny | BM=16 BN=32 BK=64 | M=5 N=40 K=136
      gemm | gemm_split_k | BM=64 BN=64 BK=32 S=3 RM=32 RN=64 | M=65 N=72 K=200
      gemm | gemm_split_k | BM=64 BN=64 BK=64 S=3 RM=64 RN=64 | M=65 N=72 K=200
      gemm | gemm_split_k | BM=32 BN=32 BK=32 S=3 RM=32 RN=32 | M=40 N=40 K=200
      gemm | gemm_stream_k | BM=32 BN=32 BK=32 P=5 RM=16 | M=33 N=40 K=100
      gemm_types | gemm_f16 | BM=64 BN=64 BK=32 | M=65 N=72 K=40
      gemm_types | gemm_f16_nt | BM=32 BN=32 BK=32 | M=33 N=37 K=41
      gemm_types | gemm_tf32 | BM=32 BN=32 BK=16 | M=33 N=40 K=20
      gemm_fp8 | gemm_e4m3 | BM=32 BN=32 BK=64 | M=33 N=40 K=80
      gemm_fp8 | gemm_e5m2 | BM=32 BN=32 BK=64 | M=33 N=40 K=80
      gemm_fp8 | gemm_e4m3_rows | BM=32 BN=32 BK=32 | M=33 N=40 K=48
      gemm_fp8 | gemm_e4m3_two_level | BM=32 BN=32 BK=64 | M=33 N=40 K=80
      gemm_fp8 | gemm_e4m3_blocks | BM=32 BN=32 BK=128 | M=33 N=136 K=144
      gemm_int8 | gemm_i8 | BM=32 BN=32 BK=64 | M=33 N=40 K=80
      gemm_int8 | gemm_i8_rows | BM=32 BN=32 BK=32 | M=33 N=40 K=48
      attention | attention | BQ=64 BK=64 causal=false window=0 softcap=0.0 D=64 | B=1 H=2 G=1 N=65 S=70
      attention | attention | BQ=32 BK=32 causal=true window=0 softcap=0.0 D=32 | B=1 H=2 G=2 N=40 S=40
      attention | attention | BQ=32 BK=32 causal=true window=20 softcap=4.0 D=32 | B=1 H=2 G=1 N=65 S=65
      attention | attention_varlen | BQ=32 BK=32 causal=true D=32 | B=1 T=33 U=40 H=2 G=1
      attention_decode | attention_decode | BR=16 BK=32 P=2 D=32 | B=2 H=4 G=2 S=70
      attention_decode | attention_paged | BR=16 BK=32 P=2 PAGE=8 D=32 | B=2 H=4 G=2 Q=6 T=3
      attention_decode | attention_paged | BR=16 BK=16 P=2 PAGE=8 D=32 | B=2 H=4 G=2 Q=40 T=17
      attention_backward | attention_backward | BQ=32 BK=32 causal=false D=32 | B=1 H=2 G=1 N=33 S=40
      attention_backward | attention_backward_deterministic | BQ=32 BK=32 QQ=32 QK=32 causal=true D=32 | B=1 H=2 G=2 N=40 S=40
      linear_attention | linear_attention | C=32 F=32 D=32 | B=1 H=2 N=70
      attention | attention | BQ=64 BK=64 causal=true window=0 softcap=0.0 D=64 | B=1 H=2 G=2 N=100 S=150
      attention | attention | BQ=128 BK=64 causal=true window=0 softcap=0.0 D=64 | B=1 H=2 G=1 N=150 S=333
      attention | attention | BQ=128 BK=64 causal=true window=0 softcap=0.0 D=64 | B=2 H=2 G=1 N=333 S=150
      attention | attention | BQ=128 BK=64 causal=true window=64 softcap=0.0 D=64 | B=1 H=2 G=1 N=333 S=333
      gemm | gemm | BM=128 BN=128 BK=64 | M=200 N=264 K=136
      gemm | gemm_split_k | BM=128 BN=64 BK=64 S=2 RM=128 RN=64 | M=200 N=136 K=304
      gemm | gemm_split_k | BM=64 BN=64 BK=64 S=3 RM=64 RN=64 | M=65 N=72 K=400
      """;

  /** Products and attention as asynchronous functions do them, with more tiles than blocks. */
  private static final String SEVERAL = """
      attention_backward | attention_backward | BQ=64 BK=128 causal=false D=128 | B=1 H=2 G=1 N=130 S=140
      attention_backward | attention_backward | BQ=64 BK=128 causal=true D=128 | B=1 H=1 G=1 N=200 S=200
      gemm | gemm | BM=128 BN=128 BK=64 | M=200 N=264 K=136
      attention | attention | BQ=64 BK=64 causal=true window=0 softcap=0.0 D=64 | B=1 H=2 G=1 N=150 S=333
      attention | attention | BQ=64 BK=64 causal=true window=0 softcap=0.0 D=64 | B=2 H=2 G=1 N=200 S=104
      attention | attention | BQ=64 BK=64 causal=false window=0 softcap=0.0 D=64 | B=1 H=2 G=2 N=150 S=150
      """;

  /**
   * Asynchronous products in tiles that are no powers of two: three groups of warps, three panels, half-used fragments.
   */
  private static final String ODD_TILES = """
      attention | attention | BQ=192 BK=64 causal=false window=0 softcap=0.0 D=64 | B=1 H=2 G=1 N=200 S=150
      attention | attention | BQ=192 BK=128 causal=true window=0 softcap=0.0 D=64 | B=2 H=1 G=1 N=333 S=333
      attention | attention | BQ=192 BK=96 causal=false window=0 softcap=0.0 D=32 | B=1 H=1 G=1 N=100 S=200
      attention | attention | BQ=128 BK=64 causal=true window=0 softcap=0.0 D=96 | B=1 H=2 G=2 N=150 S=150
      attention | attention | BQ=64 BK=80 causal=false window=0 softcap=0.0 D=96 | B=1 H=1 G=1 N=70 S=100
      attention | attention | BQ=256 BK=64 causal=false window=0 softcap=0.0 D=64 | B=1 H=1 G=1 N=300 S=100
      gemm | gemm | BM=192 BN=96 BK=64 | M=200 N=264 K=136
      gemm | gemm | BM=128 BN=192 BK=64 | M=200 N=264 K=72
      gemm | gemm_nt | BM=192 BN=192 BK=64 | M=200 N=200 K=72
      gemm | gemm_tn | BM=192 BN=64 BK=64 | M=200 N=72 K=72
      gemm | gemm_tt | BM=64 BN=96 BK=96 | M=72 N=104 K=200
      gemm | gemm_bias_residual | BM=192 BN=128 BK=64 activation=2 | M=200 N=136 K=72
      gemm_fp8 | gemm_e4m3 | BM=192 BN=96 BK=96 | M=200 N=112 K=208
      gemm_int8 | gemm_i8_rows | BM=128 BN=256 BK=64 | M=200 N=272 K=144
      gemm | gemm | BM=128 BN=320 BK=64 | M=200 N=400 K=136
      gemm | gemm_nt | BM=128 BN=320 BK=64 | M=72 N=328 K=72
      gemm | gemm | BM=256 BN=192 BK=64 | M=300 N=200 K=72
      """;

  /** Default tiles, more blocks, more rounds of loops. */
  private static final String LARGER = """
      elementwise | relu_forward | B=4096 | N=70000
      softmax | softmax | BM=1 D=8192 | M=3
      softmax | softmax_long | BM=1 BN=4096 | M=3 N=10001
      norm | layernorm_forward | BM=1 D=4096 | M=5
      norm | rmsnorm_forward | BM=1 D=4096 | M=5
      reduce | sum_last | BM=4 BN=1024 | M=5 N=8192
      reduce | argmax_axis | BR=32 BC=128 | A=3 R=100 C=259
      scan | cumsum_rows | BM=1 BN=4096 | M=2 N=9000
      cross_entropy | cross_entropy | BM=1 BV=4096 | M=3 V=10000
      transpose | transpose | BM=64 BN=64 | M=257 N=136
      gemm | gemm | BM=128 BN=128 BK=32 | M=256 N=256 K=256
      gemm | gemm | BM=128 BN=128 BK=32 | M=131 N=264 K=136
      gemm | gemm_nt | BM=128 BN=128 BK=32 | M=256 N=128 K=256
      gemm | gemm_tn | BM=128 BN=128 BK=32 | M=256 N=128 K=256
      gemm | gemm_tt | BM=128 BN=128 BK=32 | M=256 N=128 K=256
      gemm | gemm_split_k | BM=64 BN=64 BK=32 S=8 RM=32 RN=64 | M=130 N=64 K=1000
      attention | attention | BQ=64 BK=64 causal=true window=0 softcap=0.0 D=128 | B=1 H=2 G=1 N=129 S=129
      linear_attention | linear_attention | C=64 F=64 D=64 | B=1 H=2 N=200
      """;

  static Stream<Emulated> cases() {
    return CASES.lines().map(Emulated::parse);
  }

  static Stream<Emulated> several() {
    return SEVERAL.lines().map(Emulated::parse);
  }

  static Stream<Emulated> oddTiles() {
    return ODD_TILES.lines().map(Emulated::parse);
  }

  static Stream<Emulated> larger() {
    return LARGER.lines().map(Emulated::parse);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void ampere(Emulated kernel) {
    assertThat(kernel.difference(PtxTargets.SM_80)).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void hopper(Emulated kernel) {
    assertThat(kernel.difference(PtxTargets.SM_90A)).isEmpty();
  }

  /** Blocks that have several tiles, drawn or one after the other. */
  @ParameterizedTest
  @MethodSource("several")
  void hopperWithFewProcessors(Emulated kernel) {
    assertThat(kernel.difference(PtxTargets.SM_90A.withProcessors(2))).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("oddTiles")
  void oddTiles(Emulated kernel) {
    assertThat(kernel.difference(PtxTargets.SM_90A)).isEmpty();
  }

  /** Blocks that leave parts of a sum in each other's shared memory. */
  @ParameterizedTest
  @ValueSource(strings = {
      "gemm | gemm_split_k | BM=128 BN=64 BK=64 S=2 RM=128 RN=64 | M=256 N=128 K=320",
      "gemm | gemm_split_k | BM=64 BN=64 BK=64 S=4 RM=64 RN=64 | M=64 N=128 K=400",
      "gemm | gemm_split_k | BM=16 BN=64 BK=64 S=2 RM=16 RN=64 | M=16 N=128 K=400"})
  void clusters(String kernel) {
    assertThat(Emulated.parse(kernel).difference(PtxTargets.SM_90A)).isEmpty();
  }

  /** First rounds asked for in front: of loops that are shorter, of tiles that hang over, of blocks with several. */
  @ParameterizedTest
  @ValueSource(strings = {
      "gemm | gemm_skinny | BM=16 BN=64 BK=64 | M=5 N=72 K=136",
      "gemm | gemm_split_k | BM=16 BN=64 BK=64 S=2 RM=16 RN=64 | M=16 N=128 K=400",
      "gemm | gemm | BM=128 BN=128 BK=64 | M=200 N=520 K=200",
      "attention | attention | BQ=128 BK=64 causal=true window=0 softcap=0.0 D=64 | B=1 H=2 G=1 N=150 S=333"})
  void prefetches(String kernel) {
    assertThat(Emulated.parse(kernel).difference(PtxTargets.SM_90A.withProcessors(2), Map.of("prefetch", 3L)))
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("larger")
  @Tag("slow")
  void larger(Emulated kernel) {
    assertThat(kernel.difference(PtxTargets.SM_90A)).isEmpty();
  }

  /**
   * Kernels whose blocks stay, on so few processors that each takes several tiles, one beginning while the one before
   * ends.
   */
  @ParameterizedTest
  @CsvSource({
      "attention | attention | BQ=128 BK=64 causal=false window=0 softcap=0.0 D=64 | B=1 H=2 G=1 N=333 S=200, 2",
      "attention | attention | BQ=128 BK=64 causal=true window=0 softcap=0.0 D=64 | B=1 H=2 G=2 N=333 S=333, 1",
      "attention | attention | BQ=128 BK=128 causal=true window=0 softcap=2.0 D=128 | B=1 H=1 G=1 N=512 S=300, 1",
      "attention | attention | BQ=128 BK=64 causal=false window=0 softcap=0.0 D=64 | B=1 H=1 G=1 N=300 S=0, 1",
      "tests/gpu/novel | attention_bias | BQ=128 BK=128 D=128 | B=1 H=2 N=200 S=264, 2",
      "tests/gpu/novel | attention_bias | BQ=192 BK=128 D=128 | B=1 H=2 N=200 S=392, 2",
      "attention | attention | BQ=192 BK=128 causal=false window=0 softcap=0.0 D=128 | B=1 H=2 G=1 N=333 S=392, 2",
      "attention | attention_varlen | BQ=128 BK=64 causal=true D=64 | B=3 T=233 U=340 H=2 G=1, 2",
      "attention | attention_varlen | BQ=192 BK=128 causal=false D=64 | B=3 T=433 U=340 H=2 G=1, 2",
      "tests/gpu/novel | attention_alibi | BQ=128 BK=128 D=128 | B=1 H=2 N=333, 2",
      "tests/gpu/novel | attention_alibi | BQ=128 BK=64 D=128 | B=1 H=3 N=640, 2",
      "tests/gpu/novel | attention_alibi_both | BQ=128 BK=64 D=128 | B=1 H=2 N=333, 1",
      "tests/gpu/novel | attention_masked | BQ=128 BK=128 D=128 | B=2 H=2 N=200 S=264, 1",
      "tests/gpu/novel | attention_sigmoid | BQ=128 BK=128 D=128 | B=1 H=2 N=333 S=200, 1",
      "tests/gpu/novel | gemm_column_sums | BM=128 BN=256 BK=64 | M=300 N=520 K=200, 2"})
  void hopperWithFewProcessors(String kernel, int processors) {
    assertThat(Emulated.parse(kernel).difference(PtxTargets.SM_90A.withProcessors(processors))).isEmpty();
  }

  @Test
  void everyKernelOfTheLibraryHasACase() throws IOException {
    Set<String> there = new TreeSet<>();
    for (Path file : Project.files(Project.ROOT.resolve("kernels"), ".tk")) {
      Library library = Library.of(SyntaxReader.read(new Source(file.toString(), Files.readString(file))).program());
      library.kernels().forEach(k -> there.add(k.name().text()));
    }
    Set<String> covered = cases().map(Emulated::kernel).collect(Collectors.toCollection(TreeSet::new));
    assertThat(covered).isEqualTo(there);
  }
}
