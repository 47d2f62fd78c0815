package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ScheduleChoice.Origin;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which constants are tile sizes, who decides on them, and that the estimate ranks as the hardware does. */
class SchedulerTest {
  private static final String GEMM = """
      kernel gemm<BM = 128, BN = 128, BK = 32>(a: bf16[M, K], b: bf16[K, N], out c: bf16[M, N]) {
        parallel i in M by BM, j in N by BN {
          var acc = zeros(f32[BM, BN])
          for k in K by BK {
            acc += a[i, k] @ b[k, j]
          }
          c[i, j] = acc as bf16
        }
      }
      """;

  private static Kernel kernel(String name, String text) {
    return Tkc.create(Device.interpreter()).load(new Source(name, text)).kernel();
  }

  private static ScheduleChoice choice(String text, Object... values) {
    Constants c = Constants.none();
    for (int i = 0; i < values.length; i += 2) {
      c = c.and((String) values[i], values[i + 1]);
    }
    return kernel("<text>", text).schedule(Target.find("sm_90a").orElseThrow(), c);
  }

  private static Map<String, Object> constants(ScheduleChoice c) {
    Map<String, Object> all = new HashMap<>();
    c.constants().forEach(x -> all.put(x.name(), x.value()));
    return all;
  }

  @Test
  void constantsBehindByAndInShapesAreTileSizes() {
    assertThat(TileConstants.of(kernel("<text>", GEMM).syntax())).containsExactly("BM", "BN", "BK");
    assertThat(TileConstants.of(kernel("<text>", GEMM.replace("acc as bf16", "(acc * BK) as bf16")).syntax()))
        .containsExactly("BM", "BN");
    assertThat(TileConstants.of(kernel("<text>", GEMM.replace("k in K by", "k in align_down(M, BK)..K by")).syntax()))
        .containsExactly("BM", "BN", "BK");
    assertThat(TileConstants.of(kernel("<text>", GEMM.replace("BK = 32", "BK = 48")).syntax()))
        .containsExactly("BM", "BN");
    String blocks = """
        kernel copied<B = 64>(x: f32[N, B], out y: f32[N, B]) {
          parallel i in N by B {
            y[i, :] = x[i, :]
          }
        }
        """;
    assertThat(TileConstants.of(kernel("<text>", blocks).syntax())).isEmpty();
  }

  @Test
  void theEstimatePrefersWhatIsQuickest() {
    assertThat(constants(choice(GEMM, "M", 4096, "N", 4096, "K", 4096)))
        .containsEntry("BM", 128L).containsEntry("BN", 256L).containsEntry("BK", 64L);
    ScheduleChoice small = choice(GEMM, "M", 512, "N", 512, "K", 512);
    assertThat(constants(small)).containsEntry("BM", 64L).containsEntry("BN", 64L);
    assertThat(small.constants()).allMatch(c -> c.origin() == Origin.ESTIMATE);
    assertThat(small.candidates().getFirst().cycles()).isLessThan(small.candidates().get(1).cycles() + 1);
  }

  /** 288 tiles of 128×256 are three turns of 132, the last nearly empty; 384 of 128×192 are three that are full. */
  @Test
  void sizesBetweenPowersOfTwoFillTheLastTurn() {
    assertThat(constants(choice(GEMM, "M", 3072, "N", 3072, "K", 3072)))
        .containsEntry("BM", 128L).containsEntry("BN", 192L).containsEntry("BK", 64L);
    assertThat(constants(choice(GEMM, "M", 4096, "N", 14336, "K", 4096)))
        .containsEntry("BM", 128L).containsEntry("BN", 320L).containsEntry("BK", 64L);
    // Quicker by less than it is wrong by.
    assertThat(constants(choice(GEMM, "M", 8192, "N", 5120, "K", 5120))).containsEntry("BN", 256L);
  }

