package dev.tkc.backend.amdgcn;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmFunction;
import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.TargetLowering;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * AMD's spelling of what lowering needs: waves of 64, cross-lane moves by DPP, swizzle and {@code ds_bpermute}, MFMA,
 * statically sized LDS. There are no asynchronous copies here; those into LDS come with AMD's own pipelining.
 */
public final class AmdgcnLowering implements TargetLowering {
  private static final int CODE_OBJECT_V5 = 500;
  private static final int LDS_ALIGNMENT = 1024;

  private final TargetInfo target;

  public AmdgcnLowering(TargetInfo target) {
    this.target = target;
  }

  @Override
  public TargetInfo target() {
    return target;
  }

  @Override
  public String kernelConvention() {
    return "amdgpu_kernel";
  }

  @Override
  public String deviceScope() {
    return "agent";
  }

  @Override
  public void finish(LlvmModule module, LlvmFunction kernel, KernelFacts facts) {
    kernel.attribute("target-cpu", target.llvm().cpu())
        .attribute("amdgpu-flat-work-group-size", facts.threads() + "," + facts.threads())
        .attribute("uniform-work-group-size", "true");
    module.metadata().setFlag(1, "amdhsa_code_object_version", CODE_OBJECT_V5);
  }

  @Override
  public LlvmValue threadId(LlvmBuilder b) {
    return b.call(AmdgcnIntrinsic.WORKITEM_ID_X);
  }

  @Override
  public LlvmValue blockId(LlvmBuilder b) {
    return b.call(AmdgcnIntrinsic.WORKGROUP_ID_X);
  }

  @Override
  public LlvmValue blockCount(LlvmBuilder b) {
    return b.load(LlvmType.I32, b.call(AmdgcnIntrinsic.IMPLICITARG_PTR), 4, LlvmBuilder.Hint.INVARIANT);
  }

  @Override
  public LlvmValue sharedMemory(LlvmModule module, long bytes) {
    return module.shared("lds", LlvmType.array(bytes, LlvmType.I8), LDS_ALIGNMENT);
  }

  @Override
  public void barrier(LlvmBuilder b) {
    b.fence("workgroup", "release");
    b.call(AmdgcnIntrinsic.S_BARRIER);
    b.fence("workgroup", "acquire");
  }

  /**
   * Within four lanes a quad permutation, by 4 two row shifts that each serve every other bank of four lanes, by 8 a
   * row rotation, by 7 and 15 the mirrors, otherwise within 32 lanes the swizzle of the LDS crossbar; these need no
   * address.
   */
  @Override
  public LlvmValue shuffleXor(LlvmBuilder b, LlvmValue value, int mask) {
    return switch (mask) {
      case 0 -> value;
      case 1, 2, 3 -> dpp(b, value, value, quadPermutation(mask), 0xF);
      case 4 -> dpp(b, dpp(b, value, value, 0x104, 0x5), value, 0x114, 0xA);
      case 7 -> dpp(b, value, value, 0x141, 0xF);
      case 8 -> dpp(b, value, value, 0x128, 0xF);
      case 15 -> dpp(b, value, value, 0x140, 0xF);
      default -> mask < 32
          ? b.call(AmdgcnIntrinsic.DS_SWIZZLE, value, LlvmValue.i32(mask << 10 | 0x1F))
          : permute(b, value, b.xor(b.shl(threadId(b), LlvmValue.i32(2)), LlvmValue.i32(4L * mask)));
    };
  }

  private static int quadPermutation(int mask) {
    int control = 0;
    for (int lane = 0; lane < 4; lane++) {
      control |= (lane ^ mask) << 2 * lane;
    }
    return control;
  }

  /** Moves {@code value} as {@code control} says where {@code banks} allows, and keeps {@code old} elsewhere. */
  private static LlvmValue dpp(LlvmBuilder b, LlvmValue old, LlvmValue value, int control, int banks) {
    return b.call(AmdgcnIntrinsic.UPDATE_DPP, old, value, LlvmValue.i32(control), LlvmValue.i32(0xF),
        LlvmValue.i32(banks), LlvmValue.i1(false));
  }

