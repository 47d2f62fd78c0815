package dev.tkc.tests.amdgcn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.amdgcn.AmdgcnBackend;
import dev.tkc.backend.amdgcn.AmdgcnTargets;
import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.grammar.lower.Library;
import dev.tkc.grammar.lower.Lowering;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.tests.Project;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every library kernel becomes a linked AMD code object, checked statically: it reads back, nothing lives in scratch,
 * LDS is what the IR says, and there are as many matrix instructions as the tiles' arithmetic asks for. Nothing is
 * executed.
 */
class AmdgcnKernelsTest {
  /** Values of the constants that tensors bind in a real launch. */
  private static final Map<String, Object> BOUND = Map.of("D", 128L, "F", 16L, "PAGE", 16L);

  private static final List<String> ALIGNED = List.of("M", "N", "K", "D", "F", "x", "y", "a", "b", "c", "q", "k",
      "v", "o");

  @TestFactory
  List<DynamicTest> everyLibraryKernelLinks() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path file : Project.files(Project.ROOT.resolve("kernels"), ".tk")) {
      Library library = Library.of(SyntaxReader.read(new Source(file.getFileName().toString(), Files.readString(file)))
          .program());
      for (Item.Kernel kernel : library.kernels()) {
        for (TargetInfo target : AmdgcnTargets.ALL) {
          String name = kernel.name().text();
          tests.add(DynamicTest.dynamicTest(name + " " + target.name(), () -> check(library, kernel, target)));
        }
      }
    }
    return tests;
  }

  private static void check(Library library, Item.Kernel kernel, TargetInfo target) {
    Module module = Lowering.lower(library, kernel.name().text(), specialisation(kernel));
    PassDriver.run(module, PassContext.of(target, PassOptions.checked()));
    AmdgcnBackend.Linked linked = AmdgcnBackend.link(AmdgcnBackend.compile(module, target, OpLowering.Options.DEFAULT));
    List<Func> devices = module.funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE).toList();
    assertThat(linked.kernels()).hasSameSizeAs(devices);
    for (int i = 0; i < devices.size(); i++) {
      AmdgcnBackend.KernelReport report = linked.kernels().get(i);
      assertThat(report.hasScratch()).as("%s uses scratch", report).isFalse();
      assertThat(report.resources().ldsBytes()).isEqualTo((int) devices.get(i).annotation("shared_bytes", 0));
      assertThat(report.resources().waveSize()).isEqualTo(64);
      assertThat(report.resources().maxWorkGroupSize()).isEqualTo(report.kernel().threads());
      assertThat(report.blocksPerProcessor()).isPositive();
      // A few may be missing: LLVM knows that in a last round half of a tile's rows are dropped.
      long asked = matrixInstructions(devices.get(i), target);
      assertThat(report.matrixInstructions()).as("matrix instructions of %s", report.kernel().name())
          .isBetween(asked - asked / 16, asked);
    }
  }

  private static Specialisation specialisation(Item.Kernel kernel) {
    Map<String, Object> constants = new HashMap<>();
    for (var constant : kernel.constants()) {
      String name = constant.name().text();
      Object value = constant.value().map(AmdgcnKernelsTest::literal).orElse(BOUND.get(name));
      assertThat(value).as("a value for %s of %s", name, kernel.name().text()).isNotNull();
      constants.put(name, value);
    }
    Map<String, Integer> divisibility = new HashMap<>();
    ALIGNED.forEach(name -> divisibility.put(name, 16));
    return new Specialisation(constants, divisibility, Specialisation.Schedule.NONE);
  }

  private static Object literal(Expr value) {
    return value instanceof Expr.IntLit i ? (Object) i.value().longValueExact()
        : value instanceof Expr.FloatLit x ? (Object) x.value()
        : value instanceof Expr.BoolLit b ? (Object) b.value() : null;
  }

  /** One for each fragment of each accumulator in a wave and each step along k. */
  private static long matrixInstructions(Func func, TargetInfo target) {
    long[] sum = new long[1];
    func.body().walk(inst -> {
      if (inst.op() instanceof MatrixOp.Dot dot && inst.annotations().get("instruction") instanceof String name) {
        MatrixInstruction instruction = target.matrixInstruction(name).orElseThrow();
        TileType accumulator = dot.acc().tile();
        List<Integer> left = dot.a().tile().shape();
        long fragments = accumulator.layout().withoutFreeRegisters().registersPerThread()
            / instruction.fragments().c().count(InDim.REGISTER);
        sum[0] += fragments * Math.ceilDiv(left.get(left.size() - 1), instruction.k());
      }
    });
    return sum[0];
  }
}
