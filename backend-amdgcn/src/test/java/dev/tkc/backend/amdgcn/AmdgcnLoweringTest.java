package dev.tkc.backend.amdgcn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmFunction;
import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.backend.llvm.LlvmTarget;
import dev.tkc.backend.llvm.LlvmToolchain;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.TargetLowering;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the AMD hooks emit: every matrix row of every target, cross-lane moves, conversions. */
class AmdgcnLoweringTest {
  static List<TargetInfo> targets() {
    return AmdgcnTargets.ALL;
  }

  @ParameterizedTest
  @MethodSource("targets")
  void everyMatrixRowIsOneInstructionWithoutScratch(TargetInfo target) {
    AmdgcnLowering lowering = new AmdgcnLowering(target);
    LlvmModule module = new LlvmModule(lowering.triple());
    for (MatrixInstruction row : target.matrixInstructions()) {
      kernel(module, lowering, row.name(), (b, f) -> {
        var instruction = lowering.matrix(row.name());
        List<LlvmValue> left = load(b, f, row.a(), row.fragments().a().count(InDim.REGISTER));
        List<LlvmValue> right = load(b, f, row.b(), row.fragments().b().count(InDim.REGISTER));
        List<LlvmValue> sum = load(b, f, row.accumulator(), row.fragments().c().count(InDim.REGISTER));
        return instruction.multiply(b, left, right, sum);
      });
    }
    CodeObject object = link(module, target);
    for (MatrixInstruction row : target.matrixInstructions()) {
      assertThat(object.count(row.name(), llvm(target), "v_mfma")).as(row.name()).isEqualTo(1);
      assertThat(object.kernel(row.name()).scratchBytes()).as(row.name()).isZero();
    }
  }

  @Test
  void exchangesWithinARowNeedNoAddress() {
    assertThat(instructions(1)).anyMatch(i -> i.contains("quad_perm:[1,0,3,2]"));
    assertThat(instructions(2)).anyMatch(i -> i.contains("quad_perm:[2,3,0,1]"));
    assertThat(instructions(3)).anyMatch(i -> i.contains("quad_perm:[3,2,1,0]"));
    assertThat(instructions(4)).anyMatch(i -> i.contains("row_shl:4") && i.contains("bank_mask:0x5"))
        .anyMatch(i -> i.contains("row_shr:4") && i.contains("bank_mask:0xa"));
    assertThat(instructions(7)).anyMatch(i -> i.contains("row_half_mirror"));
    assertThat(instructions(8)).anyMatch(i -> i.contains("row_ror:8"));
    assertThat(instructions(15)).anyMatch(i -> i.contains("row_mirror"));
    assertThat(instructions(16)).anyMatch(i -> i.startsWith("ds_swizzle"));
    assertThat(instructions(32)).anyMatch(i -> i.startsWith("ds_bpermute"));
    for (int mask : IntStream.range(1, 32).toArray()) {
      assertThat(instructions(mask)).as("mask %d", mask).noneMatch(i -> i.startsWith("ds_bpermute"));
    }
  }

  @Test
  void fp8IsConvertedByInstructionsWhereTheFormatIsTheLanguages() {
    AmdgcnLowering gfx942 = new AmdgcnLowering(AmdgcnTargets.GFX942);
    AmdgcnLowering gfx950 = new AmdgcnLowering(AmdgcnTargets.GFX950);
    LlvmModule module = new LlvmModule(gfx950.triple());
    kernel(module, gfx950, "narrow", (b, f) -> {
      List<LlvmValue> values = load(b, f, Element.F32, 4);
      assertThat(gfx942.convert(b, values, Element.F32, Element.E4M3)).isEmpty();
      List<LlvmValue> bytes = gfx950.convert(b, values, Element.F32, Element.E4M3).orElseThrow();
      return Stream.concat(bytes.stream(), gfx950.convert(b, bytes, Element.E4M3, Element.F32).orElseThrow().stream())
          .toList();
    });
    CodeObject object = link(module, AmdgcnTargets.GFX950);
    LlvmTarget llvm = llvm(AmdgcnTargets.GFX950);
    assertThat(object.count("narrow", llvm, "v_cvt_pk_fp8_f32")).isEqualTo(2);
    assertThat(object.count("narrow", llvm, "v_med3_f32")).isEqualTo(4);
  }

