package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What {@link CompiledKernel} says that library kernels take, and what bounds them. */
class ReportTest {
  private static final Target HOPPER = Target.find("sm_90a").orElseThrow();

  private final Tkc tkc = Tkc.create(Device.interpreter());

  @AfterEach
  void close() {
    tkc.close();
  }

  private List<Report.Bound> bounds(String file, String kernel, Map<String, Object> values) {
    Kernel k = tkc.load(Path.of("..", "kernels", file)).kernel(kernel);
    Constants all = new Constants(values);
    return k.compile(HOPPER, all).bounds(all);
  }

  private static final Map<String, Object> GEMM = Map.of("M", 4096, "N", 4096, "K", 4096);

  private static Map<String, Object> attention(int d, boolean causal) {
    return Map.of("B", 4, "H", 16, "G", 16, "N", 4096, "S", 4096, "D", d, "causal", causal);
  }

  @Test
  void aMatrixProductIsBoundByItsProducts() {
    Report.Bound b = bounds("gemm.tk", "gemm", GEMM).getFirst();
    assertThat(b.part()).isEqualTo("products");
    assertThat(b.flops()).isEqualTo(2.0 * 4096 * 4096 * 4096);
    assertThat(b.bytes()).isEqualTo(3 * 2.0 * 4096 * 4096);
    // 132 multiprocessors of 2048 multiply-adds at 1.755 GHz.
    assertThat(b.micros()).isCloseTo(b.flops() / 2 / (132 * 2048 * 1755.0), within(0.01));
  }

  @Test
  void sizesThatNoTileDividesCountWholeTiles() {
    Report.Bound odd = bounds("gemm.tk", "gemm",
        Map.of("M", 4090, "N", 4088, "K", 4096, "BM", 128, "BN", 128, "BK", 64)).getFirst();
    assertThat(odd.flops()).isEqualTo(2.0 * 4096 * 4096 * 4096);
    assertThat(odd.bytes()).isEqualTo(2.0 * (4090 * 4096.0 + 4096.0 * 4088 + 4090.0 * 4088));
  }

  @Test
  void softmaxIsBoundByMemory() {
    Report.Bound b = bounds("softmax.tk", "softmax", Map.of("M", 8192, "D", 8192)).getFirst();
    assertThat(b.part()).isEqualTo("memory");
    assertThat(b.bytes()).isEqualTo(4.0 * 8192 * 8192);
  }

  @Test
  void attentionIsBoundByProductsAndNarrowHeadsByExp2() {
    assertThat(bounds("attention.tk", "attention", attention(128, false))).singleElement()
        .satisfies(b -> assertThat(b.part()).isEqualTo("products"));
    assertThat(bounds("attention.tk", "attention", attention(64, false))).singleElement()
        .satisfies(b -> assertThat(b.part()).isEqualTo("functions"));
  }

  @Test
  void aCausalMaskHalvesTheProducts() {
    double full = bounds("attention.tk", "attention", attention(128, false)).getFirst().flops();
    double causal = bounds("attention.tk", "attention", attention(128, true)).getFirst().flops();
    // Half the tiles, and half of those on the diagonal.
    assertThat(causal / full).isBetween(0.5, 0.53);
  }

  @Test
  void fewTilesLeaveMultiprocessorsIdle() {
    Map<String, Object> tile = Map.of("M", 128, "N", 128, "K", 4096, "BM", 128, "BN", 128, "BK", 64);
    Report.Bound b = bounds("gemm.tk", "gemm", tile).getFirst();
    assertThat(b.micros()).isCloseTo(b.flops() / 2 / (2048 * 1755.0), within(0.01));
  }

  @Test
  void withoutSizesOrRatesThereIsNoBound() {
    assertThat(bounds("gemm.tk", "gemm", Map.of("M", 4096, "N", 4096))).isEmpty();
    Kernel k = tkc.load(Path.of("..", "kernels", "gemm.tk")).kernel("gemm");
    assertThat(k.compile(Target.find("sm_80").orElseThrow(), new Constants(GEMM)).bounds(new Constants(GEMM)))
        .isEmpty();
  }

  @Test
  void buffersNameTheirLinesAndProductsInFlightAreCounted() {
    Kernel k = tkc.load(Path.of("..", "kernels", "attention.tk")).kernel("attention");
    Constants values = new Constants(attention(128, false));
    Report r = k.compile(HOPPER, values).report(values);
    assertThat(r.functions()).singleElement().satisfies(f -> {
      assertThat(f.productsInFlight()).isGreaterThanOrEqualTo(2);
      assertThat(f.spillBytes()).isZero();
    });
    Report.SharedBuffer q = buffer(r, "q");
    Report.SharedBuffer v = buffer(r, "v");
    assertThat(v.slots()).isGreaterThan(1);
    assertThat(v.loc().line()).isGreaterThan(q.loc().line());
    assertThat(r.json()).contains("\"products_in_flight\":", "\"part\":\"products\"", "\"name\":\"v\"");
    assertThat(r.text()).contains("bound from below");
  }

  private static Report.SharedBuffer buffer(Report r, String name) {
    return r.sharedBuffers().stream().filter(b -> b.name().equals(name)).findFirst().orElseThrow();
  }
}
