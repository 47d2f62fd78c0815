package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmValue;

/**
 * The warps that run the code at hand together: those of a role, or the whole block.
 *
 * @param thread this thread's place in the team
 * @param first the team's first warp in the block
 * @param warps how many they are
 * @param number 0 for the block, from 1 for its roles
 * @param alone whether only the team's first thread is here
 */
record Team(ThreadIndex thread, int first, int warps, int number, boolean alone) {
  /** Barriers below are those of teams. */
  private static final int FIRST_GROUP = 8;

  /** The same team, with a thread index made where {@code entry} is. */
  Team again(LlvmBuilder entry, TargetLowering target) {
    return new Team(ThreadIndex.again(entry, target, first, warps), first, warps, number, alone);
  }

  /** Waits for all threads of the team. */
  void barrier(LlvmBuilder b, TargetLowering target) {
    if (number == 0) {
      target.barrier(b);
    } else {
      target.async().teamBarrier(b, LlvmValue.i32(number), warps * target.lanes());
    }
  }

  /** Waits for the threads of this group of warps; groups have barriers of their own. */
  void groupBarrier(LlvmBuilder b, TargetLowering target, int group) {
    LlvmValue index = b.lshr(thread.warp(), LlvmValue.i32(Integer.numberOfTrailingZeros(group)));
    target.async().teamBarrier(b, b.add(index, LlvmValue.i32(FIRST_GROUP)), group * target.lanes());
  }
}
