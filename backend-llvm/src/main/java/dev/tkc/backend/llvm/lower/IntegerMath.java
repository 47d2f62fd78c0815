package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.Unroll;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import java.util.List;
import java.util.OptionalLong;

/** Integer operations that LLVM has no single instruction for, by the rules of {@code docs/numerics.md}. */
final class IntegerMath {
  private IntegerMath() {}

  static LlvmValue min(LlvmBuilder b, LlvmValue x, LlvmValue y, boolean signed) {
    return extreme(b, x, y, signed ? "llvm.smin" : "llvm.umin", signed ? Compare.SLT : Compare.ULT);
  }

  static LlvmValue max(LlvmBuilder b, LlvmValue x, LlvmValue y, boolean signed) {
    return extreme(b, x, y, signed ? "llvm.smax" : "llvm.umax", signed ? Compare.SGT : Compare.UGT);
  }

  private static LlvmValue extreme(LlvmBuilder b, LlvmValue x, LlvmValue y, String name, Compare wins) {
    if (x.equals(y)) {
      return x;
    }
    OptionalLong a = x.integer();
    OptionalLong c = y.integer();
    if (a.isPresent() && c.isPresent()) {
      return b.icmp(wins, x, y).isInteger(1) ? x : y;
    }
    return b.call(LlvmIntrinsic.uniform(name, x.type(), 2), x, y);
  }

  static LlvmValue abs(LlvmBuilder b, LlvmValue x) {
    LlvmIntrinsic abs = new LlvmIntrinsic.Overloaded(
        "llvm.abs." + x.type().suffix(), x.type(), List.of(x.type(), LlvmType.I1));
    return b.call(abs, x, LlvmValue.i1(false));
  }

  /** Toward minus infinity. {@code plain}: unsigned, or both known not to be negative. */
  static LlvmValue floorDiv(LlvmBuilder b, LlvmValue x, LlvmValue y, boolean plain) {
    if (y.isInteger(0)) {
      return y;
    }
    if (plain) {
      return b.udiv(x, y);
    }
    OptionalLong divisor = y.integer();
    if (divisor.isPresent() && divisor.getAsLong() > 0 && Long.bitCount(divisor.getAsLong()) == 1) {
      return b.ashr(x, LlvmValue.constant(x.type(), Long.numberOfTrailingZeros(divisor.getAsLong())));
    }
    LlvmValue quotient = b.sdiv(x, y);
    LlvmValue rest = b.sub(x, b.mul(quotient, y));
    return b.add(quotient, b.sext(isBelow(b, rest, y), x.type()));
  }

  /** With the sign of the divisor. */
  static LlvmValue floorMod(LlvmBuilder b, LlvmValue x, LlvmValue y, boolean plain) {
    if (y.isInteger(0)) {
      return y;
    }
    if (plain) {
      return b.urem(x, y);
    }
    OptionalLong divisor = y.integer();
    if (divisor.isPresent() && divisor.getAsLong() > 0 && Long.bitCount(divisor.getAsLong()) == 1) {
      return b.and(x, LlvmValue.constant(x.type(), divisor.getAsLong() - 1));
    }
    LlvmValue rest = b.srem(x, y);
    return b.add(rest, b.select(isBelow(b, rest, y), y, LlvmValue.zero(y.type())));
  }

  /** Whether a remainder toward zero has the wrong sign. */
  private static LlvmValue isBelow(LlvmBuilder b, LlvmValue rest, LlvmValue divisor) {
    LlvmValue zero = LlvmValue.zero(rest.type());
    LlvmValue some = b.icmp(Compare.NE, rest, zero);
    return b.and(some, b.icmp(Compare.SLT, b.xor(rest, divisor), zero));
  }

  /** By squaring; the exponent is not negative. */
  static LlvmValue pow(LlvmBuilder b, LlvmValue x, LlvmValue exponent) {
    LlvmType type = x.type();
    LlvmValue one = LlvmValue.constant(type, 1);
    LlvmValue bits = LlvmValue.i32(type.bits());
    return b.forLoop(LlvmValue.i32(0), bits, LlvmValue.i32(1), List.of(one, x, exponent), Unroll.NEVER,
        (_, carried) -> {
      LlvmValue odd = b.icmp(Compare.NE, b.and(carried.get(2), one), LlvmValue.zero(type));
      LlvmValue product = b.select(odd, b.mul(carried.get(0), carried.get(1)), carried.get(0));
      return List.of(product, b.mul(carried.get(1), carried.get(1)), b.lshr(carried.get(2), one));
    }).get(0);
  }

  /** Left shift; by the width or more, or by a negative amount, gives 0. */
  static LlvmValue shl(LlvmBuilder b, LlvmValue x, LlvmValue count) {
    LlvmValue inside = isCount(b, count);
    return b.select(inside, b.shl(x, bounded(b, inside, count)), LlvmValue.zero(x.type()));
  }

  /** Right shift; beyond the width gives 0, or the sign of a signed number. */
  static LlvmValue shr(LlvmBuilder b, LlvmValue x, LlvmValue count, boolean signed) {
    LlvmValue inside = isCount(b, count);
    LlvmValue within = bounded(b, inside, count);
    if (!signed) {
      return b.select(inside, b.lshr(x, within), LlvmValue.zero(x.type()));
    }
    LlvmValue most = LlvmValue.constant(x.type(), x.type().bits() - 1);
    return b.ashr(x, b.select(inside, within, most));
  }

  private static LlvmValue isCount(LlvmBuilder b, LlvmValue count) {
    return b.icmp(Compare.ULT, count, LlvmValue.constant(count.type(), count.type().bits()));
  }

  private static LlvmValue bounded(LlvmBuilder b, LlvmValue inside, LlvmValue count) {
    return b.select(inside, count, LlvmValue.zero(count.type()));
  }
}