  /** An activation and a matrix that is added are computed slice by slice: no reason for smaller tiles. */
  @Test
  void whatLiesBetweenASumAndItsStoreTakesNoRegisters() {
    String fused = GEMM.replace("out c: bf16[M, N])", "r: bf16[M, N], out c: bf16[M, N])")
        .replace("acc as bf16", "(gelu_tanh(acc) + r[i, j]) as bf16");
    assertThat(fused).contains("gelu_tanh", "r: bf16");
    assertThat(constants(choice(fused, "M", 4096, "N", 4096, "K", 4096)))
        .containsEntry("BM", 128L).containsEntry("BN", 256L).containsEntry("BK", 64L);
  }

  @Test
  void fewRowsGetSmallTilesAndLongSumsAreSharedOut() {
    ScheduleChoice few = choice(GEMM, "M", 16, "N", 4096, "K", 4096);
    assertThat(constants(few)).containsEntry("BM", 16L).containsEntry("BN", 64L);
    ScheduleChoice few24 = choice(GEMM, "M", 24, "N", 4096, "K", 4096);
    assertThat(constants(few24)).containsEntry("BM", 32L);
    // Copies from memory are late: many small slots, and a matrix that no cache holds is read once.
    ScheduleChoice read = choice(GEMM, "M", 64, "N", 4096, "K", 4096);
    assertThat(constants(read)).containsEntry("BM", 64L).containsEntry("BN", 64L).containsEntry("BK", 128L);
    assertThat(read.settings()).doesNotContainKey("split_k");
    assertThat(constants(choice(GEMM, "M", 128, "N", 8192, "K", 8192)))
        .containsEntry("BM", 128L).containsEntry("BN", 64L);
    ScheduleChoice deep = choice(GEMM, "M", 128, "N", 4096, "K", 14336);
    assertThat(deep.settings()).containsKey("split_k");
    assertThat(deep.settingsFrom()).isEqualTo(Origin.ESTIMATE);
    assertThat(deep.candidates().getFirst().settings()).isEqualTo(deep.settings());
    assertThat(choice(GEMM, "M", 4096, "N", 4096, "K", 4096).settings()).doesNotContainKey("split_k");
    ScheduleChoice written = choice(GEMM + "schedule gemm for sm_90a { split_k = 1 }", "M", 128, "N", 4096, "K", 14336);
    assertThat(written.settings()).containsEntry("split_k", 1L);
  }

  /** Blocks that copy little more than their shared memory holds begin before the launch in front is over. */
  @Test
  void shortLaunchesHaveTheirFirstRoundsPrefetched() {
    assertThat(choice(GEMM, "M", 512, "N", 512, "K", 512).schedule().function()).containsEntry("prefetch", 2L);
    assertThat(choice(GEMM, "M", 64, "N", 1024, "K", 1024).schedule().function()).containsEntry("prefetch", 2L);
    for (int n : new int[] {1024, 4096}) {
      assertThat(choice(GEMM, "M", n, "N", n, "K", n).schedule().function()).as("%d", n).doesNotContainKey("prefetch");
    }
    assertThat(choice(GEMM, "M", 16, "N", 4096, "K", 4096).schedule().function()).doesNotContainKey("prefetch");
    ScheduleChoice written = choice(GEMM + "schedule gemm for sm_90a { prefetch = 1 }", "M", 512, "N", 512, "K", 512);
    assertThat(written.schedule().function()).containsEntry("prefetch", 1L);
  }

  @Test
  void theCallerAndTheFileOverruleIt() {
    ScheduleChoice given = choice(GEMM, "M", 4096, "N", 4096, "K", 4096, "BM", 64);
    assertThat(constants(given)).containsEntry("BM", 64L);
    assertThat(given.constants().getFirst().origin()).isEqualTo(Origin.CALLER);
    ScheduleChoice written = choice(GEMM + "schedule gemm for sm_90a { BN = 128; stages = 3 }", "M", 4096, "N", 4096,
        "K", 4096);
    assertThat(constants(written)).containsEntry("BN", 128L);
    assertThat(written.constants().get(1).origin()).isEqualTo(Origin.SCHEDULE);
    assertThat(written.settings()).containsEntry("stages", 3L);
    assertThat(written.settingsFrom()).isEqualTo(Origin.SCHEDULE);
  }

