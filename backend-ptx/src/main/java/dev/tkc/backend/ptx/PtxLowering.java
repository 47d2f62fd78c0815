package dev.tkc.backend.ptx;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmFunction;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmMetadata;
import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget;
import dev.tkc.backend.llvm.lower.TargetLowering;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * NVIDIA's spelling of what lowering needs: warps of 32, {@code shfl.sync}, {@code bar.sync}, {@code mma.sync},
 * {@code ldmatrix}, {@code cp.async}, the special-function unit. A row of {@link PtxIntrinsic} is used only where the
 * processor and the PTX version have it.
 */
public final class PtxLowering implements TargetLowering {
  /** {@code red} on vectors of f32 came with sm_90 and this version. */
  static final int VECTOR_ATOMICS_PTX = 81;

  private static final int ALL_LANES = -1;
  private static final int WHOLE_WARP = 31;
  private static final int SHARED_ALIGNMENT = 1024;

  private final TargetInfo target;
  private final int sm;
  private final int ptx;

  /** {@code ptx} is the version of PTX to write, 80 for 8.0. */
  public PtxLowering(TargetInfo target, int ptx) {
    this.target = target;
    this.sm = Integer.parseInt(target.llvm().cpu().replaceAll("[^0-9]", ""));
    this.ptx = ptx;
  }

  boolean has(PtxIntrinsic row) {
    return row.isOn(sm, ptx);
  }

  @Override
  public TargetInfo target() {
    return target;
  }

  @Override
  public String kernelConvention() {
    return "ptx_kernel";
  }

  @Override
  public String deviceScope() {
    return "device";
  }

  @Override
  public void finish(LlvmModule module, LlvmFunction kernel, KernelFacts facts) {
    annotate(module, kernel, "maxntidx", number(facts.threads()));
    annotate(module, kernel, "maxntidy", number(1));
    annotate(module, kernel, "maxntidz", number(1));
    if (facts.splitsRegisters()) {
      // Otherwise the assembler chooses how many registers a thread starts with, and ignores what it is told later.
      annotate(module, kernel, "minctasm", number(1));
    }
    if (facts.cluster() > 1) {
      annotate(module, kernel, "cluster_dim_x", number(facts.cluster()));
      annotate(module, kernel, "cluster_dim_y", number(1));
      annotate(module, kernel, "cluster_dim_z", number(1));
    }
    if (!facts.maps().isEmpty()) {
      // Parameters count from 1.
      annotate(module, kernel, "grid_constant", module.metadata().node(
          facts.maps().stream().map(i -> number(i + 1)).toArray(LlvmMetadata.Item[]::new)));
    }
  }

  private static LlvmMetadata.Item number(int value) {
    return LlvmMetadata.value(LlvmValue.i32(value));
  }

  private static void annotate(LlvmModule module, LlvmFunction kernel, String key, LlvmMetadata.Item value) {
    LlvmMetadata m = module.metadata();
    m.append("nvvm.annotations", m.node(LlvmMetadata.value(kernel.asValue()), LlvmMetadata.string(key), value));
  }

  @Override
  public AsyncTarget async() {
    if (!target.has(Capability.BULK_COPY) || !target.has(Capability.ASYNC_MATRIX)) {
      throw new IllegalStateException(target.name() + " starts no bulk copies and products");
    }
    return new PtxAsync(target);
  }

  @Override
  public LlvmValue threadId(LlvmBuilder b) {
    return b.call(PtxIntrinsic.TID_X);
  }

  @Override
  public LlvmValue blockId(LlvmBuilder b) {
    return b.call(PtxIntrinsic.CTAID_X);
  }

  @Override
  public LlvmValue blockCount(LlvmBuilder b) {
    return b.call(PtxIntrinsic.NCTAID_X);
  }

  @Override
  public LlvmValue sharedMemory(LlvmModule module, long bytes) {
    return module.dynamicShared("shared", SHARED_ALIGNMENT);
  }

  @Override
  public void barrier(LlvmBuilder b) {
    b.call(PtxIntrinsic.BARRIER_ALL);
  }

  @Override
  public void awaitLaunches(LlvmBuilder b) {
    if (target.has(Capability.DEPENDENT_LAUNCH)) {
      b.call(PtxIntrinsic.GRID_WAIT);
      b.call(PtxIntrinsic.GRID_LAUNCH_DEPENDENTS);
    }
  }

