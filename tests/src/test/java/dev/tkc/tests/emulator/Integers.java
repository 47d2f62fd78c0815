package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Lanewise;

/** Integer and bit instructions. */
final class Integers {
  private Integers() {}

  static Lanewise op(Statement s) {
    PtxType t = s.type();
    long mask = t.mask();
    int bits = t.bits();
    return switch (s.opcode()) {
      case "add" -> s.has("sat")
          ? (a, b, c) -> Math.clamp((long) (int) a + (int) b, Integer.MIN_VALUE, Integer.MAX_VALUE)
          & mask : (a, b, c) -> a + b & mask;
      case "sub" -> s.has("sat")
          ? (a, b, c) -> Math.clamp((long) (int) a - (int) b, Integer.MIN_VALUE, Integer.MAX_VALUE)
          & mask : (a, b, c) -> a - b & mask;
      case "mul", "mul24" -> multiply(s, t, false);
      case "mad", "mad24" -> multiply(s, t, true);
      case "div" -> t.isSigned() ? (a, b, c) -> t.integer(a) / divisor(t.integer(b)) & mask
          : (a, b, c) -> Long.divideUnsigned(t.integer(a), divisor(t.integer(b))) & mask;
      case "rem" -> t.isSigned() ? (a, b, c) -> t.integer(a) % divisor(t.integer(b)) & mask
          : (a, b, c) -> Long.remainderUnsigned(t.integer(a), divisor(t.integer(b))) & mask;
      case "neg" -> (a, b, c) -> -a & mask;
      case "abs" -> (a, b, c) -> Math.abs(t.integer(a)) & mask;
      case "min" -> t.isSigned() ? (a, b, c) -> Math.min(t.integer(a), t.integer(b)) & mask
          : (a, b, c) -> Long.compareUnsigned(t.integer(a), t.integer(b)) < 0 ? a & mask : b & mask;
      case "max" -> t.isSigned() ? (a, b, c) -> Math.max(t.integer(a), t.integer(b)) & mask
          : (a, b, c) -> Long.compareUnsigned(t.integer(a), t.integer(b)) > 0 ? a & mask : b & mask;
      case "and" -> (a, b, c) -> a & b & mask;
      case "or" -> (a, b, c) -> (a | b) & mask;
      case "xor" -> (a, b, c) -> (a ^ b) & mask;
      case "not" -> (a, b, c) -> ~a & mask;
      case "cnot" -> (a, b, c) -> (a & mask) == 0 ? 1 : 0;
      case "shl" -> (a, b, c) -> shift(b) >= bits ? 0 : a << shift(b) & mask;
      case "shr" -> t.isSigned() ? (a, b, c) -> t.integer(a) >> Math.min(shift(b), 63) & mask
          : (a, b, c) -> shift(b) >= bits ? 0 : t.integer(a) >>> shift(b);
      case "shf" -> funnel(s.has("l"), s.has("clamp"));
      case "bfe" -> (a, b, c) -> extract(t, a, (int) b & 255, (int) c & 255) & mask;
      case "brev" -> bits == 32 ? (a, b, c) -> Integer.reverse((int) a) & mask : (a, b, c) -> Long.reverse(a);
      case "popc" -> (a, b, c) -> Long.bitCount(a & mask);
      case "clz" -> (a, b, c) -> Long.numberOfLeadingZeros(a & mask) - (64 - bits);
      case "sad" -> (a, b, c) -> c + Math.abs(t.integer(a) - t.integer(b)) & mask;
      case "dp4a" -> (a, b, c) -> dot(s, a, b, c);
      case "selp", "slct" -> select(s, mask);
      case "set" -> set(s);
      default -> throw s.unknown();
    };
  }

  static Lanewise select(Statement s, long mask) {
    if (s.opcode().equals("selp")) {
      return (a, b, c) -> (c != 0 ? a : b) & mask;
    }
    PtxType first = s.types().getFirst();
    PtxType test = s.type();
    return (a, b, c) -> (test.number(c) >= 0 ? a : b) & first.mask();
  }

