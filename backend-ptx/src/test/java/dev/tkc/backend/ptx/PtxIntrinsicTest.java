package dev.tkc.backend.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmFunction;
import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.backend.llvm.LlvmTarget;
import dev.tkc.backend.llvm.LlvmToolchain;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every row of the table compiles at the first processor and PTX version it claims, and an assembler accepts the
 * result.
 */
class PtxIntrinsicTest {
  private record Level(int sm, int ptx) implements Comparable<Level> {
    @Override
    public int compareTo(Level o) {
      return Integer.compare(100 * sm + ptx, 100 * o.sm + o.ptx);
    }
  }

  @TestFactory
  List<DynamicTest> everyRowCompilesAndAssembles() {
    Map<Level, List<PtxIntrinsic>> levels = Arrays.stream(PtxIntrinsic.values()).collect(
        Collectors.groupingBy(i -> new Level(i.minimumSm(), i.minimumPtx()), TreeMap::new, Collectors.toList()));
    List<DynamicTest> tests = new ArrayList<>();
    levels.forEach((level, rows) -> tests.add(
        DynamicTest.dynamicTest("sm_" + level.sm + " ptx " + level.ptx, () -> compile(level, rows))));
    return tests;
  }

  private static void compile(Level level, List<PtxIntrinsic> rows) {
    LlvmModule module = new LlvmModule("nvptx64-nvidia-cuda");
    rows.forEach(row -> kernel(module, row));
    LlvmTarget target = new LlvmTarget("nvptx64-nvidia-cuda", processor(level), "+ptx" + level.ptx);
    String ptx = LlvmToolchain.instance().compileToAssembly(module.text(), target, "default<O1>");
    assertThat(ptx).contains(".version " + level.ptx / 10 + "." + level.ptx % 10);
    boolean assembled = level.ptx <= 80 || PtxAssembler.Program.onPath().isPresent();
    if (assembled) {
      PtxAssembler.Cubin cubin = PtxAssembler.forPtx(level.ptx)
          .assemble(ptx, PtxAssembler.Options.of(processor(level)));
      assertThat(cubin.kernels()).hasSameSizeAs(rows);
    }
  }

  /** What came with Hopper is partly for exactly that processor. */
  private static String processor(Level level) {
    return "sm_" + level.sm + (level.sm == 90 && level.ptx >= 80 ? "a" : "");
  }

  /** A number of registers, or 1. */
  private static long immediate(PtxIntrinsic row) {
    return row == PtxIntrinsic.SETMAXNREG_INC || row == PtxIntrinsic.SETMAXNREG_DEC ? 40 : 1;
  }

  /** A kernel that feeds the row from its parameters and stores every result. */
  private static void kernel(LlvmModule module, PtxIntrinsic row) {
    List<LlvmFunction.Parameter> parameters =
        new ArrayList<>(List.of(new LlvmFunction.Parameter("out", LlvmType.GLOBAL)));
    List<LlvmType> types = row.parameters();
    for (int i = 0; i < types.size(); i++) {
      parameters.add(new LlvmFunction.Parameter("p" + i, types.get(i).isBool() ? LlvmType.I32 : types.get(i)));
    }
    LlvmFunction f = module.kernel("ptx_kernel", "k_" + row, parameters);
    LlvmBuilder b = f.builder();
    List<LlvmValue> arguments = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      LlvmValue given = f.argument(i + 1);
      arguments.add(row.immediates().contains(i) ? LlvmValue.constant(types.get(i), immediate(row))
          : types.get(i).isBool() ? b.trunc(given, LlvmType.I1) : given);
    }
    LlvmValue result = b.call(row, arguments);
    if (!result.type().equals(LlvmType.VOID)) {
      List<LlvmValue> fields = result.type() instanceof LlvmType.Struct ? b.unpack(result) : List.of(result);
      for (int i = 0; i < fields.size(); i++) {
        LlvmValue v = fields.get(i).type().isBool() ? b.zext(fields.get(i), LlvmType.I32) : fields.get(i);
        b.store(v, b.gep(LlvmType.I64, f.argument(0), LlvmValue.i64(i)), 4);
      }
    }
    b.retVoid();
  }
}
