package dev.tkc.backend.ptx;

import static dev.tkc.backend.llvm.LlvmType.BFLOAT;
import static dev.tkc.backend.llvm.LlvmType.DOUBLE;
import static dev.tkc.backend.llvm.LlvmType.FLOAT;
import static dev.tkc.backend.llvm.LlvmType.GLOBAL;
import static dev.tkc.backend.llvm.LlvmType.PTR;
import static dev.tkc.backend.llvm.LlvmType.HALF;
import static dev.tkc.backend.llvm.LlvmType.I1;
import static dev.tkc.backend.llvm.LlvmType.I16;
import static dev.tkc.backend.llvm.LlvmType.I32;
import static dev.tkc.backend.llvm.LlvmType.I64;
import static dev.tkc.backend.llvm.LlvmType.PTR;
import static dev.tkc.backend.llvm.LlvmType.SHARED;
import static dev.tkc.backend.llvm.LlvmType.VOID;
import static dev.tkc.backend.llvm.LlvmType.structOf;
import static dev.tkc.backend.llvm.LlvmType.vector;

import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;

/**
 * NVIDIA's instructions that LLVM IR has no word for: one row each with its signature, the first compute capability and
 * the first PTX version that have it, and the section of the PTX ISA manual that defines it. Rows that LLVM 20 knows
 * are intrinsics, the rest inline PTX. A row used on a processor without it kills the process, so lowering asks
 * {@link #isOn} through the capability table first.
 */
public enum PtxIntrinsic implements LlvmIntrinsic {
  // Who am I. (PTX ISA: Special Registers)
  TID_X(sreg("tid.x"), I32),
  TID_Y(sreg("tid.y"), I32),
  TID_Z(sreg("tid.z"), I32),
  CTAID_X(sreg("ctaid.x"), I32),
  CTAID_Y(sreg("ctaid.y"), I32),
  CTAID_Z(sreg("ctaid.z"), I32),
  NCTAID_X(sreg("nctaid.x"), I32),
  NCTAID_Y(sreg("nctaid.y"), I32),
  NCTAID_Z(sreg("nctaid.z"), I32),
  LANEID(sreg("laneid"), I32),
  /** The same as TID_X, but read at its place: LLVM keeps no value computed from an earlier one. */
  TID_X_HERE(effect("mov.u32 $0, %tid.x;", "=r"), I32),

  // Synchronisation. (bar, bar.warp.sync, membar, griddepcontrol)
  BARRIER_ALL(nvvm("barrier0"), VOID),
  /** Named barrier and the number of threads that meet there, a multiple of 32. */
  BARRIER(nvvm("barrier"), VOID, I32, I32),
  /** The same barrier for those that need not wait. */
  BARRIER_ARRIVE(together("bar.arrive $0, $1;", "r,r,~{memory}"), VOID, I32, I32),
  BAR_WARP_SYNC(nvvm("bar.warp.sync"), VOID, I32),
  MEMBAR_CTA(nvvm("membar.cta"), VOID),
  MEMBAR_GPU(nvvm("membar.gl"), VOID),
  MEMBAR_SYSTEM(nvvm("membar.sys"), VOID),
  GRIDDEP_WAIT(90, 78, nvvm("griddepcontrol.wait"), VOID),
  GRIDDEP_LAUNCH(90, 78, nvvm("griddepcontrol.launch.dependents"), VOID),

