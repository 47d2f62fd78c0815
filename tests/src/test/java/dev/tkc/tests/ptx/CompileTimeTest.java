package dev.tkc.tests.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.Constants;
import dev.tkc.Device;
import dev.tkc.Kernel;
import dev.tkc.Parameter;
import dev.tkc.Target;
import dev.tkc.Tkc;
import dev.tkc.tests.Project;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * In a process that has compiled before, every kernel of the library becomes PTX in less than half a second, the choice
 * of its schedule included, at sizes that people have. What counts is the compiling thread's processor time: nothing is
 * compiled on other threads, and the machine may be busy with something else.
 */
class CompileTimeTest {
  private static final long LIMIT_MILLIS = 500;
  private static final int TRIES = 4;
  private static final Target TARGET = Target.of("sm_90a");

  private static final Map<String, Long> SIZES = Map.ofEntries(
      Map.entry("M", 4096L), Map.entry("N", 4096L), Map.entry("K", 4096L), Map.entry("D", 128L), Map.entry("B", 4L),
      Map.entry("H", 16L), Map.entry("G", 16L), Map.entry("S", 4096L), Map.entry("F", 64L), Map.entry("V", 32768L),
      Map.entry("A", 64L), Map.entry("R", 512L), Map.entry("C", 1024L), Map.entry("T", 4096L), Map.entry("PAGE", 64L));

  /** Where a size above would be another kernel's. */
  private static final Map<String, Map<String, Long>> OTHERWISE = Map.of(
      "softmax", Map.of("M", 8192L, "D", 8192L),
      "log_softmax", Map.of("M", 8192L, "D", 8192L),
      "layernorm_forward", Map.of("M", 16384L, "D", 4096L),
      "rmsnorm_forward", Map.of("M", 16384L, "D", 4096L),
      "dropout_residual_layernorm", Map.of("M", 16384L, "D", 4096L),
      "gemm_skinny", Map.of("M", 16L),
      "gemm_split_k", Map.of("M", 512L, "N", 512L, "K", 16384L));

  @TestFactory
  List<DynamicTest> library() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path file : Project.files(Project.ROOT.resolve("kernels"), ".tk")) {
      try (Tkc tkc = Tkc.create(Device.interpreter())) {
        for (Kernel k : tkc.load(file).kernels()) {
          tests.add(DynamicTest.dynamicTest(k.name(), () -> isQuick(file, k.name())));
        }
      }
    }
    assertThat(tests).hasSizeGreaterThan(40);
    return tests;
  }

  private static void isQuick(Path file, String name) {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < TRIES && best > LIMIT_MILLIS; i++) {
      best = Math.min(best, millis(file, name));
    }
    assertThat(best).isLessThanOrEqualTo(LIMIT_MILLIS);
  }

  private static long millis(Path file, String name) {
    try (Tkc tkc = Tkc.create(Device.interpreter())) {
      Kernel kernel = tkc.load(file).kernel(name);
      Constants sizes = sizes(kernel);
      long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      assertThat(kernel.compile(TARGET, sizes).assembly()).contains(".entry");
      return (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1_000_000;
    }
  }

  private static Constants sizes(Kernel kernel) {
    Set<String> known = new HashSet<>();
    for (Parameter p : kernel.parameters()) {
      p.dims().forEach(d -> known.addAll(List.of(d.split("\\W+"))));
    }
    Constants all = Constants.none();
    for (String name : known) {
      Long size = OTHERWISE.getOrDefault(kernel.name(), Map.of()).getOrDefault(name, SIZES.get(name));
      all = size == null ? all : all.and(name, size);
    }
    return all;
  }
}
