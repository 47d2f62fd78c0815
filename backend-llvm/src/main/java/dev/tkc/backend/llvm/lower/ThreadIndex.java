package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The thread's lane and warp, and linear functions of them. All of it is computed once, at the start of the function,
 * so that no loop repeats it.
 */
final class ThreadIndex {
  private final LlvmBuilder b;
  private final LlvmValue lane;
  private final LlvmValue warp;
  private final Map<List<List<Long>>, LlvmValue> linear = new HashMap<>();
  private final Map<List<Object>, LlvmValue> positions = new HashMap<>();

  private ThreadIndex(LlvmBuilder prologue, LlvmValue lane, LlvmValue warp) {
    b = prologue;
    this.lane = lane;
    this.warp = warp;
  }

  /**
   * A thread of a block of so many warps. {@code uniform}: the target's compiler must see that a warp's lanes agree on
   * its number.
   */
  static ThreadIndex ofBlock(LlvmBuilder prologue, TargetLowering target, int warps, boolean uniform) {
    LlvmValue thread = target.threadId(prologue);
    if (warps == 1) {
      return new ThreadIndex(prologue, thread, LlvmValue.i32(0));
    }
    int laneBits = Integer.numberOfTrailingZeros(target.lanes());
    LlvmValue lane = prologue.and(thread, LlvmValue.i32(target.lanes() - 1));
    LlvmValue warp = prologue.lshr(thread, LlvmValue.i32(laneBits));
    return new ThreadIndex(prologue, lane, uniform ? target.async().uniform(prologue, warp, false) : warp);
  }

  /** This thread in a team of the block's warps from {@code first}, as computed where {@code entry} is. */
  ThreadIndex inTeam(LlvmBuilder entry, int first, int warps) {
    return new ThreadIndex(entry, lane, warps == 1 ? LlvmValue.i32(0) : entry.sub(warp, LlvmValue.i32(first)));
  }

  /** The same thread's number in its team, made of its number in the block as {@code entry} reads it again. */
  static ThreadIndex again(LlvmBuilder entry, TargetLowering target, int first, int warps) {
    LlvmValue thread = target.async().threadHere(entry);
    LlvmValue lane = entry.and(thread, LlvmValue.i32(target.lanes() - 1));
    LlvmValue warp = entry.lshr(thread, LlvmValue.i32(Integer.numberOfTrailingZeros(target.lanes())));
    return new ThreadIndex(entry, lane, warps == 1 ? LlvmValue.i32(0) : entry.sub(warp, LlvmValue.i32(first)));
  }

  LlvmValue lane() {
    return lane;
  }

  LlvmValue warp() {
    return warp;
  }

  /** The exclusive or of the columns of the set bits of lane and warp (i32). */
  LlvmValue linear(List<Long> laneColumns, List<Long> warpColumns) {
    return linear.computeIfAbsent(List.of(laneColumns, warpColumns),
        _ -> join(BitLinear.apply(b, lane, laneColumns), laneColumns, BitLinear.apply(b, warp, warpColumns),
            warpColumns));
  }

  private LlvmValue join(LlvmValue x, List<Long> xColumns, LlvmValue y, List<Long> yColumns) {
    return (BitLinear.reach(xColumns) & BitLinear.reach(yColumns)) == 0 ? b.orDisjoint(x, y) : b.xor(x, y);
  }

  /** The threads' part of the coordinate along an axis (i32). */
  LlvmValue coordinate(LinearLayout layout, int axis) {
    return linear(along(layout, InDim.LANE, axis), along(layout, InDim.WARP, axis));
  }

  private static List<Long> along(LinearLayout layout, InDim dim, int axis) {
    return layout.basis(dim).stream().map(v -> (long) v.get(axis)).toList();
  }

  /** The coordinate of a register's element along an axis (i32). */
  LlvmValue position(LayoutView view, int register, int axis) {
    long own = view.coordinate(register, axis);
    return positions.computeIfAbsent(List.of(view.layout(), axis, own), _ -> {
      LlvmValue shared = coordinate(view.layout(), axis);
      LlvmValue constant = LlvmValue.i32(own);
      return (view.threadBits(axis) & own) == 0 ? b.orDisjoint(shared, constant) : b.xor(shared, constant);
    });
  }

  /** Whether this thread is the first that holds its elements (i1): bits that hold duplicates are zero. */
  LlvmValue isFirstHolder(LinearLayout layout) {
    List<LlvmValue> parts = new ArrayList<>();
    int freeLanes = layout.freeMask(InDim.LANE);
    int freeWarps = layout.freeMask(InDim.WARP);
    return positions.computeIfAbsent(List.of("first", freeLanes, freeWarps), _ -> {
      parts.add(zeroIn(lane, freeLanes));
      parts.add(zeroIn(warp, freeWarps));
      return b.and(parts.get(0), parts.get(1));
    });
  }

  /** Whether this is the first thread (i1). */
  LlvmValue isFirst() {
    return positions.computeIfAbsent(List.of("first"), _ -> isZero(b.or(lane, warp)));
  }

  /** Whether this is the first thread of a warp (i1). */
  LlvmValue isFirstOfWarp(int number) {
    return positions.computeIfAbsent(List.of("first of", number),
        _ -> isZero(b.or(lane, b.xor(warp, LlvmValue.i32(number)))));
  }

  private LlvmValue isZero(LlvmValue x) {
    return b.icmp(LlvmBuilder.Compare.EQ, x, LlvmValue.i32(0));
  }

  private LlvmValue zeroIn(LlvmValue x, int mask) {
    return mask == 0 ? LlvmValue.i1(true) : isZero(b.and(x, LlvmValue.i32(mask)));
  }

  /** Whether bit {@code bit} of the lane's number is set (i1). */
  LlvmValue laneBit(int bit) {
    return positions.computeIfAbsent(List.of("lane", bit), _ -> isSet(lane, bit));
  }

  private LlvmValue isSet(LlvmValue x, int bit) {
    return b.icmp(LlvmBuilder.Compare.NE, b.and(x, LlvmValue.i32(1L << bit)), LlvmValue.i32(0));
  }
}