  @Override
  public LlvmValue lastArrival(
      LlvmBuilder b, LlvmValue first, LlvmValue counter, LlvmValue last, int team, int threads) {
    LlvmValue any = b.call(PtxIntrinsic.LAST_ARRIVAL, counter, last, first, LlvmValue.i32(team),
        LlvmValue.i32(threads));
    // From one lane, so that the assembler sees a warp go one way, and keeps what loops around it carry in uniform
    // registers.
    return b.icmp(LlvmBuilder.Compare.NE, shuffleFrom(b, any, LlvmValue.i32(0)), LlvmValue.i32(0));
  }

  @Override
  public void meetCluster(LlvmBuilder b) {
    b.call(PtxIntrinsic.CLUSTER_BARRIER);
  }

  @Override
  public LlvmValue inBlockOfCluster(LlvmBuilder b, LlvmValue pointer, LlvmValue rank) {
    return b.call(PtxIntrinsic.MAPA, b.addrspacecast(pointer, LlvmType.PTR), rank);
  }

  @Override
  public LlvmValue shuffleXor(LlvmBuilder b, LlvmValue value, int mask) {
    return shuffle(b, PtxIntrinsic.SHFL_BFLY_I32, value, LlvmValue.i32(mask));
  }

  @Override
  public LlvmValue shuffleFrom(LlvmBuilder b, LlvmValue value, LlvmValue lane) {
    return shuffle(b, PtxIntrinsic.SHFL_IDX_I32, value, lane);
  }

  private static LlvmValue shuffle(LlvmBuilder b, PtxIntrinsic how, LlvmValue value, LlvmValue lane) {
    return b.call(how, LlvmValue.i32(ALL_LANES), value, lane, LlvmValue.i32(WHOLE_WARP));
  }

  @Override
  public int atomicElements(Element element, MemoryOp.AtomicKind kind) {
    return element == Element.F32 && kind == MemoryOp.AtomicKind.ADD && sm >= 90 && ptx >= VECTOR_ATOMICS_PTX ? 4 : 1;
  }

  @Override
  public void atomicAdd(LlvmBuilder b, LlvmValue pointer, List<LlvmValue> values) {
    List<LlvmValue> operands = new ArrayList<>(List.of(pointer));
    operands.addAll(values);
    StringJoiner list = new StringJoiner(", ", "{", "};");
    for (int i = 1; i <= values.size(); i++) {
      list.add("$" + i);
    }
    b.inlineAsm(LlvmType.VOID,
        new LlvmIntrinsic.Asm("red.relaxed.gpu.global.add.v" + values.size() + ".f32 [$0], " + list,
            "l," + "f,".repeat(values.size()) + "~{memory}", true, false),
        operands.toArray(LlvmValue[]::new));
  }

  /**
   * A predicated store. As a branch around an ordinary store LLVM would move the loads that feed it under the branch,
   * and they would wait for each other.
   */
  @Override
  public void storeIf(LlvmBuilder b, LlvmValue guard, LlvmValue value, LlvmValue pointer, int align) {
    int bits = value.type().bits();
    int words = Math.max(1, bits / 32);
    String unit = bits >= 32 ? "b32" : "b" + bits;
    List<LlvmValue> operands = new ArrayList<>(List.of(guard, pointer));
    if (bits >= 32) {
      operands.addAll(b.unpack(b.bitcast(value, words == 1 ? LlvmType.I32 : LlvmType.vector(words, LlvmType.I32))));
    } else {
      LlvmValue whole = b.bitcast(value, LlvmType.integer(bits));
      operands.add(bits == 8 ? b.zext(whole, LlvmType.I16) : whole);
    }
    StringJoiner list = new StringJoiner(", ", words == 1 ? "" : "{", words == 1 ? ";" : "};");
    for (int i = 0; i < words; i++) {
      list.add("$" + (i + 2));
    }
    String vector = words == 1 ? "" : ".v" + words;
    String register = bits >= 32 ? "r" : "h";
    b.inlineAsm(LlvmType.VOID,
        new LlvmIntrinsic.Asm("@$0 st.global" + vector + "." + unit + " [$1], " + list,
            "b,l," + (register + ",").repeat(words) + "~{memory}", true, false),
        operands.toArray(LlvmValue[]::new));
  }

  // Arithmetic.

