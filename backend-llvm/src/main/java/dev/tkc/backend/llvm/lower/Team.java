package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
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

  /** Barriers from here on say whose turn it is; there are 16 in all. */
  private static final int FIRST_TURN = 12;

  /** Warps that run asynchronous products together. */
  private static final int GROUP = 4;

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
    target.async().teamBarrier(b, b.add(group(b, group), LlvmValue.i32(FIRST_GROUP)), group * target.lanes());
  }

  /** The number of this thread's group of so many warps, a power of two. */
  LlvmValue group(LlvmBuilder b, int size) {
    return b.lshr(thread.warp(), LlvmValue.i32(Integer.numberOfTrailingZeros(size)));
  }

  private int groups() {
    return warps / GROUP;
  }

  private static int pair(TargetLowering target) {
    return 2 * GROUP * target.lanes();
  }

  private LlvmValue turn(LlvmBuilder b, LlvmValue group) {
    return b.add(group, LlvmValue.i32(FIRST_TURN));
  }

  private LlvmValue group(LlvmBuilder b) {
    return group(b, GROUP);
  }

  /** Before any turn is taken: the first group finds that the last one has passed. */
  void openTurns(LlvmBuilder b, TargetLowering target) {
    b.ifThen(b.icmp(Compare.EQ, group(b), LlvmValue.i32(groups() - 1)),
        () -> target.async().arriveAtTeam(b, turn(b, LlvmValue.i32(0)), pair(target)));
  }

  /** Waits at this group's barrier, where the group before it arrives when it passes its turn on. */
  void takeTurn(LlvmBuilder b, TargetLowering target) {
    target.async().teamBarrier(b, turn(b, group(b)), pair(target));
  }

  void passTurn(LlvmBuilder b, TargetLowering target) {
    LlvmValue next = b.add(group(b), LlvmValue.i32(1));
    LlvmValue last = b.icmp(Compare.EQ, next, LlvmValue.i32(groups()));
    target.async().arriveAtTeam(b, turn(b, b.select(last, LlvmValue.i32(0), next)), pair(target));
  }
}
