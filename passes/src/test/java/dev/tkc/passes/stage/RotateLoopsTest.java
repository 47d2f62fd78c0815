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
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which loops are rotated, what a round then looks like, and that the results are the same, bit for bit. */
class RotateLoopsTest {
  private static final String[] FRONT = {
    "canonicalize", "eliminate-common", "hoist-invariant", "eliminate-dead", "outline-phases", "clean-device",
        "fold-bounds"
  };

  /** The corpus's program after the first passes, all its dots taken for asynchronous ones. */
  private static Module outlined(String text, String... more) {
    Module m =
        IrParser.parse(text.replace("{precision = default}", "{precision = default} #{instruction = \"wgmma.bf16\"}"));
    return pass(pass(m, FRONT), more);
  }

  private static Module pass(Module m, String... rows) {
    if (rows.length > 0) {
      PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly(rows)));
    }
    return m;
  }

  private static String rotated(String text) {
    return IrPrinter.print(pass(outlined(text), "rotate-loops"));
  }

  @Test
  void theProductOfTheRoundBeforeStandsBehindThisRoundsFirst() {
    String text = rotated(Programs.corpus("attention.tir"));
    String round = text.substring(text.indexOf("= for "), text.indexOf("yield", text.indexOf("= for ")));
    List<String> ops = round.lines().map(l -> l.replaceFirst("^ *%\\S+ = (\\w+).*", "$1"))
        .filter(o -> List.of("dot", "exp2", "reduce", "cast", "load", "div").contains(o)).toList();
    assertThat(ops).containsExactly("load", "dot", "load", "dot", "reduce", "exp2", "exp2", "reduce", "cast");
    assertThat(round.lines().findFirst().orElseThrow()).containsPattern("%pb\\w*: bf16").containsPattern("%c\\w*: f32");
    assertThat(text).containsOnlyOnce("= for ");
  }

  @Test
  void theSecondHalfLoadsForItsOwnRound() {
    String text = rotated(Programs.corpus("attention.tir"));
    String round = text.substring(text.indexOf("= for "), text.indexOf("yield", text.indexOf("= for ")));
    String before = round.lines().filter(l -> l.contains("= sub %j")).findFirst().orElseThrow().strip().split(" ")[0];
    assertThat(round).containsPattern("range " + before + ", ");
  }

  @ParameterizedTest
  @CsvSource({"attention.tir, fold-bounds", "attention.tir, peel-loops", "attention.tir, version-interior"})
  void resultsAreTheSame(String name, String also) {
    String forwards = Programs.corpus(name);
    for (String program : List.of(forwards, forwards.replace("{step = 4}", "{step = 4, reversed}"))) {
      Module plain = outlined(program, also);
      Module late = pass(outlined(program, also), "rotate-loops");
      assertThat(IrPrinter.print(late)).isNotEqualTo(IrPrinter.print(plain));
      Module cleaned = pass(IrParser.parse(IrPrinter.print(late)), "clean-interior");
      for (String run : Runs.of(program)) {
        List<byte[]> expected = Runs.memory(plain, run);
        assertThat(Runs.memory(late, run)).as(run).usingRecursiveComparison().isEqualTo(expected);
        assertThat(Runs.memory(cleaned, run)).as(run).usingRecursiveComparison().isEqualTo(expected);
      }
    }
  }

  @Test
  void roundsBehindTheOneWithAMaskHaveNone() {
    String program = Programs.corpus("attention.tir").replace("{step = 4}", "{step = 4, reversed}");
    Module late = pass(outlined(program), "rotate-loops");
    assertThat(rounds(late)).contains("valid");
    Module folded = pass(late, "fold-rounds");
    // The last keys, of which some may not exist, are the first round's; the others all exist.
    assertThat(rounds(folded)).doesNotContain("valid").contains("ge %");
    Module plain = outlined(program);
    for (String run : Runs.of(program)) {
      assertThat(Runs.memory(folded, run)).as(run).usingRecursiveComparison().isEqualTo(Runs.memory(plain, run));
    }
  }

  /** Six rows and four keys: the diagonal goes through two tiles of keys. */
  @Test
  void aSecondRoundWithAMaskLeavesTheLoop() {
    String program = Programs.corpus("attention.tir").replaceAll("(?<!=)\\b16\\b", "6")
        .replace("{step = 4}", "{step = 4, reversed}");
    Module late = outlined(program);
    late.funcs().getLast().annotations().put("asynchronous", true);
    pass(late, "branch-masks", "rotate-loops", "fold-rounds");
    assertThat(IrPrinter.print(late)).containsOnlyOnce("= for ");
    assertThat(rounds(late)).contains("= if ", "ge %");
    Module split = pass(late, "split-rounds", "fold-split");
    String[] loops = IrPrinter.print(split).split("= for ");
    assertThat(loops).hasSize(3);
    assertThat(loops[1]).contains("= if ");
    assertThat(loops[2].substring(0, loops[2].indexOf("yield"))).contains("exp2").doesNotContain("= if ", "select");
    Module plain = outlined(program);
    for (String run : Runs.of(program)) {
      assertThat(Runs.memory(split, run)).as(run).usingRecursiveComparison().isEqualTo(Runs.memory(plain, run));
    }
  }

  private static String rounds(Module m) {
    String text = IrPrinter.print(m);
    return text.substring(text.indexOf("= for "), text.indexOf("yield", text.indexOf("= for ")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemm.tir", "products.tir", "split.tir", "window.tir"})
  void productsThatNeedNoOtherStay(String name) {
    String text = Programs.corpus(name);
    assertThat(rotated(text)).isEqualTo(IrPrinter.print(outlined(text)));
  }

  @Test
  void aRoundThatStoresWhatTheSecondProductGivesStays() {
    String text = Programs.corpus("attention.tir")
        .replace("yield [%m2, %l2, %a2]", "store %to, [%h, %ri, %all], %a2\n yield [%m2, %l2, %a2]");
    assertThat(rotated(text)).isEqualTo(IrPrinter.print(outlined(text)));
  }

  @Test
  void aSecondProductThatTheFirstNeedsStays() {
    String text = Programs.corpus("attention.tir").replace("%s = dot %qi, %kt, %z4", """
            %qs = slice %aj {offsets = [0, 0], shape = [16, 8]} : f32[16, 8]
            %qc = cast %qs {to = bf16, kind = saturate} : bf16[16, 8]
            %s = dot %qc, %kt, %z4""");
    assertThat(rotated(text)).isEqualTo(IrPrinter.print(outlined(text)));
  }

  @Test
  void theBoundaryGoesOnWhereTheSteadyLoopEnds() {
    Module peeled = outlined(Programs.corpus("attention.tir"), "peel-loops", "fold-interior");
    String text = IrPrinter.print(pass(peeled, "rotate-loops"));
    String chained = text.substring(text.indexOf("#{interior}"));
    String between = chained.substring(chained.indexOf("= if "), chained.indexOf("#{boundary}"));
    List<String> ops = between.lines().map(l -> l.replaceFirst("^ *%\\S+ = (\\w+).*", "$1"))
        .filter(o -> List.of("dot", "exp2", "reduce", "cast").contains(o)).toList();
    // The boundary's first product, the steady loop's last one, and what follows from the first.
    assertThat(ops).containsExactly("dot", "dot", "reduce", "exp2", "exp2", "reduce", "cast");
    // Steady rounds, the boundary's rounds behind them, and the boundary's rounds where there are no others.
    assertThat(text.split("= for ")).hasSize(4);
  }

  @Test
  void aBoundaryLoopStays() {
    Module m = outlined(Programs.corpus("attention.tir"));
    m.funcs().getLast().body().walk(i -> {
      if (!i.regions().isEmpty()) {
        i.annotate("boundary", true);
      }
    });
    String before = IrPrinter.print(m);
    assertThat(IrPrinter.print(pass(m, "rotate-loops"))).isEqualTo(before);
  }
}