  // Across lanes: (member mask, value, lane or distance, clamp). (shfl.sync, vote.sync, redux.sync)
  SHFL_IDX_I32(nvvm("shfl.sync.idx.i32"), I32, I32, I32, I32, I32),
  SHFL_BFLY_I32(nvvm("shfl.sync.bfly.i32"), I32, I32, I32, I32, I32),
  SHFL_UP_I32(nvvm("shfl.sync.up.i32"), I32, I32, I32, I32, I32),
  SHFL_DOWN_I32(nvvm("shfl.sync.down.i32"), I32, I32, I32, I32, I32),
  SHFL_IDX_F32(nvvm("shfl.sync.idx.f32"), FLOAT, I32, FLOAT, I32, I32),
  SHFL_BFLY_F32(nvvm("shfl.sync.bfly.f32"), FLOAT, I32, FLOAT, I32, I32),
  SHFL_UP_F32(nvvm("shfl.sync.up.f32"), FLOAT, I32, FLOAT, I32, I32),
  SHFL_DOWN_F32(nvvm("shfl.sync.down.f32"), FLOAT, I32, FLOAT, I32, I32),
  VOTE_ALL(nvvm("vote.all.sync"), I1, I32, I1),
  VOTE_ANY(nvvm("vote.any.sync"), I1, I32, I1),
  VOTE_BALLOT(nvvm("vote.ballot.sync"), I32, I32, I1),
  REDUX_ADD(nvvm("redux.sync.add"), I32, I32, I32),
  REDUX_MAX(nvvm("redux.sync.max"), I32, I32, I32),
  REDUX_MIN(nvvm("redux.sync.min"), I32, I32, I32),
  REDUX_UMAX(nvvm("redux.sync.umax"), I32, I32, I32),
  REDUX_UMIN(nvvm("redux.sync.umin"), I32, I32, I32),
  REDUX_AND(nvvm("redux.sync.and"), I32, I32, I32),
  REDUX_OR(nvvm("redux.sync.or"), I32, I32, I32),
  REDUX_XOR(nvvm("redux.sync.xor"), I32, I32, I32),

  // Fragments from shared memory: n 8x8 matrices of 16-bit elements. (ldmatrix)
  LDMATRIX_X1(nvvm("ldmatrix.sync.aligned.m8n8.x1.b16.p3"), I32, SHARED),
  LDMATRIX_X2(nvvm("ldmatrix.sync.aligned.m8n8.x2.b16.p3"), structOf(2, I32), SHARED),
  LDMATRIX_X4(nvvm("ldmatrix.sync.aligned.m8n8.x4.b16.p3"), structOf(4, I32), SHARED),
  LDMATRIX_X1_TRANS(nvvm("ldmatrix.sync.aligned.m8n8.x1.trans.b16.p3"), I32, SHARED),
  LDMATRIX_X2_TRANS(nvvm("ldmatrix.sync.aligned.m8n8.x2.trans.b16.p3"), structOf(2, I32), SHARED),
  LDMATRIX_X4_TRANS(nvvm("ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3"), structOf(4, I32), SHARED),

  // Matrix products of one warp, A row-major, B column-major: (A…, B…, C…) to D. (mma.sync)
  MMA_F16(nvvm("mma.m16n8k16.row.col.f32.f32"), mma(FLOAT, vector(2, HALF))),
  MMA_BF16(nvvm("mma.m16n8k16.row.col.bf16"), mma(FLOAT, I32)),
  MMA_TF32(nvvm("mma.m16n8k8.row.col.tf32"), mma(FLOAT, I32)),
  MMA_S8(nvvm("mma.m16n8k32.row.col.s8"), mma(I32, I32)),
  MMA_U8(nvvm("mma.m16n8k32.row.col.u8"), mma(I32, I32)),
  MMA_S8_U8(nvvm("mma.m16n8k32.row.col.s8.u8"), mma(I32, I32)),
  MMA_U8_S8(nvvm("mma.m16n8k32.row.col.u8.s8"), mma(I32, I32)),
  MMA_F64(nvvm("mma.m8n8k4.row.col.f64"), new Signature(structOf(2, DOUBLE), DOUBLE, DOUBLE, DOUBLE, DOUBLE)),
  MMA_E4M3(89, 84, fp8Mma("e4m3", "e4m3"), mma(FLOAT, I32)),
  MMA_E5M2(89, 84, fp8Mma("e5m2", "e5m2"), mma(FLOAT, I32)),
  MMA_E4M3_E5M2(89, 84, fp8Mma("e4m3", "e5m2"), mma(FLOAT, I32)),
  MMA_E5M2_E4M3(89, 84, fp8Mma("e5m2", "e4m3"), mma(FLOAT, I32)),