  @Test
  void whereThereIsNothingToEstimateTheKernelsOwnValuesStay() {
    ScheduleChoice odd = choice(GEMM, "M", 15, "N", 4097, "K", 4103);
    assertThat(constants(odd)).containsEntry("BM", 128L).containsEntry("BN", 128L).containsEntry("BK", 32L);
    assertThat(odd.reason().orElseThrow()).contains("is no bulk copy");
    assertThat(odd.settings()).containsEntry("repack", false);
    assertThat(odd.settingsFrom()).isEqualTo(Origin.KERNEL);
    ScheduleChoice f32 = choice(GEMM.replace("bf16", "f32")
        .replace("a[i, k] @ b[k, j]", "dot(a[i, k], b[k, j], precision = ieee)"), "M", 512, "N", 512, "K", 512);
    assertThat(f32.reason().orElseThrow()).contains("no asynchronous instruction");
    assertThat(kernel("<text>", GEMM)
        .schedule(Target.find("sm_80").orElseThrow(), Constants.none()).reason().orElseThrow())
        .isEqualTo("no rates are known of sm_80");
  }

  @Test
  void whatWasMeasuredComesBeforeTheEstimate(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("gemm.tk");
    Files.writeString(file, GEMM);
    Map<String, Object> facts = Map.of("M", 4096L, "N", 4096L, "K", 4096L);
    TunedSchedules.Subject subject = new TunedSchedules.Subject("gemm", "sm_90a", facts);
    Map<String, Object> slow = Map.of("BM", 64L, "BN", 128L, "BK", 64L);
    Map<String, Object> quick = Map.of("BM", 256L, "BN", 128L, "BK", 64L);
    TunedSchedules tuned = TunedSchedules.beside(new Source(file.toString(), GEMM))
        .with(subject, new TunedSchedules.Entry(slow, Map.of(), 200.5))
        .with(subject, new TunedSchedules.Entry(quick, Map.of("grouped", 16L), 180));
    tuned.write(folder.resolve("gemm.tuned.json"));
    assertThat(TunedSchedules.beside(new Source(file.toString(), GEMM)).measured(subject))
        .isEqualTo(tuned.measured(subject));

    Kernel kernel = kernel(file.toString(), GEMM);
    Target target = Target.find("sm_90a").orElseThrow();
    ScheduleChoice c = kernel.schedule(target, new Constants(facts));
    assertThat(constants(c)).containsAllEntriesOf(quick);
    assertThat(c.settings()).containsEntry("grouped", 16L);
    assertThat(c.settingsFrom()).isEqualTo(Origin.TUNED);
    assertThat(constants(kernel.schedule(target, new Constants(facts).and("K", 2048)))).containsEntry("BN", 256L);
  }

  @Test
  void aFileThatTuneDidNotWriteIsAnError(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("x.tuned.json");
    String entry = """
        {"format": 1, "entries": [{"kernel": "k", "target": "sm_90a", "facts": {}, "measured": [
          {"constants": {"BM": %s}, "settings": {%s}, "micros": %s}]}]}""";
    Map<String, String> found = new LinkedHashMap<>();
    found.put("", "it is empty");
    found.put("{", "line 1, column 2 is no JSON");
    found.put("<<<<<<< HEAD", "line 1, column 1 is no JSON");
    found.put("[]", "the file is not an object");
    found.put("{\"format\": 2, \"entries\": []}", "its format is 2, not 1");
    found.put("{\"format\": 1}", "`entries` is missing");
    found.put(entry.formatted("\"wide\"", "", 1), "the constant `BM` is wide, which is no size");
    found.put(entry.formatted(0, "", 1), "the constant `BM` is 0, which is no size");
    found.put(entry.formatted(64, "\"colour\": 1", 1), "`colour` is no setting");
    found.put(entry.formatted(64, "\"stages\": 99", 1), "`stages` is a number from 1 to 16");
    found.put(entry.formatted(64, "\"grouped\": -3", 1), "`grouped` is a number from 1 to");
    found.put(entry.formatted(64, "\"persistent\": 1", 1), "`persistent` is true or false");
    found.put(entry.formatted(64, "", "\"fast\""), "`micros` is not a number");
    for (Map.Entry<String, String> f : found.entrySet()) {
      Files.writeString(file, f.getKey());
      assertThatThrownBy(() -> TunedSchedules.read(file)).isInstanceOf(DiagnosticException.class)
          .hasMessageContaining(f.getValue());
    }
    Files.writeString(file, entry.formatted(64, "\"grouped\": 16, \"stages\": 3, \"uneven\": false", 1.5));
    assertThat(TunedSchedules.read(file)).isNotNull();
  }

