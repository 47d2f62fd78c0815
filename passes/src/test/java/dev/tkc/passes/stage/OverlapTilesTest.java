package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Programs;
import dev.tkc.passes.Runs;
import dev.tkc.passes.TestTargets;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which loops over tiles begin the next tile early, what they look like then, and that the results are the same, bit
 * for bit.
 */
class OverlapTilesTest {
  private static final String[] FRONT = {
    "canonicalize", "eliminate-common", "hoist-invariant", "eliminate-dead", "outline-phases", "clean-device",
    "persist-grid", "clean-grid", "fold-bounds", "rotate-loops"
  };

  /** Attention of the corpus by blocks that stay, its tiles copied in bulk and its products asynchronous. */
  private static String attention() {
    return Programs.corpus("attention.tir").replace("%S: i64) {", "%S: i64) #{persistent} {")
        .replace("{precision = default}", "{precision = default} #{instruction = \"wgmma.bf16\"}")
        .replaceAll("(%[qkv][ij] = load .*, _)", "$1 #{bulk}");
  }

  private static Module pass(Module m, TargetInfo target, String... rows) {
    PassDriver.run(m, PassContext.of(target, PassOptions.checked().withOnly(rows)));
    return m;
  }

  private static Module rotated(String text, int processors) {
    TargetInfo target = TestTargets.BULK.withProcessors(processors);
    return pass(IrParser.parse(text), target, FRONT);
  }

  private static String overlapped(String text) {
    return IrPrinter.print(pass(rotated(text, 1), TestTargets.BULK, "overlap-tiles"));
  }

  private static List<String> ops(String text) {
    return text.lines()
        .map(l -> l.replaceFirst("^ *%\\S+(?:, %\\S+)* = (\\w+).*", "$1").replaceFirst("^ *(store) .*", "$1"))
        .filter(o -> List.of("dot", "exp2", "for", "if", "store").contains(o)).toList();
  }

  @Test
  void theNextTilesFirstProductStandsBesideTheLastOne() {
    String text = overlapped(attention());
    String round = text.substring(text.indexOf("#{tiles}"));
    // The rounds; if there is another tile its first product, the last one of this tile, its softmax; else only the
    // last one. Without rounds places.
    assertThat(ops(round)).containsExactly(
        "if", "for", "dot", "dot", "exp2", "exp2", "if", "dot", "dot", "exp2", "exp2", "dot", "if", "store");
    assertThat(round).containsPattern("%next = add %tile, %\\d+ #\\{next_tile\\}");
    // One on each way through the body: with rounds and without.
    assertThat(round.split("#\\{next_tile\\}")).hasSize(3);
    assertThat(text).contains("_ #{again, bulk}")
        .containsPattern("(?s)#\\{bulk, kept\\}.*#\\{tiles\\}.*#\\{bulk, kept\\}");
  }

  @Test
  void whetherThereAreRoundsIsAskedOnce() {
    String text = overlapped(attention());
    // 0 < min(S, i + 16, N) says no more than 0 < S and 0 < N.
    assertThat(text.substring(text.indexOf("#{tiles}"))).doesNotContainPattern("= lt %\\d+, %(hi|\\d+) : bool\\s+%m");
    assertThat(text.substring(0, text.indexOf("#{tiles}"))).containsPattern("lt %\\d+, %S")
        .containsPattern("lt %\\d+, %N");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void resultsAreTheSame(int processors) {
    String program = attention();
    Module plain = rotated(program, processors);
    Module early = pass(rotated(program, processors), TestTargets.BULK, "overlap-tiles");
    assertThat(IrPrinter.print(early)).isNotEqualTo(IrPrinter.print(plain));
    Module cleaned = pass(IrParser.parse(IrPrinter.print(early)), TestTargets.BULK, "clean-interior");
    for (String run : Runs.of(program)) {
      List<byte[]> expected = Runs.memory(plain, run);
      assertThat(Runs.memory(early, run)).as(run).usingRecursiveComparison().isEqualTo(expected);
      assertThat(Runs.memory(cleaned, run)).as(run).usingRecursiveComparison().isEqualTo(expected);
    }
  }

  private static void stays(String text) {
    assertThat(text).isNotEqualTo(attention());
    assertThat(overlapped(text)).isEqualTo(IrPrinter.print(rotated(text, 1)));
  }

  @Test
  void tilesOfWhichSomeHaveNoRoundStay() {
    stays(attention().replace("for %c0, %hi,", "for %i, %S,"));
  }

  @Test
  void aHeadThatReadsWhatIsWrittenStays() {
    stays(attention().replace("%inf = constant", """
        %old = load %to, [%h, %ri, %all], _ : f32[16, 8]
              %inf = constant""").replace("dot %qi, %kt", "dot %ob, %kt").replace("%kt = permute", """
        %ob = cast %old {to = bf16, kind = saturate} : bf16[16, 8]
                %kt = permute"""));
  }

  @Test
  void aKeptTileThatTheResultNeedsStays() {
    stays(attention().replace("store %to, [%h, %ri, %all], %out", """
        %qf = cast %qi {to = f32, kind = saturate} : f32[16, 8]
              %sum = add %out, %qf : f32[16, 8]
              store %to, [%h, %ri, %all], %sum"""));
  }
}
