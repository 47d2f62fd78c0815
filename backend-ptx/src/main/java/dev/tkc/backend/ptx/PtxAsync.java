package dev.tkc.backend.ptx;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmFunction.Parameter;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Hopper's spelling of what runs beside the warps: {@code mbarrier}, {@code cp.async.bulk.tensor}, {@code wgmma},
 * {@code setmaxnreg}, named barriers. Addresses in shared memory are 32 bits wide wherever an instruction takes such.
 */
final class PtxAsync implements AsyncTarget {
  private static final int ALL_LANES = -1;
  private static final int FIRST_LANE = 1;
  private static final int WHOLE_WARP = 31;
  private static final int MAP_BYTES = 128;
  private static final LlvmValue NO = LlvmValue.i1(false);
  private static final LlvmValue NO_POLICY = LlvmValue.i64(0);

  private final TargetInfo target;

  PtxAsync(TargetInfo target) {
    this.target = target;
  }

  /** The place as an address of 32 bits. */
  static LlvmValue address(LlvmBuilder b, Place place) {
    return b.add(b.ptrtoint(place.base(), LlvmType.I32), place.offset());
  }

  private static LlvmValue pointer(LlvmBuilder b, Place place) {
    return b.gep(LlvmType.I8, place.base(), place.offset());
  }

  // Teams.

  @Override
  public LlvmValue uniform(LlvmBuilder b, LlvmValue x, boolean alone) {
    return b.call(PtxIntrinsic.SHFL_IDX_I32, LlvmValue.i32(alone ? FIRST_LANE : ALL_LANES), x, LlvmValue.i32(0),
        LlvmValue.i32(WHOLE_WARP));
  }

  @Override
  public LlvmValue opaque(LlvmBuilder b, LlvmValue x) {
    return same(b, x, false);
  }

  @Override
  public LlvmValue opaqueHere(LlvmBuilder b, LlvmValue x) {
    return same(b, x, true);
  }

  private static LlvmValue same(LlvmBuilder b, LlvmValue x, boolean here) {
    String kind = x.type().equals(LlvmType.FLOAT) ? "f" : x.type().isPtr() || x.type().bits() == 64 ? "l" : "r";
    return b.inlineAsm(x.type(), new LlvmIntrinsic.Asm("", "=" + kind + ",0", here, false), x);
  }

  @Override
  public LlvmValue threadHere(LlvmBuilder b) {
    return b.call(PtxIntrinsic.TID_X_HERE);
  }

  @Override
  public void setRegisters(LlvmBuilder b, int registers, int threads) {
    int atLaunch = registersAtLaunch(threads);
    if (registers != atLaunch) {
      b.call(registers > atLaunch ? PtxIntrinsic.SETMAXNREG_INC : PtxIntrinsic.SETMAXNREG_DEC,
          LlvmValue.i32(registers));
    }
  }

  /**
   * The most that all threads of a block can start with, which is what the assembler gives a kernel that splits
   * registers.
   */
  @Override
  public int registersAtLaunch(int threads) {
    TargetInfo.Registers limits = target.registers();
    int share = limits.perProcessor() / threads / limits.granule() * limits.granule();
    return Math.min(share, limits.perThread() / limits.granule() * limits.granule());
  }

  @Override
  public void teamBarrier(LlvmBuilder b, LlvmValue team, int threads) {
    b.call(PtxIntrinsic.BARRIER, team, LlvmValue.i32(threads));
  }

  @Override
  public void arriveAtTeam(LlvmBuilder b, LlvmValue team, int threads) {
    b.call(PtxIntrinsic.BARRIER_ARRIVE, team, LlvmValue.i32(threads));
  }

  @Override
  public void converge(LlvmBuilder b) {
    b.call(PtxIntrinsic.BAR_WARP_SYNC, LlvmValue.i32(ALL_LANES));
  }

  // Transaction barriers.

  @Override
  public void barrierInit(LlvmBuilder b, Place barrier, int arrivals) {
    b.call(PtxIntrinsic.MBARRIER_INIT, pointer(b, barrier), LlvmValue.i32(arrivals));
  }

  @Override
  public void barriersReady(LlvmBuilder b) {
    b.call(PtxIntrinsic.MBARRIER_INIT_FENCE);
    b.call(PtxIntrinsic.PROXY_FENCE);
  }

  @Override
  public void barrierExpect(LlvmBuilder b, Place barrier, long bytes) {
    b.call(PtxIntrinsic.MBARRIER_EXPECT, address(b, barrier), LlvmValue.i32(bytes));
  }

  @Override
  public void barrierArrive(LlvmBuilder b, Place barrier, LlvmValue condition) {
    b.call(PtxIntrinsic.MBARRIER_ARRIVE, address(b, barrier), condition);
  }

  @Override
  public void barrierWait(LlvmBuilder b, Place barrier, LlvmValue parity) {
    b.call(PtxIntrinsic.MBARRIER_WAIT, address(b, barrier), parity);
  }

  @Override
  public LlvmValue countUp(LlvmBuilder b, LlvmValue counter, LlvmValue last) {
    return b.call(PtxIntrinsic.ATOM_INC, counter, last);
  }