  @Test
  void theExplanationSaysWhatIsThere() {
    Constants values = Constants.of("M", 4096).and("N", 4096).and("K", 4096);
    String text = ScheduleExplanation.of(
        kernel("<text>", GEMM), Target.find("sm_90a").orElseThrow(), values, CompileOptions.defaults()).text();
    assertThat(text)
        .contains("BN = 256", "the best by estimate", "12 warps, persistent, {grouped=16}", "role producer",
        "by WGMMA_BF16", "load  a          bf16[128, 64]      bulk copy", "4 × 16384 bytes");
    String small = ScheduleExplanation.of(kernel("<text>", GEMM), Target.find("sm_90a").orElseThrow(),
        Constants.of("M", 1024).and("N", 1024).and("K", 4096), CompileOptions.defaults()).text();
    assertThat(small).as("a block for each tile").contains("role producer").doesNotContain("persistent");
    String odd = ScheduleExplanation.of(kernel("<text>", GEMM), Target.find("sm_90a").orElseThrow(),
        Constants.of("M", 4095).and("N", 4097).and("K", 4103), CompileOptions.defaults()).text();
    assertThat(odd)
        .contains("gemm_repack_b", "bulk copy of rows repacked before", "by the threads, since", "by WGMMA_BF16");
    String few = ScheduleExplanation.of(kernel("<text>", GEMM), Target.find("sm_90a").orElseThrow(),
        Constants.of("M", 15).and("N", 4097).and("K", 4103), CompileOptions.defaults()).text();
    assertThat(few).contains("products wait for their results: a load of", "by MMA_BF16", "repack=false")
        .doesNotContain("repack_");
  }

  /**
   * A tile of a bias that is copied beside those of keys and values makes larger tiles of rows quicker. Keys and values
   * share their slots as there is no room for two of each.
   */
  @Test
  void productsThatFeedProductsMayHaveThreeGroups() {
    KernelModule novel = Tkc.create(Device.interpreter()).load(Path.of("..", "tests", "gpu", "novel.tk"));
    Target target = Target.find("sm_90a").orElseThrow();
    Constants values = Constants.of("B", 4).and("H", 16).and("N", 4096).and("S", 4096).and("D", 128);
    Kernel biased = novel.kernel("attention_bias");
    assertThat(constants(biased.schedule(target, values))).containsEntry("BQ", 192L).containsEntry("BK", 128L);
    assertThat(biased.compile(target, values).tir())
        .contains("name = \"consumer\", warps = 12, registers = 160", "shared<bf16[64, 128], 3", "#{each = 3}")
        .containsPattern("shared_alloc [^\n]*bf16\\[128, 128], 3, [^\n]*name = \"k_v\"").doesNotContain("turn_take");
    for (String other : List.of("attention_masked", "attention_sigmoid")) {
      assertThat(novel.kernel(other).schedule(target, values).candidates())
          .as(other + " copies nothing more for its rows")
          .noneMatch(c -> c.constants().containsValue(192L));
    }
  }
}
