package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.host.TestResult;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Step;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs the tests of every library kernel and of those that are measured beside them, and at each launch the kernel also
 * after all passes for a target, on the same memory: the results are the same bits. Sums of products that accumulate in
 * place are rounded otherwise, so what comes after that pass is compared with what it leaves. A kernel that is split
 * into roles is run after every pass from there on, its roles side by side by another seed at each launch.
 */
class PassesOnKernelsTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  @TestFactory
  Stream<DynamicTest> passesKeepTheBitsOfEveryKernel() throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path folder : List.of(ROOT.resolve("kernels"), ROOT.resolve("tests/gpu"))) {
      try (Stream<Path> all = Files.list(folder)) {
        files.addAll(all.filter(f -> f.toString().endsWith(System.getProperty("tkc.kernel", "") + ".tk") && hasTests(f))
            .sorted().toList());
      }
    }
    assertThat(files).isNotEmpty();
    return files.stream().map(f -> DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(f)));
  }

  private static boolean hasTests(Path file) {
    try {
      return Files.readString(file).contains("\ntest \"");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void check(Path file) {
    Comparing engine = new Comparing();
    try (Tkc tkc = new Tkc(Device.interpreter(), Tkc.Options.defaults(), engine)) {
      for (TestResult result : tkc.load(file).test("")) {
        assertThat(result.findings()).as(result.title()).isEmpty();
      }
    }
    assertThat(engine.launches).isPositive();
  }

  /**
   * What the passes leave of one specialisation: where its rounding is settled, and what is run to be compared with
   * that.
   */
  private record Passed(Module settled, Map<String, Module> stages) {}

  /** Interprets launches as written, and again after passes for a target. */
  private static final class Comparing implements Engine {
    private final Map<Object, Passed> passed = new HashMap<>();
    private int launches;

    @Override
    public Timing launch(Kernel kernel, Constants constants, List<Argument> given) {
      Kernel.Bound bound = kernel.bind(constants, given, Target.SM_90A);
      Module module = kernel.lower(bound.specialisation());
      Passed p = passed.computeIfAbsent(List.of(kernel, bound.specialisation()), _ -> passed(module));
      Map<Tensor, byte[]> expected = run(p.settled, kernel, bound.binding());
      p.stages.forEach((pass, after) -> run(after, kernel, bound.binding()).forEach((tensor, bytes) ->
          assertThat(Arrays.mismatch(bytes, expected.get(tensor)))
              .as(() -> kernel.name() + " " + bound.binding().sizes() + " after " + pass + ":\n"
                  + IrPrinter.print(after))
              .isEqualTo(-1)));
      new Interpreter(Interpreter.Options.defaults())
          .run(module, LaunchData.of(module.kernel(), kernel, bound.binding(), Tensor::buffer));
      bound.binding().arguments().forEach(a -> {
        if (a instanceof Argument.Array array) {
          array.tensor().buffer().trustAll();
        }
      });
      launches++;
      return new Timing(0, 0);
    }

    /** What the tensors hold after a run on copies. */
    private Map<Tensor, byte[]> run(Module module, Kernel kernel, Binding binding) {
      Map<Tensor, byte[]> copies = new IdentityHashMap<>();
      List<Datum> data = LaunchData.of(module.kernel(), kernel, binding, t -> {
        byte[] bytes = t.buffer().memory().toArray(ValueLayout.JAVA_BYTE);
        copies.put(t, bytes);
        return Buffer.of(t.element(), MemorySegment.ofArray(bytes));
      });
      new Interpreter(Interpreter.Options.defaults().withSeed(launches)).run(module, data);
      return copies;
    }

    /** The last stage, and where there are roles every one that has them. */
    private static Passed passed(Module module) {
      Map<String, Module> stages = new LinkedHashMap<>();
      Module[] settled = new Module[1];
      PassContext.Observer observer = new PassContext.Observer() {
        @Override
        public void before(Module m) {}

        @Override
        public void after(Step step, Module m) {
          if (step.name().equals("accumulate-dots")) {
            settled[0] = Cloner.clone(m);
          } else if (hasRoles(m)) {
            stages.put(step.name(), Cloner.clone(m));
          }
        }
      };
      Module last = Cloner.clone(module);
      PassDriver.run(last,
          new PassContext(Optional.of(Target.SM_90A.info()), PassOptions.checked(), _ -> { }, observer));
      stages.put("all passes", last);
      return new Passed(settled[0], stages);
    }

    private static boolean hasRoles(Module module) {
      return module.funcs().stream().flatMap(f -> f.body().insts().stream())
          .anyMatch(i -> i.op() instanceof ControlOp.Role);
    }

    @Override
    public void close() {}
  }
}
