package dev.tkc.passes.target;

/**
 * What a target may be able to do beyond arithmetic, loads, stores and barriers. Passes and the shared lowering ask for
 * these and never for a vendor; numbers (sizes, widths, counts) are components of {@link TargetInfo}.
 */
public enum Capability {
  /** Copies from global into shared memory that a thread starts and later waits for, in counted groups. */
  ASYNC_COPY,
  /** Copies of whole boxes by a copy engine that signals a barrier. */
  BULK_COPY,
  /** A warp loads 8×8 blocks of 16-bit elements from shared memory straight into matrix fragments. */
  MATRIX_LOAD,
  /** The same, transposing. */
  MATRIX_LOAD_TRANSPOSED,
  /** A warp stores matrix fragments to shared memory as 8×8 blocks. */
  MATRIX_STORE,
  /** Matrix instructions that read shared memory and run beside the threads that issued them. */
  ASYNC_MATRIX,
  /** Registers can be moved between warps while a kernel runs. */
  REGISTER_SPLIT,
  /** Blocks that run together and see each other's shared memory. */
  CLUSTERS,
  /** Blocks count in global memory who of them is the last to arrive, and see what the others wrote before. */
  LAST_ARRIVAL,
  /** A launch may begin before the one in front of it is over, and waits for that itself. */
  DEPENDENT_LAUNCH,
  /** One lane reads another lane's register, by the other's number. */
  SHUFFLE_INDEX,
  /** One lane reads the register of the lane whose number differs from its own by an exclusive-or. */
  SHUFFLE_XOR,
  /** One lane reads the register of a lane a fixed distance below. */
  SHUFFLE_UP,
  /** A warp reduces 32-bit integers in one instruction. */
  REDUCE_INTEGER,
  ATOMIC_ADD_F32,
  ATOMIC_ADD_F64,
  /** Adds two f16 or bf16 at once. */
  ATOMIC_ADD_PACKED_16,
  /** Minimum and maximum of two bf16 or f16 in their own type, NaN if either is. */
  MINMAX_16,
  /** Fused multiply-add on pairs of f32. */
  PACKED_F32
}
