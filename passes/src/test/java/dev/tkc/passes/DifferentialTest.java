package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.target.TargetInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs every program of the corpus in the interpreter, as written and after each pass, those for a target included: the
 * memory must be the same, bit for bit. A program that says {@code approximate} may differ by rounding. {@link Runs}
 * reads the arguments.
 */
class DifferentialTest {
  @TestFactory
  Stream<DynamicTest> everyPassKeepsTheMeaning() throws IOException, URISyntaxException {
    Path corpus = Path.of(Objects.requireNonNull(DifferentialTest.class.getResource("corpus")).toURI());
    List<Path> files;
    try (Stream<Path> all = Files.list(corpus)) {
      files = all.filter(f -> f.toString().endsWith(".tir")).sorted().toList();
    }
    assertThat(files).hasSizeGreaterThan(7);
    return files.stream().flatMap(f -> Stream.of(
        DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(Files.readString(f), Optional.empty())),
        DynamicTest.dynamicTest(
            f.getFileName() + ", narrow", () -> check(Files.readString(f), Optional.of(TestTargets.NARROW))),
        DynamicTest.dynamicTest(
            f.getFileName() + ", wide", () -> check(Files.readString(f), Optional.of(TestTargets.WIDE)))));
  }

  private static void check(String text, Optional<TargetInfo> target) {
    // All sizes for the passes of every target; those for one target are run on two.
    List<String> runs = Runs.of(text).stream().limit(target.isPresent() ? 2 : Long.MAX_VALUE).toList();
    assertThat(runs).isNotEmpty();
    boolean approximate = text.contains("// approximate");
    Module original = IrParser.parse(text);
    assertThat(Verifier.verify(original)).isEmpty();
    List<List<byte[]>> expected = runs.stream().map(r -> Runs.memory(original, r)).toList();
    Module module = IrParser.parse(text);
    PassOptions options = PassOptions.checked();
    PassDriver.run(module, new PassContext(target, options, s -> { }, new PassContext.Observer() {
      @Override
      public void before(Module m) {}

      @Override
      public void after(Step step, Module m) {
        if (target.isEmpty()) {
          assertThat(IrPrinter.print(IrParser.parse(IrPrinter.print(m)))).isEqualTo(IrPrinter.print(m));
        }
        for (int i = 0; i < runs.size(); i++) {
          compare(step.name() + " with " + runs.get(i), Runs.memory(m, runs.get(i)), expected.get(i), approximate, m);
        }
      }
    }));
  }

  private static void compare(String what, List<byte[]> actual, List<byte[]> expected, boolean approximate, Module m) {
    for (int i = 0; i < actual.size(); i++) {
      byte[] a = actual.get(i);
      byte[] e = expected.get(i);
      if (!approximate) {
        assertThat(a).as(() -> what + "\n" + IrPrinter.print(m)).isEqualTo(e);
        continue;
      }
      for (int at = 0; at + 4 <= a.length; at += 4) {
        float x = MemorySegment.ofArray(a).get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
        float y = MemorySegment.ofArray(e).get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
        assertThat(Math.abs(x - y) <= 1e-5 * Math.max(1, Math.abs(y)) || Float.isNaN(x) && Float.isNaN(y))
            .as(what).isTrue();
      }
    }
  }
}
