package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.Computation;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Which products run a round late or ahead, what a round then looks like, and that the results are the same. Rotating
 * the loop comes first where the registers suffice, so it is left out here.
 */
class StaggerLoopsTest {
  private static final PassOptions OPTIONS = PassOptions.checked().withDisabled(Set.of("rotate-loops"));

  private static final String PLAIN = Programs.BACKWARD;

  private static String staggered(String text) {
    Module m = IrParser.parse(text);
    PassDriver.run(m, PassContext.of(TestTargets.BULK, OPTIONS.withStopAfter("stagger-loops")));
    return IrPrinter.print(m);
  }

  private static String changed(String from, String to) {
    assertThat(PLAIN).contains(from);
    return PLAIN.replace(from, to);
  }

  /** The rounds between the first and the last: the loop over {@code %i}. */
  private static String round(String text) {
    int from = text.indexOf("(%i: i64");
    return text.substring(text.lastIndexOf('\n', from) + 1, text.indexOf('}', text.indexOf("yield", from)));
  }

  private static List<String> ops(String text) {
    return text.lines().map(String::strip).map(l -> l.replaceFirst("^%[^=]* = (\\w+).*", "$1").split(" ")[0])
        .filter(o -> List.of("dot", "mul", "cast", "atomic", "store", "load").contains(o)).toList();
  }

  @Test
  void oneProductRunsLateAndOneAheadAndBothStartBeforeTheLast() {
    String text = staggered(PLAIN);
    String round = round(text);
    // This round's x again and its arithmetic; the late product, the next round's x and first product, this round's
    // sum.
    assertThat(ops(round)).containsExactly("load", "mul", "cast", "dot", "load", "dot", "dot", "atomic");
    assertThat(round).contains("#{again, bulk}").contains("#{bulk, kept}")
        .containsPattern("%next\\w*: f32\\[64, 64\\], %d\\w*: bf16\\[64, 64\\], %s\\w*: f32\\[64, 64\\]");
    // The first round's sum stands in front, the last one's memory is added to behind, each under its condition.
    assertThat(text.split("#\\{staggered\\}")).hasSize(3);
    assertThat(ops(text.substring(text.indexOf("%aj = load"), text.indexOf(round))))
        .containsExactly("load", "load", "dot", "mul", "cast", "dot", "load", "dot");
    assertThat(ops(text.substring(text.indexOf(round) + round.length())))
        .containsExactly("load", "mul", "cast", "dot", "dot", "atomic", "dot", "atomic", "store");
  }

  private static Computation computation(String text, int s, int n) {
    return new Computation(text, List.of(Computation.whole(1, 64 * s), Computation.whole(2, 64 * n),
        new byte[4 * 64 * s], new byte[4 * 64 * n]), List.of(s, n));
  }

  /** Three rounds and more, two, one, none; tiles with and without rows that are missing. */
  @ParameterizedTest
  @CsvSource({"64, 256", "100, 128", "64, 64", "70, 0"})
  void resultsAreTheSame(int s, int n) {
    Computation backward = computation(PLAIN, s, n);
    assertThat(backward.sameAfterEveryPass(Optional.of(TestTargets.BULK), OPTIONS))
        .contains("stagger-loops", "partition-roles", "insert-barriers");
  }

  @Test
  void aLoopThatRotatesStays() {
    assertThat(IrPrinter.print(Programs.after("stagger-loops", PLAIN, TestTargets.BULK)))
        .contains("#{rotated}").doesNotContain("staggered");
  }

  private static void onlyAhead(String text) {
    String round = round(staggered(text));
    assertThat(round).contains("kept").contains("again");
    String carried = round.lines().findFirst().orElseThrow();
    assertThat(carried).containsPattern("%s\\w*: f32\\[64, 64\\]").doesNotContain(": bf16");
  }

  @Test
  void memoryThatTheRoundReadsIsNotAddedToLate() {
    onlyAhead(changed("%s2 = mul %s, %s", "%old = load %ty, [%rd, %ri], _ : f32[64, 64]\n%s2 = mul %s, %old"));
  }

  @Test
  void aSumThatIsStoredIsNotLate() {
    onlyAhead(changed("atomic %ty, [%rd, %ri], %t {kind = add}", "store %ty, [%rd, %ri], %t"));
  }