  @Override
  public Optional<LlvmValue> unary(LlvmBuilder b, UnaryKind kind, LlvmValue x) {
    return switch (kind) {
      // Results below 2^-126 become zero: the other form costs three more instructions on every use.
      case EXP2 -> Optional.of(b.call(PtxIntrinsic.EX2_FTZ, x));
      case RCP -> Optional.of(b.call(PtxIntrinsic.RCP, x));
      case RSQRT -> Optional.of(b.call(PtxIntrinsic.RSQRT, x));
      case SQRT -> Optional.of(b.call(PtxIntrinsic.SQRT, x));
      case NEG, ABS, FLOOR, CEIL, ROUND, EXP, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID, NOT -> Optional.empty();
    };
  }

  @Override
  public LlvmValue reciprocalOfNormal(LlvmBuilder b, LlvmValue x) {
    return b.call(PtxIntrinsic.RCP_FTZ, x);
  }

  /**
   * (x · 1/(y s)) · s, where s brings a subnormal or huge divisor into the range in which the reciprocal is exact to an
   * ulp.
   * Everything but the two products depends on the divisor alone: rows divided by one number compute it once.
   */
  @Override
  public LlvmValue divide(LlvmBuilder b, LlvmValue x, LlvmValue y) {
    LlvmValue size = b.call(LlvmIntrinsic.uniform("llvm.fabs", LlvmType.FLOAT, 1), y);
    LlvmValue tiny = b.fcmp(RealCompare.OLT, size, LlvmValue.f32(0x1p-126));
    LlvmValue huge = b.fcmp(RealCompare.OGT, size, LlvmValue.f32(0x1p126));
    LlvmValue scale = b.select(tiny, LlvmValue.f32(0x1p24), b.select(huge, LlvmValue.f32(0x1p-24), LlvmValue.f32(1)));
    LlvmValue reciprocal = reciprocalOfNormal(b, b.fmul(y, scale));
    return b.fmul(b.fmul(x, reciprocal), scale);
  }

  @Override
  public Optional<List<LlvmValue>> convert(LlvmBuilder b, List<LlvmValue> values, Element from, Element to) {
    return switch (to) {
      case BF16 -> from == Element.F32 ? Optional.of(halves(b, values, PtxIntrinsic.CVT_BF16X2)) : Optional.empty();
      case F16 -> switch (from) {
        case F32 -> Optional.of(halves(b, values, PtxIntrinsic.CVT_F16X2));
        case E4M3 -> fromBytes(b, values, PtxIntrinsic.CVT_F16X2_FROM_E4M3X2);
        case E5M2 -> fromBytes(b, values, PtxIntrinsic.CVT_F16X2_FROM_E5M2X2);
        case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F64, I4, U4, E2M1, E8M0 -> Optional.empty();
      };
      case F32 -> from.isFp8()
          ? convert(b, values, from, Element.F16).map(hs -> hs.stream().map(h -> b.fpext(h, LlvmType.FLOAT)).toList())
          : Optional.empty();
      case E4M3 -> from == Element.F32 ? toBytes(b, values, PtxIntrinsic.CVT_E4M3X2) : Optional.empty();
      case E5M2 -> from == Element.F32 ? toBytes(b, values, PtxIntrinsic.CVT_E5M2X2) : Optional.empty();
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F64, I4, U4, E2M1, E8M0 -> Optional.empty();
    };
  }

  /** Two at a time; an odd last one alone. */
  private static List<LlvmValue> halves(LlvmBuilder b, List<LlvmValue> xs, PtxIntrinsic row) {
    List<LlvmValue> out = new ArrayList<>();
    for (int i = 0; i + 1 < xs.size(); i += 2) {
      // The instruction's first operand becomes the upper half.
      out.addAll(b.unpack(b.call(row, xs.get(i + 1), xs.get(i))));
    }
    if (xs.size() % 2 == 1) {
      out.add(b.fptrunc(xs.getLast(), row.result().scalar()));
    }
    return out;
  }

  private Optional<List<LlvmValue>> toBytes(LlvmBuilder b, List<LlvmValue> xs, PtxIntrinsic row) {
    if (!has(row)) {
      return Optional.empty();
    }
    List<LlvmValue> out = new ArrayList<>();
    for (int i = 0; i < xs.size(); i += 2) {
      LlvmValue upper = i + 1 < xs.size() ? xs.get(i + 1) : LlvmValue.f32(0);
      LlvmValue pair = b.bitcast(b.call(row, upper, xs.get(i)), LlvmType.vector(2, LlvmType.I8));
      out.addAll(b.unpack(pair));
    }
    return Optional.of(out.subList(0, xs.size()));
  }