  // Bulk copies.

  @Override
  public Parameter mapParameter(String name) {
    return new Parameter(name, LlvmType.PTR, List.of("byval([" + MAP_BYTES + " x i8])", "align 64"));
  }

  @Override
  public void prefetchMap(LlvmBuilder b, LlvmValue map) {
    b.call(PtxIntrinsic.PREFETCH_TENSORMAP, map);
  }

  @Override
  public void copyBulk(LlvmBuilder b, LlvmValue map, List<LlvmValue> at, Place to, Place barrier) {
    List<LlvmValue> operands = new ArrayList<>(List.of(pointer(b, to), pointer(b, barrier), map));
    operands.addAll(fastestFirst(at));
    operands.addAll(List.of(LlvmValue.i16(0), NO_POLICY, NO, NO));
    b.call(row("BULK_TENSOR_LOAD_", at), operands);
  }

  @Override
  public void prefetchBulk(LlvmBuilder b, LlvmValue map, List<LlvmValue> at) {
    List<LlvmValue> operands = new ArrayList<>(List.of(map));
    operands.addAll(fastestFirst(at));
    operands.addAll(List.of(NO_POLICY, NO));
    b.call(row("BULK_TENSOR_PREFETCH_", at), operands);
  }

  @Override
  public void storeBulk(LlvmBuilder b, LlvmValue map, List<LlvmValue> at, Place from) {
    List<LlvmValue> operands = new ArrayList<>(List.of(pointer(b, from), map));
    operands.addAll(fastestFirst(at));
    operands.addAll(List.of(NO_POLICY, NO));
    b.call(row("BULK_TENSOR_STORE_", at), operands);
  }

  private static PtxIntrinsic row(String name, List<LlvmValue> at) {
    return PtxIntrinsic.valueOf(name + at.size() + "D");
  }

  private static List<LlvmValue> fastestFirst(List<LlvmValue> at) {
    return at.reversed();
  }

  @Override
  public void storeCommit(LlvmBuilder b) {
    b.call(PtxIntrinsic.BULK_COMMIT);
  }

  @Override
  public void storeWait(LlvmBuilder b, int pending, boolean read) {
    b.call(read ? PtxIntrinsic.BULK_WAIT_READ : PtxIntrinsic.BULK_WAIT, LlvmValue.i32(pending));
  }

  @Override
  public void proxyFence(LlvmBuilder b) {
    b.call(PtxIntrinsic.PROXY_FENCE);
  }

  // Asynchronous products.

  @Override
  public AsyncProduct asyncMatrix(String name) {
    return new PtxWgmma(target.asyncMatrix(name)
        .orElseThrow(() ->
            new IllegalStateException(target.name() + " has no asynchronous matrix instruction " + name)));
  }

  @Override
  public void dotFence(LlvmBuilder b) {
    b.call(PtxIntrinsic.WGMMA_FENCE);
  }

  @Override
  public void dotCommit(LlvmBuilder b) {
    b.call(PtxIntrinsic.WGMMA_COMMIT);
  }

  @Override
  public List<LlvmValue> dotWait(LlvmBuilder b, int pending, List<LlvmValue> values, List<LlvmValue> held) {
    List<String> constraints = new ArrayList<>();
    values.forEach(v -> constraints.add("=" + letter(v)));
    for (int i = 0; i < values.size(); i++) {
      constraints.add(Integer.toString(i));
    }
    held.forEach(v -> constraints.add(letter(v)));
    constraints.add("~{memory}");
    List<LlvmValue> operands = new ArrayList<>(values);
    operands.addAll(held);
    LlvmIntrinsic.Asm wait = new LlvmIntrinsic.Asm(
        "wgmma.wait_group.sync.aligned " + pending + ";", String.join(",", constraints), true, true);
    return results(b, wait, values.stream().map(LlvmValue::type).toList(), operands);
  }

  @Override
  public List<LlvmValue> hold(LlvmBuilder b, List<LlvmValue> values) {
    List<String> constraints = new ArrayList<>();
    values.forEach(v -> constraints.add("=" + letter(v)));
    for (int i = 0; i < values.size(); i++) {
      constraints.add(Integer.toString(i));
    }
    constraints.add("~{memory}");
    LlvmIntrinsic.Asm nothing = new LlvmIntrinsic.Asm("", String.join(",", constraints), true, true);
    return results(b, nothing, values.stream().map(LlvmValue::type).toList(), values);
  }

  /** The results of assembly that gives registers of these types. */
  static List<LlvmValue> results(LlvmBuilder b, LlvmIntrinsic.Asm asm, List<LlvmType> types, List<LlvmValue> operands) {
    LlvmType type = switch (types.size()) {
      case 0 -> LlvmType.VOID;
      case 1 -> types.getFirst();
      default -> LlvmType.struct(types.toArray(LlvmType[]::new));
    };
    LlvmValue result = b.inlineAsm(type, asm, operands.toArray(LlvmValue[]::new));
    return types.isEmpty() ? Collections.emptyList() : types.size() == 1 ? List.of(result) : b.unpack(result);
  }

  static String letter(LlvmValue v) {
    return v.type().isReal() ? "f" : "r";
  }
}
