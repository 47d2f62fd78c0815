package dev.tkc.backend.ptx;

import static dev.tkc.ir.op.MatrixOp.Precision.DEFAULT;
import static dev.tkc.ir.op.MatrixOp.Precision.TF32;
import static dev.tkc.ir.op.MatrixOp.Precision.TF32X3;
import static dev.tkc.ir.type.Element.BF16;
import static dev.tkc.ir.type.Element.E4M3;
import static dev.tkc.ir.type.Element.E5M2;
import static dev.tkc.ir.type.Element.F16;
import static dev.tkc.ir.type.Element.F32;
import static dev.tkc.ir.type.Element.F64;
import static dev.tkc.ir.type.Element.I32;
import static dev.tkc.ir.type.Element.I8;
import static dev.tkc.ir.type.Element.U8;

import dev.tkc.ir.layout.Banks;
import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.Approximation;
import dev.tkc.passes.target.AsyncMatrix;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.Rates;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.target.TargetInfo.NativeCast;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The NVIDIA processors tkc compiles for. Limits are those of the CUDA programming guide's table of compute
 * capabilities, errors those of the PTX ISA. A matrix instruction's name is that of its row in {@link PtxIntrinsic},
 * followed by {@code X3} where the lowering makes three of it.
 */
public final class PtxTargets {
  private PtxTargets() {}

  private static final Set<Capability> AMPERE = EnumSet.of(
      Capability.ASYNC_COPY, Capability.MATRIX_LOAD, Capability.MATRIX_LOAD_TRANSPOSED, Capability.SHUFFLE_INDEX,
      Capability.SHUFFLE_XOR, Capability.SHUFFLE_UP, Capability.REDUCE_INTEGER, Capability.ATOMIC_ADD_F32,
      Capability.ATOMIC_ADD_F64, Capability.MINMAX_16);

  private static final Set<Capability> HOPPER = with(AMPERE, Capability.MATRIX_STORE, Capability.BULK_COPY,
      Capability.CLUSTERS, Capability.LAST_ARRIVAL, Capability.DEPENDENT_LAUNCH, Capability.ATOMIC_ADD_PACKED_16);

  private static final List<MatrixInstruction> MMA = List.of(
      mma(PtxIntrinsic.MMA_BF16, BF16, BF16, F32, DEFAULT, MatrixFragments.mmaSync(16)),
      mma(PtxIntrinsic.MMA_F16, F16, F16, F32, DEFAULT, MatrixFragments.mmaSync(16)),
      mma(PtxIntrinsic.MMA_TF32, F32, F32, F32, TF32, MatrixFragments.mmaSync(32)),
      new MatrixInstruction("MMA_TF32X3", F32, F32, F32, TF32X3, MatrixFragments.mmaSync(32)),
      mma(PtxIntrinsic.MMA_S8, I8, I8, I32, DEFAULT, MatrixFragments.mmaSync(8)),
      mma(PtxIntrinsic.MMA_U8, U8, U8, I32, DEFAULT, MatrixFragments.mmaSync(8)),
      mma(PtxIntrinsic.MMA_S8_U8, I8, U8, I32, DEFAULT, MatrixFragments.mmaSync(8)),
      mma(PtxIntrinsic.MMA_U8_S8, U8, I8, I32, DEFAULT, MatrixFragments.mmaSync(8)),
      mma(PtxIntrinsic.MMA_F64, F64, F64, F64, DEFAULT, MatrixFragments.mmaSyncF64()));

  private static final List<MatrixInstruction> MMA_FP8 = with(MMA, List.of(
      mma(PtxIntrinsic.MMA_E4M3, E4M3, E4M3, F32, DEFAULT, MatrixFragments.mmaSync(8)),
      mma(PtxIntrinsic.MMA_E5M2, E5M2, E5M2, F32, DEFAULT, MatrixFragments.mmaSync(8)),
      mma(PtxIntrinsic.MMA_E4M3_E5M2, E4M3, E5M2, F32, DEFAULT, MatrixFragments.mmaSync(8)),
      mma(PtxIntrinsic.MMA_E5M2_E4M3, E5M2, E4M3, F32, DEFAULT, MatrixFragments.mmaSync(8))));

  /**
   * {@code wgmma.mma_async} (PTX ISA 9.7.15): four warps, 64 rows, up to 256 columns. Not tf32, which it cuts off and
   * does not round.
   */
  private static final List<AsyncMatrix> WGMMA = List.of(
      wgmma("WGMMA_BF16", BF16, BF16, F32, DEFAULT, 16),
      wgmma("WGMMA_F16", F16, F16, F32, DEFAULT, 16),
      wgmma("WGMMA_E4M3", E4M3, E4M3, F32, DEFAULT, 8),
      wgmma("WGMMA_E5M2", E5M2, E5M2, F32, DEFAULT, 8),
      wgmma("WGMMA_E4M3_E5M2", E4M3, E5M2, F32, DEFAULT, 8),
      wgmma("WGMMA_E5M2_E4M3", E5M2, E4M3, F32, DEFAULT, 8),
      wgmma("WGMMA_S8", I8, I8, I32, DEFAULT, 8),
      wgmma("WGMMA_U8", U8, U8, I32, DEFAULT, 8),
      wgmma("WGMMA_S8_U8", I8, U8, I32, DEFAULT, 8),
      wgmma("WGMMA_U8_S8", U8, I8, I32, DEFAULT, 8));