  private Optional<List<LlvmValue>> fromBytes(LlvmBuilder b, List<LlvmValue> xs, PtxIntrinsic row) {
    if (!has(row)) {
      return Optional.empty();
    }
    List<LlvmValue> out = new ArrayList<>();
    for (int i = 0; i < xs.size(); i += 2) {
      LlvmValue upper = i + 1 < xs.size() ? xs.get(i + 1) : LlvmValue.constant(LlvmType.I8, 0);
      LlvmValue pair = b.bitcast(b.vector(List.of(xs.get(i), upper)), LlvmType.I16);
      out.addAll(b.unpack(b.bitcast(b.call(row, pair), LlvmType.vector(2, LlvmType.HALF))));
    }
    return Optional.of(out.subList(0, xs.size()));
  }

  // Matrices.

  @Override
  public MatrixInstruction matrix(String name) {
    return new PtxMatrix(this, target.matrixInstruction(name)
        .orElseThrow(() -> new IllegalStateException(target.name() + " has no matrix instruction " + name)));
  }

  @Override
  public int mostMatricesPerLoad() {
    return 4;
  }

  @Override
  public List<LlvmValue> loadMatrices(LlvmBuilder b, LlvmValue row, int count, boolean transposed) {
    PtxIntrinsic load = switch (count) {
      case 1 -> transposed ? PtxIntrinsic.LDMATRIX_X1_TRANS : PtxIntrinsic.LDMATRIX_X1;
      case 2 -> transposed ? PtxIntrinsic.LDMATRIX_X2_TRANS : PtxIntrinsic.LDMATRIX_X2;
      case 4 -> transposed ? PtxIntrinsic.LDMATRIX_X4_TRANS : PtxIntrinsic.LDMATRIX_X4;
      default -> throw new IllegalStateException("ldmatrix of " + count);
    };
    return b.unpack(b.call(load, row));
  }

  @Override
  public int mostMatricesPerStore() {
    return target.has(Capability.MATRIX_STORE) ? 4 : 0;
  }

  @Override
  public void storeMatrices(LlvmBuilder b, AsyncTarget.Place row, List<LlvmValue> words, boolean transposed) {
    PtxIntrinsic store = switch (words.size()) {
      case 1 -> transposed ? PtxIntrinsic.STMATRIX_X1_TRANS : PtxIntrinsic.STMATRIX_X1;
      case 2 -> transposed ? PtxIntrinsic.STMATRIX_X2_TRANS : PtxIntrinsic.STMATRIX_X2;
      case 4 -> transposed ? PtxIntrinsic.STMATRIX_X4_TRANS : PtxIntrinsic.STMATRIX_X4;
      default -> throw new IllegalStateException("stmatrix of " + words.size());
    };
    List<LlvmValue> operands = new ArrayList<>(List.of(PtxAsync.address(b, row)));
    operands.addAll(words);
    b.call(store, operands);
  }

  // Asynchronous copies.

  @Override
  public boolean copiesAsync(int bytes) {
    return target.asyncCopyBytes().contains(bytes);
  }

  @Override
  public void copyAsync(LlvmBuilder b, LlvmValue shared, LlvmValue global, int bytes, Optional<LlvmValue> valid) {
    PtxIntrinsic row = switch (bytes) {
      case 4 -> valid.isPresent() ? PtxIntrinsic.CP_ASYNC_4_ZFILL : PtxIntrinsic.CP_ASYNC_4;
      case 8 -> valid.isPresent() ? PtxIntrinsic.CP_ASYNC_8_ZFILL : PtxIntrinsic.CP_ASYNC_8;
      case 16 -> valid.isPresent() ? PtxIntrinsic.CP_ASYNC_16_ZFILL : PtxIntrinsic.CP_ASYNC_16;
      default -> throw new IllegalStateException("cp.async of " + bytes + " bytes");
    };
    if (valid.isPresent()) {
      b.call(row, shared, global, b.select(valid.get(), LlvmValue.i32(bytes), LlvmValue.i32(0)));
    } else {
      b.call(row, shared, global);
    }
  }

  @Override
  public void copyCommit(LlvmBuilder b) {
    b.call(PtxIntrinsic.CP_ASYNC_COMMIT);
  }

  @Override
  public void copyWait(LlvmBuilder b, int pending) {
    b.call(PtxIntrinsic.CP_ASYNC_WAIT, LlvmValue.i32(pending));
  }
}