  @Test
  void aBlockKnowsItsNumberAndTheirCount() {
    AmdgcnLowering lowering = new AmdgcnLowering(AmdgcnTargets.GFX942);
    LlvmModule module = new LlvmModule(lowering.triple());
    kernel(module, lowering, "ids", (b, _) -> List.of(lowering.blockId(b), lowering.blockCount(b)));
    CodeObject object = link(module, AmdgcnTargets.GFX942);
    assertThat(object.kernel("ids").arguments()).anyMatch(a -> a.kind().equals("hidden_block_count_x"));
    assertThat(object.kernel("ids").maxWorkGroupSize()).isEqualTo(256);
  }

  private static List<String> instructions(int mask) {
    AmdgcnLowering lowering = new AmdgcnLowering(AmdgcnTargets.GFX942);
    LlvmModule module = new LlvmModule(lowering.triple());
    kernel(module, lowering, "shuffle",
        (b, f) -> List.of(lowering.shuffleXor(b, load(b, f, Element.I32, 1).get(0), mask)));
    return link(module, AmdgcnTargets.GFX942).disassemble("shuffle", llvm(AmdgcnTargets.GFX942)).stream()
        .map(LlvmToolchain.Decoded::text).toList();
  }

  /** A kernel of 256 threads that stores what the body gives, each thread its own. */
  private static void kernel(
      LlvmModule module, AmdgcnLowering lowering, String name,
      BiFunction<LlvmBuilder, LlvmFunction, List<LlvmValue>> body) {
    LlvmFunction f = module.kernel(lowering.kernelConvention(), name, List.of(
        new LlvmFunction.Parameter("in", LlvmType.GLOBAL, List.of("noalias")),
        new LlvmFunction.Parameter("out", LlvmType.GLOBAL, List.of("noalias"))));
    LlvmBuilder b = f.builder();
    List<LlvmValue> results = body.apply(b, f);
    LlvmValue base = b.gep(LlvmType.array(1024, LlvmType.I8), f.argument(1), lowering.threadId(b));
    for (int i = 0; i < results.size(); i++) {
      b.store(results.get(i), b.gep(LlvmType.I64, base, LlvmValue.i64(i)), 1);
    }
    b.retVoid();
    lowering.finish(module, f, new TargetLowering.KernelFacts(256, 0, List.of(), false, 1));
  }

  private static List<LlvmValue> load(LlvmBuilder b, LlvmFunction f, Element element, int count) {
    LlvmType type = switch (element) {
      case BF16 -> LlvmType.BFLOAT;
      case F16 -> LlvmType.HALF;
      case F32 -> LlvmType.FLOAT;
      case F64 -> LlvmType.DOUBLE;
      case I32 -> LlvmType.I32;
      case BOOL, I8, I16, I64, U8, U16, U32, U64, E4M3, E5M2, I4, U4, E2M1, E8M0 -> LlvmType.I8;
    };
    LlvmValue base = b.gep(LlvmType.array(1024, LlvmType.I8), f.argument(0), b.call(AmdgcnIntrinsic.WORKITEM_ID_X));
    LlvmValue vector = b.load(LlvmType.vector(count, type), base, 16);
    return new ArrayList<>(b.unpack(vector));
  }

  private static LlvmTarget llvm(TargetInfo target) {
    return new LlvmTarget(target.llvm().triple(), target.llvm().cpu(), target.llvm().features());
  }

  private static CodeObject link(LlvmModule module, TargetInfo target) {
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(module.text())) {
      unit.optimise(llvm(target), "default<O3>");
      return CodeObject.read(AmdgcnLinker.link(unit.object(llvm(target))));
    }
  }
}
