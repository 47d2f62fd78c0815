package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmFunction;
import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.layout.Banks;
import dev.tkc.ir.layout.MatrixFragments.Fragments;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import java.util.Optional;

/**
 * What a target does in its own way. Everything else about lowering is shared, and nothing here asks for a decision:
 * each method emits the target's spelling of one thing. Methods with a default have a correct, slower spelling that
 * every target can use.
 */
public interface TargetLowering {
  // The machine.

  TargetInfo target();

  default String triple() {
    return target().llvm().triple();
  }

  /** How a kernel is called: {@code ptx_kernel}, {@code amdgpu_kernel}. */
  String kernelConvention();

  /** Lanes of a warp. */
  default int lanes() {
    return target().lanes();
  }

  default Banks banks() {
    return target().shared().banks();
  }

  /** LLVM's name for the synchronisation scope of all blocks of a device. */
  String deviceScope();

  /**
   * What is known of a finished kernel.
   *
   * @param threads threads of a block
   * @param sharedBytes its shared memory
   * @param maps which parameters are tensor maps
   * @param splitsRegisters whether warps change their numbers of registers
   * @param cluster how many neighbouring blocks run as a cluster, 1: each by itself
   */
  record KernelFacts(int threads, long sharedBytes, List<Integer> maps, boolean splitsRegisters, int cluster) {
    public KernelFacts {
      maps = List.copyOf(maps);
    }
  }

  /** The target's annotations on a finished kernel. */
  void finish(LlvmModule module, LlvmFunction kernel, KernelFacts facts);

  // Who am I; all i32.

  LlvmValue threadId(LlvmBuilder b);

  LlvmValue blockId(LlvmBuilder b);

  LlvmValue blockCount(LlvmBuilder b);

  // The threads of a block together.

  /** The block's shared memory, as a pointer in the shared address space aligned to 1024 bytes if that matters. */
  LlvmValue sharedMemory(LlvmModule module, long bytes);

  /** Waits for all threads of the block; shared memory written before is visible after. */
  void barrier(LlvmBuilder b);

  /** The i32 that the lane whose number differs in exactly {@code mask} holds. All lanes take part. */
  LlvmValue shuffleXor(LlvmBuilder b, LlvmValue value, int mask);

  /** The i32 that lane {@code lane} (i32) holds. All lanes take part. */
  LlvmValue shuffleFrom(LlvmBuilder b, LlvmValue value, LlvmValue lane);

  /** How many elements that follow each other in global memory {@link #atomicAdd} updates at most; 1: it does not. */
  default int atomicElements(Element element, MemoryOp.AtomicKind kind) {
    return 1;
  }

  /** Adds values to elements that follow each other, each by itself atomically; aligned to their size together. */
  default void atomicAdd(LlvmBuilder b, LlvmValue pointer, List<LlvmValue> values) {
    throw new IllegalStateException("the target adds one element at a time");
  }

  /** Stores to global memory in the threads where {@code guard} (i1) holds. */
  default void storeIf(LlvmBuilder b, LlvmValue guard, LlvmValue value, LlvmValue pointer, int align) {
    b.ifThen(guard, () -> b.store(value, pointer, align));
  }

  /**
   * Waits until launches in front of this one in its stream are over and what they wrote is visible, and lets the next
   * one begin where there is room. Every kernel does that once, in all threads, before it touches global memory:
   * launches may then begin early, and a launch that is over says that all before it are. Nothing where launches begin
   * one after the other anyway.
   */
  default void awaitLaunches(LlvmBuilder b) {}

  /**
   * Whether (i1) the block is the last to arrive at a counter, where {@code last} have arrived before that one, for all
   * {@code threads} of team number {@code team} (0: the block), which has just met: {@code first} (i1) holds in the one
   * that arrives. What the team wrote is there for whoever arrives later, and what those before wrote is there for the
   * team. Asked for where blocks can tell ({@code LAST_ARRIVAL}).
   */
  default LlvmValue lastArrival(
      LlvmBuilder b, LlvmValue first, LlvmValue counter, LlvmValue last, int team, int threads) {
    throw new IllegalStateException("blocks of this target do not know who is the last");
  }

  /**
   * Waits until all threads of the cluster's blocks that have not ended are here; what they wrote to each other's
   * shared memory before is there. The threads of a team together. Asked for where there are clusters.
   */
  default void meetCluster(LlvmBuilder b) {
    throw new IllegalStateException("this target has no clusters");
  }