  @Override
  public LlvmValue shuffleFrom(LlvmBuilder b, LlvmValue value, LlvmValue lane) {
    return permute(b, value, b.shl(lane, LlvmValue.i32(2)));
  }

  /** The hardware takes bits 2 to 7 of the address, so the wave's number above them does no harm. */
  private static LlvmValue permute(LlvmBuilder b, LlvmValue value, LlvmValue address) {
    return b.call(AmdgcnIntrinsic.DS_BPERMUTE, address, value);
  }

  /**
   * {@code v_exp_f32} (1 ulp; results below 2^-126 are 0) and {@code v_log_f32} (1 ulp). Reciprocals and roots go
   * through LLVM's corrected sequences, since the bare instructions drop denormals.
   */
  @Override
  public Optional<LlvmValue> unary(LlvmBuilder b, UnaryKind kind, LlvmValue x) {
    return switch (kind) {
      case EXP2 -> Optional.of(b.call(AmdgcnIntrinsic.EXP2, x));
      case LOG2 -> Optional.of(b.call(AmdgcnIntrinsic.LOG2, x));
      case NEG, ABS, FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP, LOG, SIN, COS, TANH, ERF, SIGMOID, NOT ->
          Optional.empty();
    };
  }

  /** Between f32 and 8-bit formats where the target's 8-bit formats are the language's. */
  @Override
  public Optional<List<LlvmValue>> convert(LlvmBuilder b, List<LlvmValue> values, Element from, Element to) {
    if (!target.castsNatively(from, to)) {
      return Optional.empty();
    }
    if (from == Element.F32 && to.isFp8()) {
      return Optional.of(narrow(b, values, to));
    }
    if (from.isFp8() && to == Element.F32) {
      AmdgcnIntrinsic widen = from == Element.E4M3 ? AmdgcnIntrinsic.CVT_F32_FP8 : AmdgcnIntrinsic.CVT_F32_BF8;
      return Optional.of(values.stream()
          .map(v -> b.call(widen, b.zext(v, LlvmType.I32), LlvmValue.i32(0))).toList());
    }
    return Optional.empty();
  }

  private static List<LlvmValue> narrow(LlvmBuilder b, List<LlvmValue> values, Element to) {
    AmdgcnIntrinsic narrow = to == Element.E4M3 ? AmdgcnIntrinsic.CVT_PK_FP8 : AmdgcnIntrinsic.CVT_PK_BF8;
    double largest = to == Element.E4M3 ? 448 : 57344;
    List<LlvmValue> result = new ArrayList<>();
    for (int i = 0; i < values.size(); i += 2) {
      LlvmValue low = saturate(b, values.get(i), largest);
      LlvmValue high = i + 1 < values.size() ? saturate(b, values.get(i + 1), largest) : LlvmValue.f32(0);
      LlvmValue pair = b.call(narrow, low, high, LlvmValue.i32(0), LlvmValue.i1(false));
      result.add(b.trunc(pair, LlvmType.I8));
      if (i + 1 < values.size()) {
        result.add(b.trunc(b.lshr(pair, LlvmValue.i32(8)), LlvmType.I8));
      }
    }
    return result;
  }

  /** The median of three drops a NaN, so that is put back. */
  private static LlvmValue saturate(LlvmBuilder b, LlvmValue x, double largest) {
    LlvmValue clamped = b.call(AmdgcnIntrinsic.FMED3, x, LlvmValue.f32(-largest), LlvmValue.f32(largest));
    return b.select(b.fcmp(RealCompare.UNO, x, x), x, clamped);
  }

  @Override
  public MatrixInstruction matrix(String name) {
    return Mfma.of(target.matrixInstruction(name).orElseThrow(
        () -> new IllegalStateException(target.name() + " has no matrix instruction " + name)));
  }
}