  /**
   * The thread where the third operand holds counts up to the second at an address, before which all is known that the
   * block did and after which what others did; gives 1 to all threads that meet at the barrier if it found the number
   * there. (atom, bar.red)
   */
  LAST_ARRIVAL(together("""
      {
      .reg .pred mine, any;
      .reg .b32 before;
      @$3 atom.acq_rel.gpu.global.inc.u32 before, [$1], $2;
      setp.eq.and.u32 mine, before, $2, $3;
      bar.red.or.pred any, $4, $5, mine;
      selp.u32 $0, 1, 0, any;
      }""", "=r,l,r,b,r,r,~{memory}"), I32, GLOBAL, I32, I1, I32, I32),

  /** All threads of the cluster's blocks that have not ended meet; what they wrote is there. (barrier.cluster) */
  CLUSTER_BARRIER(90, 80, together("""
      barrier.cluster.arrive.release;
      barrier.cluster.wait.acquire;""", "~{memory}"), VOID),
  /** The address of a place in the shared memory of another block of the cluster, by that in this one. (mapa) */
  MAPA(90, 80, nvvm("mapa"), PTR, PTR, I32),

  // Global to shared without registers; the last operand of _ZFILL is how many bytes are read, the rest is zero.
  // (cp.async)
  CP_ASYNC_4(nvvm("cp.async.ca.shared.global.4"), VOID, SHARED, GLOBAL),
  CP_ASYNC_8(nvvm("cp.async.ca.shared.global.8"), VOID, SHARED, GLOBAL),
  CP_ASYNC_16(nvvm("cp.async.cg.shared.global.16"), VOID, SHARED, GLOBAL),
  CP_ASYNC_4_ZFILL(nvvm("cp.async.ca.shared.global.4.s"), VOID, SHARED, GLOBAL, I32),
  CP_ASYNC_8_ZFILL(nvvm("cp.async.ca.shared.global.8.s"), VOID, SHARED, GLOBAL, I32),
  CP_ASYNC_16_ZFILL(nvvm("cp.async.cg.shared.global.16.s"), VOID, SHARED, GLOBAL, I32),
  CP_ASYNC_COMMIT(nvvm("cp.async.commit.group"), VOID),
  /** Waits until at most that many of this thread's groups are under way. */
  CP_ASYNC_WAIT(nvvm("cp.async.wait.group"), VOID, I32),
  CP_ASYNC_WAIT_ALL(nvvm("cp.async.wait.all"), VOID),

  // Transaction barriers, by 32-bit addresses in shared memory. (mbarrier, fence.mbarrier_init)
  MBARRIER_INIT(nvvm("mbarrier.init.shared"), VOID, SHARED, I32),
  MBARRIER_INIT_FENCE(90, 80, together("fence.mbarrier_init.release.cluster;", "~{memory}"), VOID),
  MBARRIER_EXPECT(90, 80,
      together("mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], $1;", "r,r,~{memory}"), VOID, I32, I32),
  /** Arrives where the last operand holds. */
  MBARRIER_ARRIVE(90, 80, together("@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b,~{memory}"), VOID, I32, I1),
  /** Until the phase of this parity has completed. */
  MBARRIER_WAIT(90, 80, together("""
      {
      .reg .pred p;
      L1:
      mbarrier.try_wait.parity.shared::cta.b64 p, [$0], $1;
      @p bra L2;
      bra L1;
      L2:
      }""", "r,r,~{memory}"), VOID, I32, I32),