  @Test
  void aSumThatIsCarriedOnIsNotLate() {
    onlyAhead(changed("yield [%next]", "%more = add %next, %t : f32[64, 64]\nyield [%more]"));
  }

  @Test
  void aProductWhoseOperandWaitsInRegistersIsNotLate() {
    onlyAhead(changed("dot %at, %d, %zeros", "dot %d, %aj, %zeros"));
  }

  @Test
  void aFirstProductThatNeedsTheRoundBeforeIsNotAhead() {
    String round = round(staggered(changed("dot %aj, %xt, %zeros", "dot %aj, %xt, %kj")));
    assertThat(round).doesNotContain("kept").doesNotContain("again");
    assertThat(round.lines().findFirst().orElseThrow()).containsPattern("%d\\w*: bf16\\[64, 64\\]")
        .doesNotContainPattern("%s\\w*: f32");
    assertThat(ops(round)).containsExactly("load", "dot", "mul", "cast", "dot", "dot", "atomic");
  }

  @Test
  void roundsThatRunBackwardsStay() {
    assertThat(staggered(changed("{step = 64} (%i: i64, %kj", "{step = 64, reversed} (%i: i64, %kj")))
        .doesNotContain("staggered");
  }

  /** Three tiles for one of two blocks, two for the other: what is a round is a tile then. */
  @Test
  void theLoopOverTilesIsStaggeredWhereEachHasOneRound() {
    String text = changed("for %c0, %N, [%zeros]", "for %c0, %D, [%zeros]");
    assertThat(staggered(text)).containsPattern("for .* #\\{tiles\\} \\(%tile: i\\d+, %s\\w*: f32\\[64, 64\\]\\)");
    Computation oneRound = computation(text, 300, 64);
    assertThat(oneRound.sameAfterEveryPass(Optional.of(TestTargets.BULK.withProcessors(2)), OPTIONS))
        .contains("insert-barriers");
  }

  @Test
  void functionsWithoutAsynchronousProductsStay() {
    String small = PLAIN.replace("[64, 64]", "[16, 16]").replace("{size = 64} : range<64>", "{size = 16} : range<16>")
        .replace("{step = 64}", "{step = 16}");
    assertThat(staggered(small)).contains("synchronous = ").doesNotContain("staggered");
  }

  /** The same with sums of so many columns, half as many registers each. */
  private static String wide(int columns) {
    return PLAIN.replace("%D = constant {value = 64 : i64}", "%D = constant {value = WIDE : i64}")
        .replace("range %c0, %c1, %D {size = 64} : range<64>", "range %c0, %c1, %D {size = WIDE} : range<WIDE>")
        .replace("_ : bf16[64, 64]", "_ : bf16[64, WIDE]")
        .replaceAll("(= permute .*) : bf16\\[64, 64\\]", "$1 : bf16[WIDE, 64]")
        .replace("%sum = for", "%z2 = splat %zero {shape = [64, WIDE]} : f32[64, WIDE]\n"
            + "%z3 = splat %zero {shape = [WIDE, 64]} : f32[WIDE, 64]\n%sum = for")
        .replace("%N, [%zeros]", "%N, [%z2]").replace("%kj: f32[64, 64]", "%kj: f32[64, WIDE]")
        .replaceAll("(%next = dot .*) : f32\\[64, 64\\]", "$1 : f32[64, WIDE]")
        .replaceAll("(%t = dot .*), %zeros (.*) : f32\\[64, 64\\]", "$1, %z3 $2 : f32[WIDE, 64]")
        .replaceAll("\\} : f32\\[64, 64\\](\\s+store)", "} : f32[64, WIDE]$1").replace("WIDE", "" + columns);
  }

  @Test
  void onlyWhatFitsTheRegistersIsMoved() {
    assertThat(wide(64)).isEqualToNormalizingWhitespace(changed("%sum = for", "%z2 = splat %zero {shape = [64, 64]} "
        + ": f32[64, 64]\n%z3 = splat %zero {shape = [64, 64]} : f32[64, 64]\n%sum = for")
        .replace("%N, [%zeros]", "%N, [%z2]").replace("dot %at, %d, %zeros", "dot %at, %d, %z3"));
    // Two sums of 96 registers and the late one's operand in memory; another 32 are too many.
    assertThat(ops(round(staggered(wide(192))))).containsExactly("load", "dot", "mul", "cast", "dot", "dot", "atomic");
  }
}
