package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmValue;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Linear functions over GF(2) of an i32, as code. Input bits that move by the same distance move together, so the cost
 * is one mask, shift and exclusive or for each distance, and a run of bits that stay together costs one.
 */
final class BitLinear {
  private BitLinear() {}

  /** The exclusive or of {@code columns} at the set bits of {@code x}. */
  static LlvmValue apply(LlvmBuilder b, LlvmValue x, List<Long> columns) {
    SortedMap<Integer, Long> byDistance = new TreeMap<>();
    for (int i = 0; i < columns.size(); i++) {
      for (long rest = columns.get(i); rest != 0; rest &= rest - 1) {
        byDistance.merge(Long.numberOfTrailingZeros(rest) - i, 1L << i, (m, n) -> m | n);
      }
    }
    LlvmValue sum = LlvmValue.i32(0);
    long used = 0;
    for (var move : byDistance.entrySet()) {
      int distance = move.getKey();
      LlvmValue kept = b.and(x, LlvmValue.i32(move.getValue()));
      LlvmValue moved = distance >= 0 ? b.shl(kept, LlvmValue.i32(distance)) : b.lshr(kept, LlvmValue.i32(-distance));
      long reach = distance >= 0 ? move.getValue() << distance : move.getValue() >> -distance;
      sum = (used & reach) == 0 ? b.orDisjoint(sum, moved) : b.xor(sum, moved);
      used |= reach;
    }
    return sum;
  }

  /** The bits that the function can set. */
  static long reach(List<Long> columns) {
    long bits = 0;
    for (long c : columns) {
      bits |= c;
    }
    return bits;
  }
}