  // The copy engine: (to, barrier, map, coordinates from the fastest …, multicast mask, cache policy, use mask, use
  // policy), (from, map, coordinates …, cache policy, use policy), and, into the cache alone, (map, coordinates …,
  // cache policy, use policy). (cp.async.bulk.tensor, cp.async.bulk.prefetch.tensor,
  // cp.async.bulk.commit_group, .wait_group)
  BULK_TENSOR_LOAD_1D(90, 80, bulkTensor("g2s", 1), bulkLoad(1)),
  BULK_TENSOR_LOAD_2D(90, 80, bulkTensor("g2s", 2), bulkLoad(2)),
  BULK_TENSOR_LOAD_3D(90, 80, bulkTensor("g2s", 3), bulkLoad(3)),
  BULK_TENSOR_LOAD_4D(90, 80, bulkTensor("g2s", 4), bulkLoad(4)),
  BULK_TENSOR_LOAD_5D(90, 80, bulkTensor("g2s", 5), bulkLoad(5)),
  BULK_TENSOR_STORE_1D(90, 80, bulkTensor("s2g", 1), bulkStore(1)),
  BULK_TENSOR_STORE_2D(90, 80, bulkTensor("s2g", 2), bulkStore(2)),
  BULK_TENSOR_STORE_3D(90, 80, bulkTensor("s2g", 3), bulkStore(3)),
  BULK_TENSOR_STORE_4D(90, 80, bulkTensor("s2g", 4), bulkStore(4)),
  BULK_TENSOR_STORE_5D(90, 80, bulkTensor("s2g", 5), bulkStore(5)),
  BULK_TENSOR_PREFETCH_1D(90, 80, bulkTensor("prefetch", 1), bulkPrefetch(1)),
  BULK_TENSOR_PREFETCH_2D(90, 80, bulkTensor("prefetch", 2), bulkPrefetch(2)),
  BULK_TENSOR_PREFETCH_3D(90, 80, bulkTensor("prefetch", 3), bulkPrefetch(3)),
  BULK_TENSOR_PREFETCH_4D(90, 80, bulkTensor("prefetch", 4), bulkPrefetch(4)),
  BULK_TENSOR_PREFETCH_5D(90, 80, bulkTensor("prefetch", 5), bulkPrefetch(5)),
  BULK_COMMIT(90, 80, nvvm("cp.async.bulk.commit.group"), VOID),
  BULK_WAIT(90, 80, nvvm("cp.async.bulk.wait.group"), VOID, I32),
  BULK_WAIT_READ(90, 80, nvvm("cp.async.bulk.wait.group.read"), VOID, I32),
  PREFETCH_TENSORMAP(90, 80, together("prefetch.tensormap [$0];", "l,~{memory}"), VOID, PTR),
  /** Writes to shared memory become visible to the copy engine and to asynchronous products. */
  PROXY_FENCE(90, 80, together("fence.proxy.async.shared::cta;", "~{memory}"), VOID),

  // Launches that begin before others are over. Each clobbers memory: no access is moved to the other side.
  // (griddepcontrol)
  GRID_WAIT(90, 78, together("griddepcontrol.wait;", "~{memory}"), VOID),
  GRID_LAUNCH_DEPENDENTS(90, 78, together("griddepcontrol.launch_dependents;", "~{memory}"), VOID),

  // Asynchronous products; the product itself depends on the program ({@link PtxWgmma}). (wgmma, setmaxnreg)
  WGMMA_FENCE(90, 80, nvvm("wgmma.fence.sync.aligned"), VOID),
  WGMMA_COMMIT(90, 80, nvvm("wgmma.commit_group.sync.aligned"), VOID),
  SETMAXNREG_INC(90, 80, nvvm("setmaxnreg.inc.sync.aligned.u32"), VOID, I32),
  SETMAXNREG_DEC(90, 80, nvvm("setmaxnreg.dec.sync.aligned.u32"), VOID, I32),

  // Fragments to shared memory, by 32-bit addresses. (stmatrix)
  STMATRIX_X1(90, 78, stmatrix(1, false), VOID, I32, I32),
  STMATRIX_X2(90, 78, stmatrix(2, false), VOID, I32, I32, I32),
  STMATRIX_X4(90, 78, stmatrix(4, false), VOID, I32, I32, I32, I32, I32),
  STMATRIX_X1_TRANS(90, 78, stmatrix(1, true), VOID, I32, I32),
  STMATRIX_X2_TRANS(90, 78, stmatrix(2, true), VOID, I32, I32, I32),
  STMATRIX_X4_TRANS(90, 78, stmatrix(4, true), VOID, I32, I32, I32, I32, I32),

