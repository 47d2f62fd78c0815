package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import dev.tkc.passes.target.TargetInfo;
import org.junit.jupiter.api.Test;

/** What each pass of the pipeliner leaves for the next. */
class PipeliningTest {
  private static String after(String pass, String program, TargetInfo target) {
    return IrPrinter.print(Programs.after(pass, program, target));
  }

  @Test
  void loadsThatFeedDotsAreMarkedAndProvedInside() {
    assertThat(after("assign-latencies", Programs.GEMM, TestTargets.NARROW))
        .contains("#{inbounds = [0, 1], latency = 2}", "#{inbounds = [1, 0], latency = 2}");
    assertThat(after("assign-latencies", Programs.SOFTMAX, TestTargets.NARROW)).doesNotContain("latency");
  }

  @Test
  void stagesAreThoseOfTheLatencyOrTwoThroughRegisters() {
    assertThat(after("schedule-loops", Programs.GEMM, TestTargets.NARROW)).contains("stages = 3").contains("stage = 0");
    assertThat(after("schedule-loops", Programs.GEMM, TestTargets.WIDE)).contains("stages = 2");
  }

  @Test
  void stagedLoadsGoThroughBuffersOneRoundAtATime() {
    assertThat(after("stage-loads", Programs.GEMM, TestTargets.NARROW))
        .contains("shared<bf16[128, 32], 3>", "copy_async", "copy_wait {pending = 0}", "barrier");
    assertThat(after("stage-loads", Programs.GEMM, TestTargets.WIDE))
        .contains("shared<bf16[128, 32], 1>", "shared_store").doesNotContain("copy_async");
  }

  @Test
  void theExpandedLoopWaitsForAllButTheYoungestGroups() {
    assertThat(after("expand-pipeline", Programs.GEMM, TestTargets.NARROW))
        .contains("copy_wait {pending = 1}").doesNotContain("copy_wait {pending = 0}", "stages =");
  }

  @Test
  void dotsAreCutByTheInstructionsK() {
    assertThat(after("slice-dots", Programs.GEMM, TestTargets.NARROW))
        .contains("{offsets = [0, 16], shape = [128, 16]}", "{offsets = [16, 0], shape = [16, 128]}");
  }

  @Test
  void oneBarrierARoundIsEnough() {
    String text = after("insert-barriers", Programs.GEMM, TestTargets.NARROW);
    String loop = text.substring(text.indexOf("= for "), text.indexOf("yield [%d"));
    assertThat(loop).containsOnlyOnce("barrier");
  }

  @Test
  void whatCopiesLookUpIsLoadedARoundBeforeThem() {
    String text = after("expand-pipeline", Programs.corpus("paged.tir"), TestTargets.NARROW);
    String loop = text.substring(text.indexOf("= for "), text.indexOf("dot "));
    assertThat(loop.indexOf("copy_async")).isPositive().isLessThan(loop.indexOf("load %tt, "));
    assertThat(loop).containsOnlyOnce("copy_async ").contains("yield [%number");
  }
}
