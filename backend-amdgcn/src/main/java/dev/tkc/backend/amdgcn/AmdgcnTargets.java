package dev.tkc.backend.amdgcn;

import static dev.tkc.ir.op.MatrixOp.Precision.DEFAULT;
import static dev.tkc.ir.op.MatrixOp.Precision.IEEE;
import static dev.tkc.ir.op.MatrixOp.Precision.TF32;
import static dev.tkc.ir.type.Element.BF16;
import static dev.tkc.ir.type.Element.E4M3;
import static dev.tkc.ir.type.Element.E5M2;
import static dev.tkc.ir.type.Element.F16;
import static dev.tkc.ir.type.Element.F32;
import static dev.tkc.ir.type.Element.F64;
import static dev.tkc.ir.type.Element.I32;
import static dev.tkc.ir.type.Element.I8;

import dev.tkc.ir.layout.Banks;
import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.Approximation;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.target.TargetInfo.NativeCast;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The AMD processors tkc compiles for. Limits and instructions are those of the CDNA3 and CDNA4 instruction set
 * manuals; a matrix instruction's name is that of its row in {@link AmdgcnIntrinsic}. Small instructions come first:
 * they leave the scheduler more freedom and were measured faster. Nothing here has been run on such a device.
 *
 * <p>gfx942's fp8 instructions read another encoding than the OCP formats that the language has, so it has none here.
 */
public final class AmdgcnTargets {
  private AmdgcnTargets() {}

  private static final Set<Capability> CDNA = EnumSet.of(
      Capability.SHUFFLE_INDEX, Capability.SHUFFLE_XOR, Capability.SHUFFLE_UP, Capability.ATOMIC_ADD_F32,
      Capability.ATOMIC_ADD_F64, Capability.ATOMIC_ADD_PACKED_16, Capability.PACKED_F32);

  private static final List<MatrixInstruction> GFX942_MFMA = List.of(
      mfma(AmdgcnIntrinsic.MFMA_16X16X16_BF16, BF16, F32, DEFAULT, 16, 16),
      mfma(AmdgcnIntrinsic.MFMA_32X32X8_BF16, BF16, F32, DEFAULT, 32, 8),
      mfma(AmdgcnIntrinsic.MFMA_16X16X16_F16, F16, F32, DEFAULT, 16, 16),
      mfma(AmdgcnIntrinsic.MFMA_32X32X8_F16, F16, F32, DEFAULT, 32, 8),
      mfma(AmdgcnIntrinsic.MFMA_16X16X32_I8, I8, I32, DEFAULT, 16, 32),
      mfma(AmdgcnIntrinsic.MFMA_32X32X16_I8, I8, I32, DEFAULT, 32, 16),
      mfma(AmdgcnIntrinsic.MFMA_16X16X8_XF32, F32, F32, TF32, 16, 8),
      mfma(AmdgcnIntrinsic.MFMA_32X32X4_XF32, F32, F32, TF32, 32, 4),
      mfma(AmdgcnIntrinsic.MFMA_16X16X4_F32, F32, F32, IEEE, 16, 4),
      mfma(AmdgcnIntrinsic.MFMA_32X32X2_F32, F32, F32, IEEE, 32, 2),
      mfma(AmdgcnIntrinsic.MFMA_16X16X4_F64, F64, F64, DEFAULT, 16, 4));