  // Approximations. (ex2, lg2, rcp, rsqrt, sqrt, sin, cos, tanh)
  EX2(nvvm("ex2.approx.f"), FLOAT, FLOAT),
  EX2_FTZ(nvvm("ex2.approx.ftz.f"), FLOAT, FLOAT),
  LG2(nvvm("lg2.approx.f"), FLOAT, FLOAT),
  LG2_FTZ(nvvm("lg2.approx.ftz.f"), FLOAT, FLOAT),
  RCP(pure("rcp.approx.f32 $0, $1;", "=f,f"), FLOAT, FLOAT),
  RCP_FTZ(nvvm("rcp.approx.ftz.f"), FLOAT, FLOAT),
  RCP_RN(nvvm("rcp.rn.f"), FLOAT, FLOAT),
  RSQRT(nvvm("rsqrt.approx.f"), FLOAT, FLOAT),
  RSQRT_FTZ(nvvm("rsqrt.approx.ftz.f"), FLOAT, FLOAT),
  SQRT(nvvm("sqrt.approx.f"), FLOAT, FLOAT),
  SQRT_RN(nvvm("sqrt.rn.f"), FLOAT, FLOAT),
  SIN(nvvm("sin.approx.f"), FLOAT, FLOAT),
  COS(nvvm("cos.approx.f"), FLOAT, FLOAT),
  TANH(pure("tanh.approx.f32 $0, $1;", "=f,f"), FLOAT, FLOAT),
  DIV_FULL(pure("div.full.f32 $0, $1, $2;", "=f,f,f"), FLOAT, FLOAT, FLOAT),

  // Two values at once; the first operand becomes the upper half. (cvt)
  CVT_BF16X2(nvvm("ff2bf16x2.rn"), vector(2, BFLOAT), FLOAT, FLOAT),
  CVT_F16X2(nvvm("ff2f16x2.rn"), vector(2, HALF), FLOAT, FLOAT),
  CVT_E4M3X2(90, 78, pure("cvt.rn.satfinite.e4m3x2.f32 $0, $1, $2;", "=h,f,f"), I16, FLOAT, FLOAT),
  CVT_E5M2X2(90, 78, pure("cvt.rn.satfinite.e5m2x2.f32 $0, $1, $2;", "=h,f,f"), I16, FLOAT, FLOAT),
  CVT_F16X2_FROM_E4M3X2(90, 78, pure("cvt.rn.f16x2.e4m3x2 $0, $1;", "=r,h"), I32, I16),
  CVT_F16X2_FROM_E5M2X2(90, 78, pure("cvt.rn.f16x2.e5m2x2 $0, $1;", "=r,h"), I32, I16),
  CVT_TF32(nvvm("f2tf32.rna"), I32, FLOAT),

  /** Counts up to the last operand and then from 0 again; the value before. (atom) */
  ATOM_INC(effect("atom.relaxed.gpu.global.inc.u32 $0, [$1], $2;", "=r,l,r"), I32, GLOBAL, I32),

  // Sums into memory whose old value nobody wants. (red)
  RED_ADD_F32(effect("red.relaxed.gpu.global.add.f32 [$0], $1;", "l,f,~{memory}"), VOID, GLOBAL, FLOAT),
  RED_ADD_F64(effect("red.relaxed.gpu.global.add.f64 [$0], $1;", "l,d,~{memory}"), VOID, GLOBAL, DOUBLE),
  RED_ADD_F16X2(effect("red.relaxed.gpu.global.add.noftz.f16x2 [$0], $1;", "l,r,~{memory}"), VOID, GLOBAL, I32),
  RED_ADD_BF16X2(90, 78,
      effect("red.relaxed.gpu.global.add.noftz.bf16x2 [$0], $1;", "l,r,~{memory}"), VOID, GLOBAL, I32),
  RED_ADD_V4_F32(90, 81, effect("red.relaxed.gpu.global.add.v4.f32 [$0], {$1, $2, $3, $4};", "l,f,f,f,f,~{memory}"),
      VOID, GLOBAL, FLOAT, FLOAT, FLOAT, FLOAT);

  private record Signature(LlvmType result, List<LlvmType> parameters) {
    Signature(LlvmType result, LlvmType... parameters) {
      this(result, List.of(parameters));
    }
  }

  private final int minimumSm;
  private final int minimumPtx;
  private final Form form;
  private final Signature signature;

  PtxIntrinsic(Form form, LlvmType result, LlvmType... parameters) {
    this(80, 70, form, new Signature(result, parameters));
  }

  PtxIntrinsic(int minimumSm, int minimumPtx, Form form, LlvmType result, LlvmType... parameters) {
    this(minimumSm, minimumPtx, form, new Signature(result, parameters));
  }

  PtxIntrinsic(Form form, Signature signature) {
    this(80, 70, form, signature);
  }

