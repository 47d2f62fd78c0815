package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;

/**
 * Philox4x32-10 as {@code docs/numerics.md} defines it. Neighbouring offsets ask for the words of one counter, and LLVM
 * computes the rounds for equal counters once.
 */
final class PhiloxMath {
  private static final long M0 = 0xD2511F53L;
  private static final long M1 = 0xCD9E8D57L;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private PhiloxMath() {}

  /** Word {@code offset mod 4} at counter {@code offset / 4} (floor); seed and offset are i64, the word i32. */
  static LlvmValue word(LlvmBuilder b, LlvmValue seed, LlvmValue offset) {
    LlvmValue counter = b.ashr(offset, LlvmValue.i64(2));
    LlvmValue[] c = {low(b, counter), high(b, counter), LlvmValue.i32(0), LlvmValue.i32(0)};
    LlvmValue k0 = low(b, seed);
    LlvmValue k1 = high(b, seed);
    for (int round = 0; round < ROUNDS; round++) {
      LlvmValue p0 = b.mul(b.zext(c[0], LlvmType.I64), LlvmValue.i64(M0));
      LlvmValue p1 = b.mul(b.zext(c[2], LlvmType.I64), LlvmValue.i64(M1));
      c = new LlvmValue[] {
        b.xor(b.xor(high(b, p1), c[1]), k0), low(b, p1), b.xor(b.xor(high(b, p0), c[3]), k1), low(b, p0)
      };
      k0 = b.add(k0, LlvmValue.i32(W0));
      k1 = b.add(k1, LlvmValue.i32(W1));
    }
    LlvmValue which = b.and(low(b, offset), LlvmValue.i32(3));
    LlvmValue odd = b.icmp(Compare.NE, b.and(which, LlvmValue.i32(1)), LlvmValue.i32(0));
    LlvmValue upper = b.icmp(Compare.NE, b.and(which, LlvmValue.i32(2)), LlvmValue.i32(0));
    return b.select(upper, b.select(odd, c[3], c[2]), b.select(odd, c[1], c[0]));
  }

  private static LlvmValue low(LlvmBuilder b, LlvmValue x) {
    return b.trunc(x, LlvmType.I32);
  }

  private static LlvmValue high(LlvmBuilder b, LlvmValue x) {
    return b.trunc(b.lshr(x, LlvmValue.i64(32)), LlvmType.I32);
  }
}
