package dev.tkc.backend.amdgcn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmFunction;
import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.backend.llvm.LlvmToolchain;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every row compiles on every processor it claims, and the linked code object reads back. */
class AmdgcnIntrinsicTest {
  @ParameterizedTest
  @EnumSource(Gfx.class)
  void everyRowCompilesAndLinks(Gfx gfx) {
    LlvmModule module = new LlvmModule("amdgcn-amd-amdhsa");
    List<AmdgcnIntrinsic> rows = Arrays.stream(AmdgcnIntrinsic.values()).filter(row -> row.isOn(gfx)).toList();
    rows.forEach(row -> kernel(module, row));
    CodeObject code = CodeObject.read(AmdgcnLinker.link(compile(module, gfx)));
    assertThat(code.kernels()).hasSameSizeAs(rows);
    for (AmdgcnIntrinsic row : rows) {
      if (row.name().startsWith("MFMA")) {
        assertThat(code.count("k_" + row, gfx.llvm(), "v_mfma")).as("%s on %s", row, gfx).isEqualTo(1);
      }
      assertThat(code.disassemble("k_" + row, gfx.llvm())).as("%s on %s", row, gfx).isNotEmpty()
          .noneMatch(d -> d.text().equals(".byte"));
    }
  }

  @Test
  void metadataReadsBack() {
    LlvmModule module = new LlvmModule("amdgcn-amd-amdhsa");
    LlvmValue buffer = module.shared("buffer", LlvmType.array(1024, LlvmType.FLOAT), 16);
    LlvmFunction f = module.kernel("amdgpu_kernel", "stage", List.of(
        new LlvmFunction.Parameter("x", LlvmType.GLOBAL), new LlvmFunction.Parameter("n", LlvmType.I32)))
        .attribute("amdgpu-flat-work-group-size", "256,256");
    LlvmBuilder b = f.builder();
    LlvmValue id = b.call(AmdgcnIntrinsic.WORKITEM_ID_X);
    b.store(b.load(LlvmType.FLOAT, b.gep(LlvmType.FLOAT, f.argument(0), id), 4), b.gep(LlvmType.FLOAT, buffer, id), 4);
    b.call(AmdgcnIntrinsic.S_BARRIER);
    b.store(b.load(LlvmType.FLOAT, b.gep(LlvmType.FLOAT, buffer, b.xor(id, LlvmValue.i32(255))), 4),
        b.gep(LlvmType.FLOAT, f.argument(0), id), 4);
    b.retVoid();
    CodeObject code = CodeObject.read(AmdgcnLinker.link(compile(module, Gfx.GFX942)));
    CodeObject.Kernel k = code.kernel("stage");
    assertThat(k.ldsBytes()).isEqualTo(4096);
    assertThat(k.descriptor().ldsBytes()).isEqualTo(4096);
    assertThat(k.scratchBytes()).isZero();
    assertThat(k.hasSpills()).isFalse();
    assertThat(k.waveSize()).isEqualTo(64);
    assertThat(k.maxWorkGroupSize()).isEqualTo(256);
    assertThat(k.vgprs()).isPositive();
    assertThat(k.arguments().get(0).kind()).isEqualTo("global_buffer");
    assertThat(k.arguments().get(1).offset()).isEqualTo(8);
    assertThat(code.count("stage", Gfx.GFX942.llvm(), "s_barrier")).isEqualTo(1);
  }

  private static byte[] compile(LlvmModule module, Gfx gfx) {
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(module.text())) {
      unit.optimise(gfx.llvm(), "default<O1>");
      return unit.object(gfx.llvm());
    }
  }

  private static void kernel(LlvmModule module, AmdgcnIntrinsic row) {
    List<LlvmFunction.Parameter> parameters =
        new ArrayList<>(List.of(new LlvmFunction.Parameter("out", LlvmType.GLOBAL)));
    List<LlvmType> types = row.parameters();
    for (int i = 0; i < types.size(); i++) {
      parameters.add(new LlvmFunction.Parameter("p" + i, types.get(i).isBool() ? LlvmType.I32 : types.get(i)));
    }
    LlvmFunction f = module.kernel("amdgpu_kernel", "k_" + row, parameters);
    LlvmBuilder b = f.builder();
    LlvmValue tid = b.call(AmdgcnIntrinsic.WORKITEM_ID_X);
    List<LlvmValue> arguments = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      LlvmType type = types.get(i);
      LlvmValue given = f.argument(i + 1);
      arguments.add(row.immediates().contains(i) ? immediate(row, i, type)
          : type.isBool() ? b.trunc(b.xor(given, tid), LlvmType.I1)
          : type.equals(LlvmType.I32) ? b.xor(given, tid) : given);
    }
    LlvmValue result = b.call(row, arguments);
    if (!result.type().equals(LlvmType.VOID)) {
      List<LlvmValue> fields = result.type() instanceof LlvmType.Struct ? b.unpack(result) : List.of(result);
      for (int i = 0; i < fields.size(); i++) {
        b.store(fields.get(i), b.gep(LlvmType.I64, f.argument(0), LlvmValue.i64(i)), 4);
      }
    }
    b.retVoid();
  }

  /** Constants that are legal where 0 is not: a size of four bytes, a DPP control that rotates a row. */
  private static LlvmValue immediate(AmdgcnIntrinsic row, int position, LlvmType type) {
    long value = switch (row) {
      case GLOBAL_LOAD_LDS_4 -> position == 2 ? 4 : 0;
      case UPDATE_DPP -> position == 2 ? 0x121 : position == 5 ? 1 : 0xF;
      case SCHED_GROUP_BARRIER -> 1;
      default -> 0;
    };
    return LlvmValue.constant(type, value);
  }
}
