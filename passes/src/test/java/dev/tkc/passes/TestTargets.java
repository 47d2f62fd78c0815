package dev.tkc.passes;

import dev.tkc.ir.layout.Banks;
import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.AsyncMatrix;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.Rates;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Two made-up targets that differ as real ones do: narrow warps with asynchronous copies, wide ones without. */
public final class TestTargets {
  private TestTargets() {}

  public static final TargetInfo NARROW = new TargetInfo(
      "narrow", "warps of 32 and asynchronous copies", new TargetInfo.Llvm("none", "none", ""), 32,
      new TargetInfo.Threads(1024, 2048, 32), new TargetInfo.Registers(255, 65536, 8),
      new TargetInfo.Shared(227 * 1024, 228 * 1024, 1024, Banks.BY_128_BYTES), 132, 16, List.of(4, 8, 16),
      Set.of(Capability.ASYNC_COPY, Capability.MATRIX_LOAD, Capability.MATRIX_LOAD_TRANSPOSED),
      List.of(bf16("mma.bf16", MatrixFragments.mmaSync(16))), List.of(), List.of(), List.of(), Optional.empty());

  /** The same with a copy engine and asynchronous products. */
  public static final TargetInfo BULK = new TargetInfo(
      "bulk", "a copy engine and asynchronous products", NARROW.llvm(), 32, NARROW.threads(), NARROW.registers(),
      NARROW.shared(), 132, 16, List.of(4, 8, 16),
      Set.of(Capability.ASYNC_COPY, Capability.MATRIX_LOAD, Capability.MATRIX_LOAD_TRANSPOSED, Capability.MATRIX_STORE,
          Capability.BULK_COPY, Capability.ASYNC_MATRIX, Capability.REGISTER_SPLIT, Capability.LAST_ARRIVAL,
          Capability.DEPENDENT_LAUNCH),
      NARROW.matrixInstructions(),
      List.of(new AsyncMatrix("wgmma.bf16", Element.BF16, Element.BF16, Element.F32, Precision.DEFAULT,
          MatrixFragments.mmaSync(16), 4, 256, 8, true)),
      List.of(), List.of(), Optional.of(new Rates(2048, 128, 16, 128, 56, 20, 1000, 4000, 1.75)));

  /** The same with blocks that reach each other's shared memory. */
  public static final TargetInfo CLUSTERS = new TargetInfo(
      "clusters", "a copy engine, asynchronous products and clusters", BULK.llvm(), 32, BULK.threads(),
          BULK.registers(),
      BULK.shared(), 132, 16, BULK.asyncCopyBytes(),
      Stream.concat(BULK.capabilities().stream(), Stream.of(Capability.CLUSTERS))
          .collect(Collectors.toUnmodifiableSet()),
      BULK.matrixInstructions(), BULK.asyncMatrixInstructions(), List.of(), List.of(), BULK.rates());

  public static final TargetInfo WIDE = new TargetInfo(
      "wide", "warps of 64", new TargetInfo.Llvm("none", "none", ""), 64,
      new TargetInfo.Threads(1024, 2048, 32), new TargetInfo.Registers(512, 131072, 8),
      new TargetInfo.Shared(64 * 1024, 64 * 1024, 0, Banks.BY_128_BYTES_WAVE64), 304, 16, List.of(),
      Set.of(), List.of(bf16("mfma.bf16", MatrixFragments.mfma(32, 32, 8, 4)),
          new MatrixInstruction("mfma.f16", Element.F16, Element.F16, Element.F32, Precision.DEFAULT,
              MatrixFragments.mfma(16, 16, 16, 4)),
          new MatrixInstruction("mfma.f32", Element.F32, Element.F32, Element.F32, Precision.IEEE,
              MatrixFragments.mfma(16, 16, 4, 4))), List.of(), List.of(), List.of(), Optional.empty());

  private static MatrixInstruction bf16(String name, MatrixFragments.Fragments fragments) {
    return new MatrixInstruction(name, Element.BF16, Element.BF16, Element.F32, Precision.DEFAULT, fragments);
  }
}
