package dev.tkc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.Explanations;
import dev.tkc.ir.diag.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.api.Test;

/** Every diagnostic code has a number of its own, an explanation with an example, and a golden test that shows it. */
class CodesTest {
  @ParameterizedTest
  @EnumSource(Code.class)
  void isExplained(Code code) {
    assertThat(code.id()).matches("TK\\d{4}");
    assertThat(Explanations.of(code.id()).lines().count()).isBetween(6L, 45L);
    assertThat(Explanations.of(code.id())).containsPattern("```|\n    ");
  }

  @Test
  void noNumberIsUsedTwice() {
    assertThat(Arrays.stream(Code.values()).map(Code::id)).doesNotHaveDuplicates();
  }

  @Test
  void isShownByAGoldenTest() throws IOException {
    StringBuilder goldens = new StringBuilder();
    for (Path file : Project.files(Project.ROOT.resolve("tests/src/test/tk"), "")) {
      if (file.toString().endsWith(".tk") || file.toString().endsWith(".tir")) {
        goldens.append(Files.readString(file));
      }
    }
    List<Code> unseen = Arrays.stream(Code.values())
        .filter(c -> !UNREACHABLE.contains(c) && goldens.indexOf(c.id()) < 0).toList();
    assertThat(unseen).isEmpty();
  }

  /**
   * Codes that no text and command line can bring about: they need a program that calls tkc, IR that is run by itself, a
   * machine that lacks something, or a defect of tkc. Unit tests show those that can be shown.
   */
  private static final List<Code> UNREACHABLE = List.of(
      Code.LAUNCH_COUNT, Code.LAUNCH_OVERLAP, Code.VIEW, Code.SHARED_UNORDERED, Code.READ_BEFORE_ARRIVAL, Code.OVERWRITTEN,
      Code.TRANSACTION_BYTES, Code.BARRIER_PHASE, Code.DEADLOCK, Code.PROXY_FENCE, Code.IN_FLIGHT, Code.DOT_FENCE,
      Code.LEFT_UNDER_WAY, Code.INTERRUPTED, Code.DEVICE_MEMORY,
      Code.DEVICE_FAULT, Code.DRIVER, Code.NO_ASSEMBLER, Code.NO_LINKER, Code.TENSOR_MAP, Code.INTERNAL);
}