  /** Where block {@code rank} (i32) of the cluster has what {@code pointer} points to in this one's shared memory. */
  default LlvmValue inBlockOfCluster(LlvmBuilder b, LlvmValue pointer, LlvmValue rank) {
    throw new IllegalStateException("this target has no clusters");
  }

  // Arithmetic.

  /**
   * A function of f32 by the target's own instructions within the bounds that {@code docs/numerics.md} states, or
   * nothing where the shared code should compute it. Asked for: SQRT, RSQRT, RCP, EXP2 (any argument) and LOG2
   * (positive normal ones).
   */
  default Optional<LlvmValue> unary(LlvmBuilder b, UnaryKind kind, LlvmValue x) {
    return Optional.empty();
  }

  /** 1/x within 1 ulp for a normal f32 x (or 0 or infinity) whose reciprocal is normal too, or may become 0. */
  default LlvmValue reciprocalOfNormal(LlvmBuilder b, LlvmValue x) {
    return unary(b, UnaryKind.RCP, x).orElseGet(() -> b.fdiv(LlvmValue.f32(1), x));
  }

  /** An f32 quotient within 2 ulp; correctly rounded without a better idea. */
  default LlvmValue divide(LlvmBuilder b, LlvmValue x, LlvmValue y) {
    return b.fdiv(x, y);
  }

  /**
   * Conversion of many values between float formats by the target's instructions, rounding to nearest even and
   * saturating where {@code to} is an 8-bit format; nothing where the shared code should do it.
   */
  default Optional<List<LlvmValue>> convert(LlvmBuilder b, List<LlvmValue> values, Element from, Element to) {
    return Optional.empty();
  }

  /** Converts between float formats as {@code cast} does, for targets whose instructions need another format. */
  static List<LlvmValue> convertExactly(
      LlvmBuilder b, TargetLowering target, List<LlvmValue> values, Element from, Element to) {
    return new CastMath(b, target).convert(values, from, to, false);
  }

  // Matrix products.

  /** One matrix instruction: how its operands lie, and its emission. */
  interface MatrixInstruction {
    Fragments fragments();

    /** {@code a @ b + c} of one fragment each, register by register in the fragments' order, in element types. */
    List<LlvmValue> multiply(LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> accumulator);
  }

  /** The instruction that a {@code dot} names. */
  MatrixInstruction matrix(String name);

  /** At most this many 8-row matrices at once can go from shared memory to fragments in one instruction; 0 for none. */
  default int mostMatricesPerLoad() {
    return 0;
  }

  /** Loads {@code count} 8-row matrices; this thread's {@code row} points to 16 bytes. One i32 for each matrix. */
  default List<LlvmValue> loadMatrices(LlvmBuilder b, LlvmValue row, int count, boolean transposed) {
    throw new IllegalStateException("the target has no matrix loads");
  }

  /**
   * At most this many 8-row matrices of 16-bit elements can go from fragments to shared memory in one instruction; 0
   * for none.
   */
  default int mostMatricesPerStore() {
    return 0;
  }

  /** The inverse of {@link #loadMatrices}. */
  default void storeMatrices(LlvmBuilder b, AsyncTarget.Place row, List<LlvmValue> words, boolean transposed) {
    throw new IllegalStateException("the target has no matrix stores");
  }

  /** Bulk copies, transaction barriers, asynchronous products and roles; asked for only where a program has them. */
  default AsyncTarget async() {
    throw new IllegalStateException("the target copies nothing in bulk, starts no products and splits no blocks");
  }

  // Copies that go on by themselves.

  /** Whether {@link #copyAsync} can move so many bytes for a thread. Without, a copy is a load and a store. */
  default boolean copiesAsync(int bytes) {
    return false;
  }

  /** Starts copying {@code bytes} bytes from global to shared memory; zeros where {@code valid} (i1) is false. */
  default void copyAsync(LlvmBuilder b, LlvmValue shared, LlvmValue global, int bytes, Optional<LlvmValue> valid) {
    throw new IllegalStateException("the target has no asynchronous copies");
  }

  default void copyCommit(LlvmBuilder b) {}

  default void copyWait(LlvmBuilder b, int pending) {}
}