  /** Of an H200: 989 TFLOP/s of bf16 and 4.8 TB/s at 1.755 GHz; the cache as seen with all multiprocessors loading. */
  private static final Rates HOPPER_RATES = new Rates(2048, 128, 16, 128, 56, 20.7, 1000, 4000, 1.755);

  private static final List<NativeCast> CASTS = List.of(
      new NativeCast(F32, F16), new NativeCast(F16, F32), new NativeCast(F32, BF16), new NativeCast(BF16, F32));

  private static final List<NativeCast> CASTS_FP8 = with(CASTS, List.of(
      new NativeCast(F32, E4M3), new NativeCast(F32, E5M2), new NativeCast(E4M3, F16), new NativeCast(E5M2, F16)));

  private static final List<Approximation> APPROXIMATIONS = List.of(
      new Approximation(UnaryKind.EXP2, "2^-22 relative", 0x1p-22),
      new Approximation(UnaryKind.LOG2, "2^-22 relative, absolute between 0.5 and 2", 0x1p-22),
      new Approximation(UnaryKind.RCP, "1 ulp", 0x1p-23),
      new Approximation(UnaryKind.RSQRT, "2^-22.9 relative", 0x1.2p-23),
      new Approximation(UnaryKind.SQRT, "2^-23 relative", 0x1p-23),
      new Approximation(UnaryKind.SIN, "2^-20.5 absolute between -pi and pi", 0x1.7p-21),
      new Approximation(UnaryKind.COS, "2^-20.5 absolute between -pi and pi", 0x1.7p-21),
      new Approximation(UnaryKind.TANH, "2^-11 relative", 0x1p-11));

  public static final TargetInfo SM_80 = target("sm_80", "A100", new TargetInfo.Threads(1024, 2048, 32),
      shared(166912, 167936), 108, AMPERE, MMA, List.of(), CASTS);
  public static final TargetInfo SM_86 = target("sm_86", "A40, RTX 30xx", new TargetInfo.Threads(1024, 1536, 16),
      shared(101376, 102400), 84, AMPERE, MMA, List.of(), CASTS);
  public static final TargetInfo SM_89 = target("sm_89", "L40S, RTX 40xx", new TargetInfo.Threads(1024, 1536, 24),
      shared(101376, 102400), 142, AMPERE, MMA_FP8, List.of(), CASTS_FP8);
  public static final TargetInfo SM_90A = target("sm_90a", "H100, H200", new TargetInfo.Threads(1024, 2048, 32),
      shared(232448, 233472), 132, with(HOPPER, Capability.ASYNC_MATRIX, Capability.REGISTER_SPLIT), MMA_FP8, WGMMA,
      CASTS_FP8);
  /** Assembled only: nothing here has been run on such a device. */
  public static final TargetInfo SM_100A = target("sm_100a", "B200", new TargetInfo.Threads(1024, 2048, 32),
      shared(232448, 233472), 148, with(HOPPER, Capability.REGISTER_SPLIT, Capability.PACKED_F32), MMA_FP8, List.of(),
      CASTS_FP8);

  public static final List<TargetInfo> ALL = List.of(SM_80, SM_86, SM_89, SM_90A, SM_100A);

  public static Optional<TargetInfo> byName(String name) {
    return ALL.stream().filter(t -> t.name().equals(name)).findFirst();
  }

  /** LLVM's feature for the PTX version: 8.0 is the newest the built-in assembler takes, sm_100a needs 8.6. */
  private static String features(String name) {
    return name.equals("sm_100a") ? "+ptx86" : "+ptx80";
  }

  private static TargetInfo.Shared shared(int perBlock, int perProcessor) {
    return new TargetInfo.Shared(perBlock, perProcessor, 1024, Banks.BY_128_BYTES);
  }

  private static TargetInfo target(
      String name,
      String devices,
      TargetInfo.Threads threads,
      TargetInfo.Shared shared,
      int processors,
      Set<Capability> capabilities,
      List<MatrixInstruction> instructions,
      List<AsyncMatrix> asyncInstructions,
      List<NativeCast> casts) {
    return new TargetInfo(name, devices, new TargetInfo.Llvm("nvptx64-nvidia-cuda", name, features(name)), 32, threads,
        new TargetInfo.Registers(255, 65536, 8), shared, processors, 16, List.of(4, 8, 16), capabilities, instructions,
        asyncInstructions, casts, APPROXIMATIONS, asyncInstructions.isEmpty() ? Optional.empty()
        : Optional.of(HOPPER_RATES));
  }

  private static MatrixInstruction mma(
      PtxIntrinsic row, Element a, Element b, Element sum, Precision precision, MatrixFragments.Fragments fragments) {
    return new MatrixInstruction(row.name(), a, b, sum, precision, fragments);
  }

  private static AsyncMatrix wgmma(String name, Element a, Element b, Element sum, Precision precision, int bits) {
    return new AsyncMatrix(name, a, b, sum, precision, MatrixFragments.mmaSync(bits), 4, 256, sum == I32 ? 16 : 8,
        bits == 16);
  }

  private static Set<Capability> with(Set<Capability> base, Capability... more) {
    EnumSet<Capability> all = EnumSet.copyOf(base);
    all.addAll(List.of(more));
    return all;
  }

  private static <T> List<T> with(List<T> base, List<T> more) {
    List<T> all = new ArrayList<>(base);
    all.addAll(more);
    return List.copyOf(all);
  }
}
