package dev.tkc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.Explanations;
import dev.tkc.ir.diag.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
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
    String goldens = text(Project.ROOT.resolve("tests/src/test/tk"), ".tk", ".tir");
    assertThat(Arrays.stream(Code.values()).filter(c -> !ELSEWHERE.containsKey(c) && !goldens.contains(c.id())))
        .isEmpty();
    assertThat(ELSEWHERE.keySet()).as("have a golden test after all").noneMatch(c -> goldens.contains(c.id()));
  }

  /** What no golden test can show, the unit test named beside the reason shows. */
  @Test
  void isShownElsewhere() throws IOException {
    for (Map.Entry<Code, Shown> e : ELSEWHERE.entrySet()) {
      String[] place = e.getValue().test().split("/");
      Path file = Project.ROOT.resolve(place[0] + "/src/test/java/dev/tkc/"
          + String.join("/", List.of(place).subList(1, place.length)) + ".java");
      assertThat(Files.readString(file)).as(file.toString()).contains("Code." + e.getKey().name());
    }
  }

  private static String text(Path folder, String... endings) throws IOException {
    StringBuilder all = new StringBuilder();
    for (Path file : Project.files(folder, "")) {
      if (Arrays.stream(endings).anyMatch(file.toString()::endsWith)) {
        all.append(Files.readString(file));
      }
    }
    return all.toString();
  }

  /** Why text and a command line cannot bring a code about, and the test that shows it. */
  private record Shown(String test, String why) {}

  private static final Map<Code, Shown> ELSEWHERE = elsewhere();

  private static Map<Code, Shown> elsewhere() {
    Map<Code, Shown> all = new EnumMap<>(Code.class);
    Shown launch = new Shown("compiler/launch/BinderTest",
        "only a program that calls tkc: the checker counts a test's arguments");
    all.put(Code.LAUNCH_COUNT, launch);
    all.put(Code.VIEW,
        new Shown("ir/ir/interp/MemoryEvalTest", "only IR that is run by itself: a launch checks views beforehand"));
    Shown staged = new Shown("ir/ir/interp/StagedEvalTest",
        "only staged IR: the language has no copies, barriers or products in flight");
    List.of(Code.SHARED_UNORDERED, Code.READ_BEFORE_ARRIVAL, Code.OVERWRITTEN, Code.TRANSACTION_BYTES,
        Code.BARRIER_PHASE, Code.DEADLOCK, Code.PROXY_FENCE, Code.IN_FLIGHT, Code.DOT_FENCE, Code.LEFT_UNDER_WAY)
            .forEach(c -> all.put(c, staged));
    all.put(Code.NUMBERS_DRAWN, new Shown("ir/ir/interp/DrawsTest", "only placed IR: no program draws numbers"));
    all.put(Code.ARRIVALS, new Shown("ir/ir/interp/ArrivalsTest", "only IR that passes make: no program arrives"));
    all.put(Code.INTERRUPTED, new Shown("ir/ir/interp/LimitsTest", "only an interrupted thread"));
    Shown device = new Shown("backend-ptx/backend/ptx/CudaRuntimeTest", "only a GPU, or a driver that refuses");
    List.of(Code.DEVICE_MEMORY, Code.DEVICE_FAULT, Code.DRIVER).forEach(c -> all.put(c, device));
    all.put(Code.TENSOR_MAP, new Shown("backend-ptx/backend/ptx/CudaTensorMapTest", "only a GPU's driver"));
    all.put(Code.NO_ASSEMBLER,
        new Shown("backend-ptx/backend/ptx/PtxAssemblerTest", "only a target newer than every assembler"));
    all.put(Code.NO_LINKER,
        new Shown("backend-amdgcn/backend/amdgcn/AmdgcnLinkerTest", "only a machine that cannot run its linker"));
    all.put(Code.INTERNAL,
        new Shown("grammar/grammar/lower/MutationTest", "only a defect of tkc; the test looks for one"));
    return all;
  }
}
