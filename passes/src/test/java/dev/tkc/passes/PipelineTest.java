package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineTest {
  private static final String KERNEL = TestTarget.kernel("    store %y, [%r], %t\n");

  @Test
  void tableAndOrderAgree() {
    Pipeline.check(Pipeline.STEPS, Pipeline.ORDER);
    assertThat(Pipeline.STEPS).allSatisfy(s -> assertThat(s.why()).isNotBlank());
  }

  @Test
  void aBrokenOrderIsRefused() {
    List<Step> reversed = new ArrayList<>(Pipeline.STEPS.subList(0, 3)).reversed();
    assertThatThrownBy(() ->
        Pipeline.check(reversed, List.of(new Pipeline.Before("canonicalize", "eliminate-common", "it is so"))))
        .isInstanceOf(IllegalStateException.class).hasMessageContaining("it is so");
  }

  @Test
  void unknownNamesGetASuggestion() {
    assertThatThrownBy(() -> TestTarget.run(KERNEL, "canonicalise"))
        .isInstanceOf(DiagnosticException.class)
        .satisfies(e -> assertThat(((DiagnosticException) e).getMessage()).contains("canonicalise"));
  }

  @Test
  void printsStopsAndMeasures() {
    List<String> printed = new ArrayList<>();
    List<String> seen = new ArrayList<>();
    PassOptions o = PassOptions.checked().withStopAfter("eliminate-common").withPrintAfter(Set.of("eliminate-common"))
        .withTime(true);
    PassDriver.run(IrParser.parse(KERNEL),
        new PassContext(Optional.of(TestTarget.TARGET), o, printed::add, new PassContext.Observer() {
      @Override
      public void before(Module module) {
        seen.add("before");
      }

      @Override
      public void after(Step step, Module module) {
        seen.add(step.name());
      }
    }));
    assertThat(seen).containsExactly("before", "canonicalize", "eliminate-common");
    assertThat(printed.get(0)).startsWith("// after eliminate-common\nkernel @f(");
    assertThat(printed.get(1)).contains("ms  eliminate-common");
  }

  @Test
  void aFailingPassNamesItselfAndLeavesAReproducer(@TempDir Path dir) throws Exception {
    Step bad = Step.step("break-it", Level.TILE, Pass.each((f, cx) -> {
      throw new IllegalStateException("boom");
    }), "for this test");
    Module m = IrParser.parse(KERNEL);
    PassContext cx = PassContext.of(TestTarget.TARGET, PassOptions.checked().withReproducers(dir));
    assertThatThrownBy(() -> new PassDriver(List.of(bad)).runOn(m, cx))
        .isInstanceOf(PassFailure.class).hasMessageContaining("break-it on @f: boom").hasMessageContaining(
            "tkc-crash-break-it.tir --passes=break-it --target " + TestTarget.TARGET.name() + " --verify-each");
    String saved = Files.readString(dir.resolve("tkc-crash-break-it.tir"));
    assertThat(saved).startsWith("// RUN: tkc opt %s --passes=break-it");
    assertThat(Verifier.verify(IrParser.parse(saved))).isEmpty();
  }

  @Test
  void anInvalidModuleIsTheFaultOfThePassThatLeftIt() {
    Step bad = Step.step("drop-yield", Level.TILE, Pass.each((f, cx) ->
        f.body().insts().removeIf(i -> i.op() instanceof ControlOp.Yield)), "for this test");
    assertThatThrownBy(() -> new PassDriver(List.of(bad)).runOn(
        IrParser.parse(KERNEL), PassContext.of(TestTarget.TARGET, PassOptions.checked())))
        .isInstanceOf(PassFailure.class).hasMessageContaining("drop-yield").hasMessageContaining("yield");
  }

  @Test
  void phasesBecomeDeviceFunctions() {
    for (String program : List.of(Programs.AXPY, Programs.GEMM, Programs.SOFTMAX)) {
      Module m = IrParser.parse(program);
      PassDriver.run(m, PassContext.portable(PassOptions.checked()));
      String text = IrPrinter.print(m);
      assertThat(text).contains("launch", "device @", "block_id").doesNotContain("parallel");
      assertThat(IrPrinter.print(IrParser.parse(text))).isEqualTo(text);
    }
  }
}
