package dev.tkc.passes.place;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whole programs through the whole table, on both kinds of target. */
class PlacedProgramsTest {
  static String placed(String program, TargetInfo target) {
    Module module = IrParser.parse(program);
    PassDriver.run(module, PassContext.of(target, PassOptions.checked()));
    String text = IrPrinter.print(module);
    assertThat(IrPrinter.print(IrParser.parse(text))).isEqualTo(text);
    return text;
  }

  @Test
  void everyProgramIsPlaced() {
    for (TargetInfo target : List.of(TestTargets.NARROW, TestTargets.WIDE)) {
      for (String program : List.of(Programs.AXPY, Programs.GEMM, Programs.SOFTMAX)) {
        assertThat(placed(program, target)).contains("placed");
      }
    }
  }

  @Test
  void elementwiseCodeMovesNothingBetweenThreads() {
    assertThat(placed(Programs.AXPY, TestTargets.NARROW))
        .contains("vector = 8").doesNotContain("convert_layout", "barrier");
  }

  @Test
  void littleScratchIsNotWaitedFor() {
    assertThat(placed(Programs.SOFTMAX, TestTargets.NARROW))
        .contains("scratch = 0", "scratch = 128").doesNotContain("barrier", "convert_layout");
  }

  /** Rows of any length: what is loaded ahead waits in registers, one for each element, beside the accumulators. */
  @Test
  void operandsThatWaitInRegistersAreSpreadOverMoreWarps() {
    assertThat(placed(Programs.GEMM.replace("%K: i64 div 16, %N: i64 div 16", "%K: i64, %N: i64"), TestTargets.NARROW))
        .contains("warps = 8").doesNotContain("copy_async");
  }

  /** 192 accumulators for each of four warps' threads are more than half of the registers. */
  @Test
  void warpsAreRoundedUp() {
    String program = Programs.gemm(128, 192).replace("%M: i64, %K: i64, %N: i64",
        "%M: i64 div 16, %K: i64 div 16, %N: i64 div 16");
    assertThat(placed(program, TestTargets.NARROW)).contains("warps = 8");
  }

  @Test
  void dotsGetInstructionsAndWarps() {
    assertThat(placed(Programs.GEMM, TestTargets.NARROW)).contains("instruction = \"mma.bf16\"", "warps = 4");
    assertThat(placed(Programs.GEMM, TestTargets.WIDE)).contains("instruction = \"mfma.bf16\"", "lanes = 64");
  }
}
