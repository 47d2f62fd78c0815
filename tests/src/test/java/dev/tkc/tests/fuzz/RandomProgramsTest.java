package dev.tkc.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.Device;
import dev.tkc.Execution;
import dev.tkc.Target;
import dev.tkc.Tkc;
import dev.tkc.fuzz.DeviceComparison.Difference;
import dev.tkc.fuzz.DeviceComparison;
import dev.tkc.fuzz.Fuzzer;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.Step;
import dev.tkc.tests.emulator.EmulatedDevice;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random programs mean the same before and after the passes, and as PTX; a pass that is wrong is noticed and pinned
 * down.
 */
class RandomProgramsTest {
  /** The time that each of the slow tests has. */
  private static final Duration SLOW = Duration.ofMinutes(Long.getLong("tkc.slow.minutes", 5));

  /** So many programs a slow test tries on the slowest machine that it is for. */
  private static final long LEAST = 100;

  /** The same where they run on the emulator, which takes some seconds for each. */
  private static final long LEAST_EMULATED = 10;

  private static final Execution INTERPRETED =
      (module, arguments) -> new Interpreter(Interpreter.Options.defaults()).run(module, arguments);

  @ParameterizedTest
  @ValueSource(strings = {"sm_90a", "gfx942"})
  void thePassesKeepResults(String target) {
    agree(Device.passes(Target.of(target)), 1, 75);
  }

  @Tag("slow")
  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90a", "gfx942", "gfx950"})
  void thePassesKeepResultsOfManyPrograms(String target) {
    try (Tkc reference = Tkc.create(Device.interpreter());
        Tkc other = Tkc.create(Device.passes(Target.of(target)))) {
      agreeInTime(target, new DeviceComparison(reference, other), LEAST, 3000);
    }
  }

  /** As many programs as there is time for ({@code -Dtkc.slow.minutes}), but not too few; says how far it is. */
  private static void agreeInTime(String name, DeviceComparison comparison, long least, int most) {
    Fuzzer.Outcome outcome = Fuzzer.run(comparison,
        new Fuzzer.Plan(1, most, 3, Duration.ofMinutes(2), Optional.of(SLOW), Optional.empty()),
        line -> System.out.println("random programs, " + name + ": " + line));
    System.out.println("random programs, " + name + ": " + outcome.summary());
    assertThat(outcome.differences()).as(() -> String.join(
        "\n", outcome.differences().stream().map(Difference::text).toList())).isEmpty();
    assertThat(outcome.programs()).isGreaterThanOrEqualTo(least);
  }

  private static void agree(Device device, long first, int count) {
    try (Tkc reference = Tkc.create(Device.interpreter()); Tkc other = Tkc.create(device)) {
      agree(new DeviceComparison(reference, other), first, count);
    }
  }

  private static void agree(DeviceComparison comparison, long first, int count) {
    Fuzzer.Outcome outcome = run(comparison, first, count, 3);
    assertThat(outcome.differences()).as(() -> String.join(
        "\n", outcome.differences().stream().map(Difference::text).toList())).isEmpty();
    assertThat(outcome.programs()).isEqualTo(count);
  }

  private static Fuzzer.Outcome run(DeviceComparison comparison, long first, int count, int stopAfter) {
    return Fuzzer.run(comparison, new Fuzzer.Plan(
        first, count, stopAfter, Duration.ofMinutes(2), Optional.empty(), Optional.empty()), _ -> { });
  }

  @Test
  void theirPtxAgreesWithTheInterpreter() {
    withPtx(comparison -> agree(comparison, 1, 40));
  }

  @Tag("slow")
  @Test
  void thePtxOfManyAgreesWithTheInterpreter() {
    withPtx(comparison -> agreeInTime("PTX", comparison, LEAST_EMULATED, 1000));
  }

  private static void withPtx(Consumer<DeviceComparison> test) {
    Target target = Target.SM_90A;
    Execution asPtx = (module, arguments) -> EmulatedDevice.run(module, target.info(), arguments);
    try (Tkc reference = Tkc.create(Device.interpreter()); Tkc ptx = Tkc.create(target, PassContext.NONE, asPtx)) {
      test.accept(new DeviceComparison(reference, ptx));
    }
  }

  /** A pass that turns the first float difference round is found, and what shows it is one store of one difference. */
  @Test
  void aWrongPassIsFoundAndPinnedDown() {
    try (Tkc reference = Tkc.create(Device.interpreter());
        Tkc wrong = Tkc.create(Target.SM_90A, new Swapping(), INTERPRETED)) {
      Fuzzer.Outcome outcome = run(new DeviceComparison(reference, wrong), 1, 200, 1);
      assertThat(outcome.differences()).hasSize(1);
      Difference found = outcome.differences().get(0);
      assertThat(found.values()).isTrue();
      assertThat(found.text().lines().count()).as(found.text()).isLessThanOrEqualTo(16);
      assertThat(found.text()).contains(" - ").startsWith("// o");
    }
  }

  /** The wrong pass. */
  private static final class Swapping implements PassContext.Observer {
    @Override
    public void before(Module module) {}

    @Override
    public void after(Step step, Module module) {
      if (step.name().equals("eliminate-common")) {
        module.funcs().forEach(f -> {
          boolean[] done = {false};
          f.body().walk(inst -> done[0] = done[0] || swapped(inst));
        });
      }
    }

    private static boolean swapped(Inst inst) {
      boolean difference = inst.op() instanceof Binary b && b.kind() == BinaryKind.SUB;
      if (difference && inst.result().tile().element().isFloat()) {
        Binary b = (Binary) inst.op();
        inst.setOp(new Binary(b.kind(), b.rhs(), b.lhs(), b.exact()));
        return true;
      }
      return false;
    }
  }
}