  private static final List<MatrixInstruction> GFX950_MFMA = List.of(
      mfma(AmdgcnIntrinsic.MFMA_16X16X32_BF16, BF16, F32, DEFAULT, 16, 32),
      mfma(AmdgcnIntrinsic.MFMA_32X32X16_BF16, BF16, F32, DEFAULT, 32, 16),
      mfma(AmdgcnIntrinsic.MFMA_16X16X16_BF16, BF16, F32, DEFAULT, 16, 16),
      mfma(AmdgcnIntrinsic.MFMA_16X16X32_F16, F16, F32, DEFAULT, 16, 32),
      mfma(AmdgcnIntrinsic.MFMA_32X32X16_F16, F16, F32, DEFAULT, 32, 16),
      mfma(AmdgcnIntrinsic.MFMA_16X16X16_F16, F16, F32, DEFAULT, 16, 16),
      mfma(AmdgcnIntrinsic.MFMA_16X16X64_I8, I8, I32, DEFAULT, 16, 64),
      mfma(AmdgcnIntrinsic.MFMA_32X32X32_I8, I8, I32, DEFAULT, 32, 32),
      mfma(AmdgcnIntrinsic.MFMA_16X16X32_I8, I8, I32, DEFAULT, 16, 32),
      fp8(AmdgcnIntrinsic.MFMA_16X16X32_FP8_FP8, E4M3, E4M3, 16, 32),
      fp8(AmdgcnIntrinsic.MFMA_16X16X32_FP8_BF8, E4M3, E5M2, 16, 32),
      fp8(AmdgcnIntrinsic.MFMA_16X16X32_BF8_FP8, E5M2, E4M3, 16, 32),
      fp8(AmdgcnIntrinsic.MFMA_16X16X32_BF8_BF8, E5M2, E5M2, 16, 32),
      mfma(AmdgcnIntrinsic.MFMA_16X16X4_F32, F32, F32, IEEE, 16, 4),
      mfma(AmdgcnIntrinsic.MFMA_32X32X2_F32, F32, F32, IEEE, 32, 2),
      mfma(AmdgcnIntrinsic.MFMA_16X16X4_F64, F64, F64, DEFAULT, 16, 4));

  private static final List<Approximation> APPROXIMATIONS = List.of(
      new Approximation(UnaryKind.EXP2, "1 ulp", 0x1p-23),
      new Approximation(UnaryKind.LOG2, "1 ulp", 0x1p-23),
      new Approximation(UnaryKind.RCP, "1 ulp", 0x1p-23),
      new Approximation(UnaryKind.RSQRT, "1 ulp", 0x1p-23),
      new Approximation(UnaryKind.SQRT, "1 ulp", 0x1p-23));

  public static final TargetInfo GFX942 = target(Gfx.GFX942, "MI300X, MI325X", 65536, Banks.BY_128_BYTES_WAVE64, 304,
      GFX942_MFMA, List.of(new NativeCast(F32, F16), new NativeCast(F16, F32), new NativeCast(BF16, F32)));
  public static final TargetInfo GFX950 = target(Gfx.GFX950, "MI350X, MI355X", 163840, Banks.BY_256_BYTES, 256,
      GFX950_MFMA, List.of(new NativeCast(F32, F16), new NativeCast(F16, F32), new NativeCast(F32, BF16),
          new NativeCast(BF16, F32), new NativeCast(F32, E4M3), new NativeCast(F32, E5M2), new NativeCast(E4M3, F32),
          new NativeCast(E5M2, F32)));

  public static final List<TargetInfo> ALL = List.of(GFX942, GFX950);

  public static Optional<TargetInfo> byName(String name) {
    return ALL.stream().filter(t -> t.name().equals(name)).findFirst();
  }

  private static TargetInfo target(
      Gfx gfx,
      String devices,
      int sharedBytes,
      Banks banks,
      int processors,
      List<MatrixInstruction> instructions,
      List<NativeCast> casts) {
    return new TargetInfo(gfx.cpu(), devices,
        new TargetInfo.Llvm(gfx.llvm().triple(), gfx.llvm().cpu(), gfx.llvm().features()), gfx.waveSize(),
        new TargetInfo.Threads(1024, 2048, 16),
        // Vector and accumulation registers together, four files of 512 for each of 64 lanes.
        new TargetInfo.Registers(512, 4 * 512 * 64, 8), new TargetInfo.Shared(sharedBytes, sharedBytes, 0, banks),
        processors, 16, List.of(), CDNA, instructions, List.of(), casts, APPROXIMATIONS, Optional.empty());
  }

  private static MatrixInstruction mfma(
      AmdgcnIntrinsic row, Element operand, Element sum, Precision precision, int side, int k) {
    return new MatrixInstruction(row.name(), operand, operand, sum, precision,
        MatrixFragments.mfma(side, side, k, sum == F64 ? 1 : 4));
  }

  private static MatrixInstruction fp8(AmdgcnIntrinsic row, Element a, Element b, int side, int k) {
    return new MatrixInstruction(row.name(), a, b, F32, DEFAULT, MatrixFragments.mfma(side, side, k, 4));
  }
}
