package dev.tkc.tests.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.KernelModule;
import dev.tkc.PtxOnHost;
import dev.tkc.Target;
import dev.tkc.Tkc;
import dev.tkc.host.TestResult;
import dev.tkc.host.TestRunner;
import dev.tkc.tests.Project;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The library's own tests, with every kernel run as PTX on the host. */
class PtxKernelsTest {
  @TestFactory
  List<DynamicTest> library() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (var files = Files.list(Project.ROOT.resolve("kernels"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".tk")).sorted().toList()) {
        tests.add(DynamicTest.dynamicTest(file.getFileName().toString(), () -> run(file)));
      }
    }
    return tests;
  }

  static void run(Path file) {
    try (Tkc tkc = PtxOnHost.session(Target.of("sm_90a"))) {
      KernelModule module = tkc.load(file);
      for (var test : module.testItems()) {
        TestResult result = TestRunner.run(module, test);
        assertThat(result.findings()).as(result.title()).isEmpty();
      }
    }
  }
}
