package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.host.KernelRun;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.type.Element;
import dev.tkc.launch.Argument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is measured and in how many runs, with a clock that makes its times up. */
class TunerTest {
  private static final String COPY = """
      kernel copied<B = 64>(x: f32[N, D], out y: f32[N, D]) {
        parallel i in N by B, j in D by B {
          y[i, j] = x[i, j]
        }
      }
      """;

  private final List<String> measured = new ArrayList<>();

  @TempDir private Path folder;

  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("copied.tk");
    Files.writeString(file, COPY);
  }

  private Kernel kernel() {
    return Tkc.create(Device.interpreter()).load(file).kernel();
  }

  private static final Target TARGET = Target.find("sm_80").orElseThrow();

  /** 32 is quickest, 16 fails, and bands of 4 help. */
  private double time(Map<String, Object> constants, Map<String, Object> settings) {
    measured.add(constants + " " + settings);
    long b = (Long) constants.get("B");
    if (b == 16) {
      throw new IllegalStateException("its result is wrong");
    }
    return 100 + Math.abs(b - 32) - (Long.valueOf(4).equals(settings.get("grouped")) ? 5 : 0);
  }

  private Tuner.Result tune(Kernel kernel, int seconds) {
    List<Argument> arguments = List.of(Argument.of(Tensor.empty(Element.F32, 512, 512)),
        Argument.of(Tensor.empty(Element.F32, 512, 512)));
    return Tuner.tune(kernel, TARGET, Constants.none(), arguments,
        new Tuner.Options(Duration.ofSeconds(seconds), 8, false),
        p -> assertThat(p.done()).isLessThanOrEqualTo(p.total()), this::time);
  }

  @Test
  void theBestIsKeptAndUsed() {
    Kernel kernel = kernel();
    Tuner.Result result = tune(kernel, 60);
    assertThat(result.complete()).isTrue();
    assertThat(result.trials().getFirst().constants()).containsEntry("B", 32L);
    assertThat(result.trials().getFirst().settings()).containsEntry("grouped", 4L);
    assertThat(result.trials()).anyMatch(t -> t.failure().isPresent() && t.constants().containsValue(16L));
    Constants sizes = Constants.of("N", 512).and("D", 512);
    for (Kernel k : List.of(kernel, kernel())) {
      ScheduleChoice choice = k.schedule(TARGET, sizes);
      assertThat(choice.constants()).contains(new ScheduleChoice.Chosen("B", 32L, ScheduleChoice.Origin.TUNED));
      assertThat(choice.settings()).containsEntry("grouped", 4L);
    }
  }

  @Test
  void aRunGoesOnWhereTheLastOneStopped() {
    assertThat(tune(kernel(), 0).complete()).isFalse();
    assertThat(measured).isEmpty();
    tune(kernel(), 60);
    int first = measured.size();
    assertThat(first).isEqualTo(5 + 6);
    tune(kernel(), 60);
    // Only what failed is tried again.
    assertThat(measured.subList(first, measured.size())).hasSize(1).first().asString().contains("B=16");
  }

  @Test
  void anInterpretersTimesAreNotKept() {
    assertThatThrownBy(() ->
        Tuner.tune(kernel(), new KernelRun.Request(Map.of("N", 16L, "D", 16L), Map.of(), Set.of(), 0, false),
        Tuner.Options.defaults(), _ -> { })).isInstanceOf(DiagnosticException.class).hasMessageContaining("only a GPU");
    Kernel text = Tkc.create(Device.interpreter()).load(new Source("<text>", COPY)).kernel();
    assertThatThrownBy(() -> tune(text, 60)).isInstanceOf(DiagnosticException.class).hasMessageContaining("beside");
  }
}