  static Lanewise set(Statement s) {
    Lanewise test = Comparison.of(s);
    PtxType result = s.types().getFirst();
    long yes = result.isFloat() ? result.bits(1) : result.mask();
    return (a, b, c) -> test.apply(a, b, c) != 0 ? yes : 0;
  }

  private static long divisor(long x) {
    if (x == 0) {
      throw new PtxFault("division by zero");
    }
    return x;
  }

  private static int shift(long b) {
    return (int) Math.min(b & 0xFFFFFFFFL, 64);
  }

  private static Lanewise multiply(Statement s, PtxType t, boolean add) {
    long mask = t.mask();
    if (s.has("wide")) {
      long wide = t.bits() == 32 ? -1L : 0xFFFFFFFFL;
      return (a, b, c) -> t.integer(a) * t.integer(b) + (add ? c : 0) & wide;
    }
    if (s.has("hi")) {
      if (t.bits() < 64) {
        return (a, b, c) -> (t.integer(a) * t.integer(b) >> t.bits()) + (add ? c : 0) & mask;
      }
      return t.isSigned() ? (a, b, c) -> Math.multiplyHigh(a, b) + (add ? c : 0)
          : (a, b, c) -> Math.unsignedMultiplyHigh(a, b) + (add ? c : 0);
    }
    return (a, b, c) -> a * b + (add ? c : 0) & mask;
  }

  private static Lanewise funnel(boolean left, boolean clamp) {
    return (a, b, c) -> {
      int by = clamp ? (int) Math.min(c & 0xFFFFFFFFL, 32) : (int) c & 31;
      long both = (b & 0xFFFFFFFFL) << 32 | a & 0xFFFFFFFFL;
      return (left ? both >>> 32 - by : both >>> by) & 0xFFFFFFFFL;
    };
  }

  private static long extract(PtxType t, long a, int at, int length) {
    int bits = t.bits();
    long value = t.integer(a);
    if (length == 0) {
      return 0;
    }
    int top = Math.min(at + length - 1, bits - 1);
    boolean negative = t.isSigned() && (value >>> top & 1) != 0;
    long field = at >= bits ? 0 : (t.mask() & value) >>> at;
    int kept = Math.min(length, Math.max(bits - at, 0));
    field = kept >= 64 ? field : field & (1L << kept) - 1;
    return negative && kept < 64 ? field | -1L << kept : field;
  }

  private static long dot(Statement s, long a, long b, long c) {
    PtxType x = s.types().get(0).isSigned() ? PtxType.S8 : PtxType.U8;
    PtxType y = s.types().get(1).isSigned() ? PtxType.S8 : PtxType.U8;
    long sum = c;
    for (int i = 0; i < 32; i += 8) {
      sum += x.integer(a >>> i) * y.integer(b >>> i);
    }
    return sum & 0xFFFFFFFFL;
  }

  static Lanewise lop3(int table) {
    return (a, b, c) -> {
      long out = 0;
      for (int i = 0; i < 8; i++) {
        if ((table >>> i & 1) != 0) {
          out |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
        }
      }
      return out & 0xFFFFFFFFL;
    };
  }

  /** {@code prmt} in its default mode: each nibble of c picks a byte of b:a, or its sign if the top bit is set. */
  static long permute(long a, long b, long c) {
    long bytes = (b & 0xFFFFFFFFL) << 32 | a & 0xFFFFFFFFL;
    long out = 0;
    for (int i = 0; i < 4; i++) {
      int pick = (int) (c >>> 4 * i) & 15;
      long chosen = bytes >>> 8 * (pick & 7) & 255;
      out |= ((pick & 8) != 0 ? (chosen >>> 7) * 255 : chosen) << 8 * i;
    }
    return out;
  }
}
