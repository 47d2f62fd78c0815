package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.host.TestResult;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs the tests of every library kernel, and at each launch the kernel also after all passes for a target, on the same memory: the
 * results are the same bits. Sums of products that accumulate in place are rounded otherwise, so that pass is left out.
 */
class PassesOnKernelsTest {
  private static final Path KERNELS = Path.of("").toAbsolutePath().getParent().resolve("kernels");

  @TestFactory
  Stream<DynamicTest> passesKeepTheBitsOfEveryKernel() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(KERNELS)) {
      files = all.filter(f -> f.toString().endsWith(".tk")).sorted().toList();
    }
    assertThat(files).isNotEmpty();
    return files.stream().map(f -> DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(f)));
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

  /** Interprets launches as written, and once more after the passes for a target. */
  private static final class Comparing implements Engine {
    private final Map<Object, Module> passed = new HashMap<>();
    private int launches;

    @Override
    public Timing launch(Kernel kernel, Constants constants, List<Argument> given) {
      Kernel.Bound bound = kernel.bind(constants, given);
      Binding binding = bound.binding();
      Module module = kernel.lower(bound.specialisation());
      Module after = passed.computeIfAbsent(List.of(kernel, bound.specialisation()), k -> passed(module));
      Map<Tensor, byte[]> copies = new IdentityHashMap<>();
      List<Datum> copied = LaunchData.of(after.kernel(), kernel, binding, t -> copy(t, copies));
      List<Datum> originals = LaunchData.of(module.kernel(), kernel, binding, Tensor::buffer);
      Interpreter.Options options = Interpreter.Options.defaults();
      new Interpreter(options).run(after, copied);
      new Interpreter(options).run(module, originals);
      launches++;
      copies.forEach((tensor, bytes) -> {
        tensor.buffer().trustAll();
        assertThat(MemorySegment.ofArray(bytes).mismatch(tensor.buffer().memory()))
            .as(() -> kernel.name() + " " + binding.sizes() + " after the passes:\n" + IrPrinter.print(after)).isEqualTo(-1);
      });
      return new Timing(0, 0);
    }

    private static Buffer copy(Tensor t, Map<Tensor, byte[]> copies) {
      byte[] bytes = t.buffer().memory().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
      copies.put(t, bytes);
      return Buffer.of(t.element(), MemorySegment.ofArray(bytes));
    }

    private static Module passed(Module module) {
      Module copy = Cloner.clone(module);
      PassOptions options = PassOptions.checked().withDisabled(Set.of("accumulate-dots"));
      PassDriver.run(copy, PassContext.of(Target.SM_90A.info(), options));
      return copy;
    }

    @Override
    public void close() {}
  }
}