  PtxIntrinsic(int minimumSm, int minimumPtx, Form form, Signature signature) {
    this.minimumSm = minimumSm;
    this.minimumPtx = minimumPtx;
    this.form = form;
    this.signature = signature;
  }

  private static Form nvvm(String name) {
    return new Builtin("llvm.nvvm." + name);
  }

  private static Form sreg(String name) {
    return nvvm("read.ptx.sreg." + name);
  }

  private static Form pure(String text, String constraints) {
    return new Asm(text, constraints, false, false);
  }

  private static Form effect(String text, String constraints) {
    return new Asm(text, constraints, true, false);
  }

  /** Assembly that all lanes of a warp must reach together. */
  private static Form together(String text, String constraints) {
    return new Asm(text, constraints, true, true);
  }

  private static Form bulkTensor(String way, int rank) {
    return nvvm("cp.async.bulk.tensor." + way + ".tile." + rank + "d");
  }

  private static Signature bulkLoad(int rank) {
    List<LlvmType> parameters = new ArrayList<>(List.of(SHARED, SHARED, PTR));
    parameters.addAll(Collections.nCopies(rank, I32));
    parameters.addAll(List.of(I16, I64, I1, I1));
    return new Signature(VOID, parameters);
  }

  private static Signature bulkStore(int rank) {
    List<LlvmType> parameters = new ArrayList<>(List.of(SHARED, PTR));
    parameters.addAll(Collections.nCopies(rank, I32));
    parameters.addAll(List.of(I64, I1));
    return new Signature(VOID, parameters);
  }

  private static Signature bulkPrefetch(int rank) {
    List<LlvmType> parameters = new ArrayList<>(List.of(PTR));
    parameters.addAll(Collections.nCopies(rank, I32));
    parameters.addAll(List.of(I64, I1));
    return new Signature(VOID, parameters);
  }

  private static Form stmatrix(int count, boolean transposed) {
    StringJoiner words = new StringJoiner(", ", "{", "}");
    for (int i = 1; i <= count; i++) {
      words.add("$" + i);
    }
    return together(
        "stmatrix.sync.aligned.m8n8.x" + count + (transposed ? ".trans" : "") + ".shared.b16 [$0], " + words + ";",
        "r," + "r,".repeat(count) + "~{memory}");
  }

  /** LLVM 20 has no intrinsic for the fp8 products. */
  private static Form fp8Mma(String a, String b) {
    return new Asm("mma.sync.aligned.m16n8k32.row.col.f32." + a + "." + b
        + ".f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};",
        "=f,=f,=f,=f,r,r,r,r,r,r,0,1,2,3", false, true);
  }

  /** m16n8: four registers of A, two of B, four accumulators. */
  private static Signature mma(LlvmType accumulator, LlvmType operand) {
    List<LlvmType> parameters = new ArrayList<>(Collections.nCopies(6, operand));
    parameters.addAll(Collections.nCopies(4, accumulator));
    return new Signature(structOf(4, accumulator), parameters);
  }

  /** The first compute capability that has it, as the number in {@code sm_90}. */
  public int minimumSm() {
    return minimumSm;
  }

  /** The first PTX version that has it: 78 is 7.8. */
  public int minimumPtx() {
    return minimumPtx;
  }

  public boolean isOn(int sm, int ptx) {
    return sm >= minimumSm && ptx >= minimumPtx;
  }

  @Override
  public Form form() {
    return form;
  }

  @Override
  public LlvmType result() {
    return signature.result();
  }

  @Override
  public List<LlvmType> parameters() {
    return signature.parameters();
  }

  @Override
  public Set<Integer> immediates() {
    return switch (this) {
      case CP_ASYNC_WAIT, BULK_WAIT, BULK_WAIT_READ, SETMAXNREG_INC, SETMAXNREG_DEC -> Set.of(0);
      default -> parameters().contains(PTR) && parameters().getLast().equals(I1) ? flags() : Set.of();
    };
  }

  /** The flags at the end of a bulk copy. */
  private Set<Integer> flags() {
    int last = parameters().size() - 1;
    return parameters().get(last - 1).equals(I1) ? Set.of(last - 1, last) : Set.of(last);
  }
}
