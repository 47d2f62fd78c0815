package dev.tkc.passes.target;

import dev.tkc.ir.layout.Banks;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What passes may know of a target: numbers and capabilities. A backend has one row of this for each processor; a pass
 * that needs to know more needs another component here, never the processor's name.
 *
 * @param name the target's name in schedules and on the command line, for messages only
 * @param lanes threads of a warp
 * @param maxWarps most warps of a block
 * @param sharedBytes most shared memory of a block
 * @param registers most 32-bit registers of a thread
 * @param processors how many blocks can run at once if each fills a processor; sizes persistent grids
 * @param vectorBytes widest access of a thread to global and shared memory
 * @param asyncCopyBytes the sizes in which global memory can be copied to shared memory without registers in between,
 *     ascending; empty where it cannot
 * @param matrixLoad whether a warp can load 8x8 matrices of 16-bit elements from shared memory in one instruction
 * @param banks shared memory's banks
 * @param matrixInstructions the best first among those that compute the same product
 */
public record TargetInfo(
    String name,
    int lanes,
    int maxWarps,
    int sharedBytes,
    int registers,
    int processors,
    int vectorBytes,
    List<Integer> asyncCopyBytes,
    boolean matrixLoad,
    Banks banks,
    List<MatrixInstruction> matrixInstructions) {
  public TargetInfo {
    Objects.requireNonNull(name);
    Objects.requireNonNull(banks);
    asyncCopyBytes = List.copyOf(asyncCopyBytes);
    matrixInstructions = List.copyOf(matrixInstructions);
  }

  public boolean hasAsyncCopy() {
    return !asyncCopyBytes.isEmpty();
  }

  public Optional<MatrixInstruction> matrixInstruction(String wanted) {
    return matrixInstructions.stream().filter(i -> i.name().equals(wanted)).findFirst();
  }
}
