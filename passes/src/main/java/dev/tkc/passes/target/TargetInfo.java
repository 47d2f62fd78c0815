package dev.tkc.passes.target;

import dev.tkc.ir.layout.Banks;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * All that passes and the shared lowering may know about a target, as data. A backend's table has one row for each
 * processor; whatever differs between two of them is a component here, so that no pass asks for a name.
 *
 * @param name what {@code for} in a schedule and {@code --target} say; otherwise for messages only
 * @param description the devices meant, for people
 * @param llvm how LLVM calls it
 * @param lanes lanes of a warp
 * @param threads limits on threads
 * @param registers limits on 32-bit registers
 * @param shared limits on shared memory
 * @param processors multiprocessors of a typical device; only speed depends on it
 * @param vectorBytes the widest access of one thread to global and shared memory
 * @param asyncCopyBytes the sizes in which a thread can copy global to shared memory without registers in between,
 *     ascending; empty without {@link Capability#ASYNC_COPY}
 * @param capabilities what it can do beyond the basics
 * @param matrixInstructions the matrix instructions, the best first among those that compute the same product
 * @param asyncMatrixInstructions those that run beside the warps; empty without {@link Capability#ASYNC_MATRIX}
 * @param nativeCasts conversions that take an instruction or two; others are emulated
 * @param approximations functions it computes natively in f32 within a stated error
 * @param rates how fast it is, where schedules are chosen by estimates
 */
public record TargetInfo(
    String name,
    String description,
    Llvm llvm,
    int lanes,
    Threads threads,
    Registers registers,
    Shared shared,
    int processors,
    int vectorBytes,
    List<Integer> asyncCopyBytes,
    Set<Capability> capabilities,
    List<MatrixInstruction> matrixInstructions,
    List<AsyncMatrix> asyncMatrixInstructions,
    List<NativeCast> nativeCasts,
    List<Approximation> approximations,
    Optional<Rates> rates) {

  /** The same target with so many multiprocessors. */
  public TargetInfo withProcessors(int n) {
    return new TargetInfo(name, description, llvm, lanes, threads, registers, shared, n, vectorBytes, asyncCopyBytes,
        capabilities, matrixInstructions, asyncMatrixInstructions, nativeCasts, approximations, rates);
  }

  /** LLVM's names: target triple, processor, and features to switch on. */
  public record Llvm(String triple, String cpu, String features) {}

  public record Threads(int perBlock, int perProcessor, int blocksPerProcessor) {}

  /**
   * 32-bit registers.
   *
   * @param perThread the most that one thread can use
   * @param perProcessor the size of the file
   * @param granule registers per thread are handed out in multiples of this
   */
  public record Registers(int perThread, int perProcessor, int granule) {}

  /**
   * Shared memory in bytes.
   *
   * @param perBlock the most for one block, asked for explicitly where that is needed
   * @param perProcessor what the resident blocks share
   * @param reservedPerBlock what each resident block takes besides its own
   * @param banks how accesses conflict
   */
  public record Shared(int perBlock, int perProcessor, int reservedPerBlock, Banks banks) {}

  public record NativeCast(Element from, Element to) {}

  public TargetInfo {
    Objects.requireNonNull(name);
    asyncCopyBytes = List.copyOf(asyncCopyBytes);
    capabilities = Set.copyOf(capabilities);
    matrixInstructions = List.copyOf(matrixInstructions);
    asyncMatrixInstructions = List.copyOf(asyncMatrixInstructions);
    nativeCasts = List.copyOf(nativeCasts);
    approximations = List.copyOf(approximations);
    if (Integer.bitCount(lanes) != 1) {
      throw new IllegalArgumentException(lanes + " lanes");
    }
    if (asyncCopyBytes.isEmpty() == capabilities.contains(Capability.ASYNC_COPY)) {
      throw new IllegalArgumentException(name + ": copy sizes and the capability to copy go together");
    }
    if (asyncMatrixInstructions.isEmpty() == capabilities.contains(Capability.ASYNC_MATRIX)) {
      throw new IllegalArgumentException(name + ": asynchronous matrix instructions and the capability go together");
    }
    long names = matrixInstructions.stream().map(MatrixInstruction::name).distinct().count();
    if (names != matrixInstructions.size()) {
      throw new IllegalArgumentException(name + ": two matrix instructions of one name");
    }
  }

  public boolean has(Capability c) {
    return capabilities.contains(c);
  }

  public int maxWarps() {
    return threads.perBlock() / lanes;
  }

  /** The matrix instructions that compute such a product, the best first. */
  public List<MatrixInstruction> instructionsFor(Element a, Element b, Element sum, Precision precision) {
    return matrixInstructions.stream().filter(i -> i.computes(a, b, sum, precision)).toList();
  }

  public Optional<MatrixInstruction> matrixInstruction(String wanted) {
    return matrixInstructions.stream().filter(i -> i.name().equals(wanted)).findFirst();
  }

  public Optional<AsyncMatrix> asyncMatrix(String wanted) {
    return asyncMatrixInstructions.stream().filter(i -> i.name().equals(wanted)).findFirst();
  }

  /** The asynchronous matrix instruction that computes such a product. */
  public Optional<AsyncMatrix> asyncFor(Element a, Element b, Element sum, Precision precision) {
    return asyncMatrixInstructions.stream().filter(i -> i.computes(a, b, sum, precision)).findFirst();
  }

  public boolean castsNatively(Element from, Element to) {
    return nativeCasts.contains(new NativeCast(from, to));
  }

  public Optional<Approximation> approximation(UnaryKind function) {
    return approximations.stream().filter(a -> a.function() == function).findFirst();
  }

  /** The widest vector access in elements of a type. */
  public int vectorElements(Element e) {
    return Math.max(1, vectorBytes * 8 / e.bits());
  }

  /** How many blocks of so many threads, registers per thread and bytes of shared memory fit a multiprocessor. */
  public int residentBlocks(int blockThreads, int registersPerThread, long sharedBytes) {
    int granules = Math.ceilDiv(Math.max(registersPerThread, 1), registers.granule()) * registers.granule();
    int warpThreads = Math.ceilDiv(blockThreads, lanes) * lanes;
    long byRegisters = registers.perProcessor() / ((long) granules * warpThreads);
    long byThreads = threads.perProcessor() / warpThreads;
    long byShared = shared.perProcessor() / Math.max(1, sharedBytes + shared.reservedPerBlock());
    return (int) Math.min(Math.min(byRegisters, byThreads), Math.min(byShared, threads.blocksPerProcessor()));
  }
}
