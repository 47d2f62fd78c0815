package dev.tkc.backend.amdgcn;

import static dev.tkc.backend.amdgcn.Gfx.GFX1201;
import static dev.tkc.backend.amdgcn.Gfx.GFX90A;
import static dev.tkc.backend.amdgcn.Gfx.GFX942;
import static dev.tkc.backend.amdgcn.Gfx.GFX950;
import static dev.tkc.backend.llvm.LlvmType.BFLOAT;
import static dev.tkc.backend.llvm.LlvmType.DOUBLE;
import static dev.tkc.backend.llvm.LlvmType.FLOAT;
import static dev.tkc.backend.llvm.LlvmType.GLOBAL;
import static dev.tkc.backend.llvm.LlvmType.HALF;
import static dev.tkc.backend.llvm.LlvmType.I1;
import static dev.tkc.backend.llvm.LlvmType.I16;
import static dev.tkc.backend.llvm.LlvmType.I32;
import static dev.tkc.backend.llvm.LlvmType.I64;
import static dev.tkc.backend.llvm.LlvmType.SHARED;
import static dev.tkc.backend.llvm.LlvmType.VOID;
import static dev.tkc.backend.llvm.LlvmType.structOf;
import static dev.tkc.backend.llvm.LlvmType.vector;

import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * AMD's instructions that LLVM IR has no word for: one row each with its signature, its operands that must be
 * constants, and the processors that have it. A row used on another processor kills the process, so lowering asks
 * {@link #isOn} through the capability table first. All rows are LLVM intrinsics.
 */
public enum AmdgcnIntrinsic implements LlvmIntrinsic {
  // Who am I.
  WORKITEM_ID_X(row("workitem.id.x", I32)),
  WORKITEM_ID_Y(row("workitem.id.y", I32)),
  WORKITEM_ID_Z(row("workitem.id.z", I32)),
  WORKGROUP_ID_X(row("workgroup.id.x", I32)),
  WORKGROUP_ID_Y(row("workgroup.id.y", I32)),
  WORKGROUP_ID_Z(row("workgroup.id.z", I32)),
  /** What the runtime passes besides the arguments; the grid's size in blocks comes first (i32 x, y, z). */
  IMPLICITARG_PTR(row("implicitarg.ptr", LlvmType.ptr(4))),
  MBCNT_LO(row("mbcnt.lo", I32, I32, I32)),
  MBCNT_HI(row("mbcnt.hi", I32, I32, I32)),

  // Synchronisation and scheduling.
  S_BARRIER(row("s.barrier", VOID)),
  /** gfx9's encoding: vmcnt(n) is 0x0F70 | n, lgkmcnt(n) is 0xC07F | n << 8. */
  S_WAITCNT(row("s.waitcnt", VOID, I32).immediate(0)),
  SCHED_BARRIER(row("sched.barrier", VOID, I32).immediate(0)),
  SCHED_GROUP_BARRIER(row("sched.group.barrier", VOID, I32, I32, I32).immediate(0, 1, 2)),
  S_SETPRIO(row("s.setprio", VOID, I16).immediate(0)),

  // Across lanes. ds.bpermute takes four times the lane to read.
  DS_BPERMUTE(row("ds.bpermute", I32, I32, I32)),
  DS_SWIZZLE(row("ds.swizzle", I32, I32, I32).immediate(1)),
  /** (value where masked off, value, control, row mask, bank mask, zero where out of bounds). */
  UPDATE_DPP(row("update.dpp.i32", I32, I32, I32, I32, I32, I32, I1).immediate(2, 3, 4, 5)),
  READFIRSTLANE(row("readfirstlane.i32", I32, I32)),
  READLANE(row("readlane.i32", I32, I32, I32)),
  BALLOT(row("ballot.i64", I64, I1)),
  PERMLANE16_SWAP(row("permlane16.swap", structOf(2, I32), I32, I32, I1, I1).immediate(2, 3).on(GFX950)),
  PERMLANE32_SWAP(row("permlane32.swap", structOf(2, I32), I32, I32, I1, I1).immediate(2, 3).on(GFX950)),

  // Approximations; log is to base 2, sin and cos take revolutions.
  EXP2(row("exp2.f32", FLOAT, FLOAT)),
  LOG2(row("log.f32", FLOAT, FLOAT)),
  RCP(row("rcp.f32", FLOAT, FLOAT)),
  RSQ(row("rsq.f32", FLOAT, FLOAT)),
  SQRT(row("sqrt.f32", FLOAT, FLOAT)),
  SIN(row("sin.f32", FLOAT, FLOAT)),
  COS(row("cos.f32", FLOAT, FLOAT)),
  FRACT(row("fract.f32", FLOAT, FLOAT)),
  FMED3(row("fmed3.f32", FLOAT, FLOAT, FLOAT, FLOAT)),

  // Conversions. The fp8 ones write or read one half or byte of a register; gfx942's fp8 is the FNUZ variant.
  CVT_PKRTZ(row("cvt.pkrtz", vector(2, HALF), FLOAT, FLOAT)),
  CVT_PK_FP8(row("cvt.pk.fp8.f32", I32, FLOAT, FLOAT, I32, I1).immediate(3).on(GFX942, GFX950, GFX1201)),
  CVT_PK_BF8(row("cvt.pk.bf8.f32", I32, FLOAT, FLOAT, I32, I1).immediate(3).on(GFX942, GFX950, GFX1201)),
  CVT_F32_FP8(row("cvt.f32.fp8", FLOAT, I32, I32).immediate(1).on(GFX942, GFX950, GFX1201)),
  CVT_F32_BF8(row("cvt.f32.bf8", FLOAT, I32, I32).immediate(1).on(GFX942, GFX950, GFX1201)),

  // Matrix products of one wave of 64: (A, B, C, three modifiers that stay 0) to D.
  MFMA_32X32X8_F16(mfma("f32.32x32x8f16", vector(4, HALF), FLOAT, 16).on(GFX90A, GFX942, GFX950)),
  MFMA_16X16X16_F16(mfma("f32.16x16x16f16", vector(4, HALF), FLOAT, 4).on(GFX90A, GFX942, GFX950)),
  MFMA_32X32X8_BF16(mfma("f32.32x32x8bf16.1k", vector(4, I16), FLOAT, 16).on(GFX90A, GFX942, GFX950)),
  MFMA_16X16X16_BF16(mfma("f32.16x16x16bf16.1k", vector(4, I16), FLOAT, 4).on(GFX90A, GFX942, GFX950)),
  MFMA_16X16X4_F32(mfma("f32.16x16x4f32", FLOAT, FLOAT, 4).on(GFX90A, GFX942, GFX950)),
  MFMA_32X32X2_F32(mfma("f32.32x32x2f32", FLOAT, FLOAT, 16).on(GFX90A, GFX942, GFX950)),
  MFMA_16X16X4_F64(mfma("f64.16x16x4f64", DOUBLE, DOUBLE, 4).on(GFX90A, GFX942, GFX950)),
  MFMA_16X16X32_I8(mfma("i32.16x16x32.i8", I64, I32, 4).on(GFX942, GFX950)),
  MFMA_32X32X16_I8(mfma("i32.32x32x16.i8", I64, I32, 16).on(GFX942, GFX950)),
  MFMA_16X16X32_FP8_FP8(mfma("f32.16x16x32.fp8.fp8", I64, FLOAT, 4).on(GFX942, GFX950)),
  MFMA_16X16X32_FP8_BF8(mfma("f32.16x16x32.fp8.bf8", I64, FLOAT, 4).on(GFX942, GFX950)),
  MFMA_16X16X32_BF8_FP8(mfma("f32.16x16x32.bf8.fp8", I64, FLOAT, 4).on(GFX942, GFX950)),
  MFMA_16X16X32_BF8_BF8(mfma("f32.16x16x32.bf8.bf8", I64, FLOAT, 4).on(GFX942, GFX950)),
  MFMA_32X32X16_FP8_FP8(mfma("f32.32x32x16.fp8.fp8", I64, FLOAT, 16).on(GFX942, GFX950)),
  MFMA_32X32X16_FP8_BF8(mfma("f32.32x32x16.fp8.bf8", I64, FLOAT, 16).on(GFX942, GFX950)),
  MFMA_32X32X16_BF8_FP8(mfma("f32.32x32x16.bf8.fp8", I64, FLOAT, 16).on(GFX942, GFX950)),
  MFMA_32X32X16_BF8_BF8(mfma("f32.32x32x16.bf8.bf8", I64, FLOAT, 16).on(GFX942, GFX950)),
  MFMA_16X16X8_XF32(mfma("f32.16x16x8.xf32", vector(2, FLOAT), FLOAT, 4).on(GFX942)),
  MFMA_32X32X4_XF32(mfma("f32.32x32x4.xf32", vector(2, FLOAT), FLOAT, 16).on(GFX942)),
  MFMA_16X16X32_F16(mfma("f32.16x16x32.f16", vector(8, HALF), FLOAT, 4).on(GFX950)),
  MFMA_32X32X16_F16(mfma("f32.32x32x16.f16", vector(8, HALF), FLOAT, 16).on(GFX950)),
  MFMA_16X16X32_BF16(mfma("f32.16x16x32.bf16", vector(8, BFLOAT), FLOAT, 4).on(GFX950)),
  MFMA_32X32X16_BF16(mfma("f32.32x32x16.bf16", vector(8, BFLOAT), FLOAT, 16).on(GFX950)),
  MFMA_16X16X64_I8(mfma("i32.16x16x64.i8", vector(4, I32), I32, 4).on(GFX950)),
  MFMA_32X32X32_I8(mfma("i32.32x32x32.i8", vector(4, I32), I32, 16).on(GFX950)),

  // Global to LDS without registers: (source, destination, bytes per lane, offset, cache bits).
  GLOBAL_LOAD_LDS_4(row("global.load.lds", VOID, GLOBAL, SHARED, I32, I32, I32).immediate(2, 3, 4)
      .on(GFX90A, GFX942, GFX950)),

  // 16-bit transposing LDS read.
  DS_READ_TR16(row("ds.read.tr16.b64.v4i16", vector(4, I16), SHARED).on(GFX950));

  private record Row(
      String name, LlvmType result, List<LlvmType> parameters, Set<Integer> immediates, Set<Gfx> processors) {
    Row immediate(Integer... positions) {
      return new Row(name, result, parameters, Set.of(positions), processors);
    }

    Row on(Gfx first, Gfx... rest) {
      return new Row(name, result, parameters, immediates, EnumSet.of(first, rest));
    }
  }

  private final Row row;

  AmdgcnIntrinsic(Row row) {
    this.row = row;
  }

  private static Row row(String name, LlvmType result, LlvmType... parameters) {
    return new Row(name, result, List.of(parameters), Set.of(), EnumSet.allOf(Gfx.class));
  }

  private static Row mfma(String name, LlvmType operand, LlvmType accumulator, int registers) {
    LlvmType d = vector(registers, accumulator);
    return row("mfma." + name, d, operand, operand, d, I32, I32, I32).immediate(3, 4, 5);
  }

  public Set<Gfx> processors() {
    return row.processors;
  }

  public boolean isOn(Gfx gfx) {
    return row.processors.contains(gfx);
  }

  @Override
  public Form form() {
    return new Builtin("llvm.amdgcn." + row.name);
  }

  @Override
  public LlvmType result() {
    return row.result;
  }

  @Override
  public List<LlvmType> parameters() {
    return row.parameters;
  }

  @Override
  public Set<Integer> immediates() {
    return row.immediates;
  }
}
