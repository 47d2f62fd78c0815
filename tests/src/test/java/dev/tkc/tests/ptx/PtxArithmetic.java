package dev.tkc.tests.ptx;

import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.type.Element;
import dev.tkc.tests.ptx.PtxProgram.Instruction;
import java.util.List;

/**
 * What an instruction computes from its operands, as raw bits. Approximations (ex2, rcp, …) are computed exactly and rounded, so
 * their errors don't show here; flushing of subnormals does.
 */
final class PtxArithmetic {
  private PtxArithmetic() {}

  /** The result's bits from the operands' bits; operands an instruction lacks are 0. */
  interface Function {
    long of(long a, long b, long c);
  }

  /** A computation on real numbers. */
  private interface Real {
    double of(double a, double b, double c);
  }

  static int bits(String type) {
    return switch (type) {
      case "pred" -> 1;
      case "f16x2", "bf16x2" -> 32;
      case "tf32" -> 32;
      case "bf16" -> 16;
      case "e4m3", "e5m2" -> 8;
      default -> Integer.parseInt(type.substring(1));
    };
  }

  static long mask(int bits) {
    return bits >= 64 ? -1 : (1L << bits) - 1;
  }

  private static long signed(long x, int bits) {
    return bits >= 64 ? x : x << 64 - bits >> 64 - bits;
  }

  private static long integer(long x, String type) {
    int bits = bits(type);
    return type.startsWith("s") ? signed(x, bits) : x & mask(bits);
  }

  private static boolean isReal(String type) {
    return type.startsWith("f") || type.startsWith("bf");
  }

  static double toReal(long x, String type) {
    return switch (type) {
      case "f32", "tf32" -> Float.intBitsToFloat((int) x);
      case "f64" -> Double.longBitsToDouble(x);
      case "f16" -> FloatFormat.of(Element.F16).decode((int) x & 0xFFFF);
      case "bf16" -> FloatFormat.of(Element.BF16).decode((int) x & 0xFFFF);
      default -> throw new IllegalStateException("no float type " + type);
    };
  }

  static long fromReal(double x, String type) {
    return switch (type) {
      case "f32" -> Float.floatToRawIntBits((float) x) & 0xFFFFFFFFL;
      case "f64" -> Double.doubleToRawLongBits(x);
      case "f16" -> FloatFormat.of(Element.F16).encode(x, false);
      case "bf16" -> FloatFormat.of(Element.BF16).encode(x, false);
      default -> throw new IllegalStateException("no float type " + type);
    };
  }

  static Function function(Instruction i) {
    String type = i.type();
    return switch (i.opcode()) {
      case "setp" -> compare(i);
      case "selp" -> (a, b, p) -> p != 0 ? a : b;
      case "cvt" -> convert(i);
      case "cvta" -> (a, _, _) -> a;
      case "and" -> (a, b, _) -> a & b;
      case "or" -> (a, b, _) -> a | b;
      case "xor" -> (a, b, _) -> a ^ b;
      case "not" -> (a, _, _) -> ~a & mask(bits(type));
      case "shl" -> (a, n, _) -> shiftLeft(a, n & 0xFFFFFFFFL, bits(type));
      case "shr" -> (a, n, _) -> integer(a, type) >> Math.min(n & 0xFFFFFFFFL, 63) & mask(bits(type))
          & (type.startsWith("s") || (n & 0xFFFFFFFFL) < bits(type) ? -1 : 0);
      case "shf" -> funnel(i);
      case "clz" -> (a, _, _) -> Long.numberOfLeadingZeros(a & mask(bits(type))) - (64 - bits(type));
      case "popc" -> (a, _, _) -> Long.bitCount(a & mask(bits(type)));
      case "prmt" -> PtxArithmetic::permute;
      case "bfe" -> (a, p, n) -> {
        long field = (a & mask(bits(type))) >>> (p & 0xFF) & mask((int) (n & 0xFF));
        return type.startsWith("s") ? signed(field, Math.max(1, (int) (n & 0xFF))) & mask(bits(type)) : field;
      };
      case "lop3" -> throw new IllegalStateException("lop3");
      default -> isReal(type) ? real(i) : whole(i);
    };
  }

  private static long shiftLeft(long a, long n, int bits) {
    return n >= bits ? 0 : a << n & mask(bits);
  }

  private static Function funnel(Instruction i) {
    boolean wrap = i.has("wrap");
    boolean left = i.has("l");
    return (low, high, n) -> {
      long count = wrap ? n & 31 : Math.min(n & 0xFFFFFFFFL, 32);
      long both = (high & 0xFFFFFFFFL) << 32 | low & 0xFFFFFFFFL;
      return (left ? both << count >>> 32 : both >>> count) & 0xFFFFFFFFL;
    };
  }

  private static long permute(long a, long b, long selector) {
    long both = (b & 0xFFFFFFFFL) << 32 | a & 0xFFFFFFFFL;
    long out = 0;
    for (int k = 0; k < 4; k++) {
      int pick = (int) (selector >>> 4 * k & 0xF);
      long x = both >>> 8 * (pick & 7) & 0xFF;
      out |= (pick >= 8 ? (x >= 128 ? 0xFF : 0) : x) << 8 * k;
    }
    return out;
  }

  // Integers.

  private static Function whole(Instruction i) {
    String type = i.type();
    int bits = bits(type);
    int out = i.has("wide") ? 2 * bits : bits;
    Function f = switch (i.opcode()) {
      case "add" -> (a, b, _) -> a + b;
      case "sub" -> (a, b, _) -> a - b;
      case "mul" -> i.has("hi") ? (a, b, _) -> high(a, b, type) : (a, b, _) -> a * b;
      case "mad" -> i.has("hi") ? (a, b, c) -> high(a, b, type) + c : (a, b, c) -> a * b + c;
      case "div" -> (a, b, _) -> b == 0 ? -1 : type.startsWith("s") ? a / b : Long.divideUnsigned(a, b);
      case "rem" -> (a, b, _) -> b == 0 ? a : type.startsWith("s") ? a % b : Long.remainderUnsigned(a, b);
      case "min" -> (a, b, _) -> less(a, b, type) ? a : b;
      case "max" -> (a, b, _) -> less(a, b, type) ? b : a;
      case "abs" -> (a, _, _) -> Math.abs(a);
      case "neg" -> (a, _, _) -> -a;
      default -> throw new IllegalStateException("unknown instruction " + i.text());
    };
    boolean wideThird = i.has("wide");
    return (a, b, c) -> f.of(integer(a, type), integer(b, type), wideThird ? c : integer(c, type)) & mask(out);
  }

  private static boolean less(long a, long b, String type) {
    return type.startsWith("s") ? a < b : Long.compareUnsigned(a, b) < 0;
  }

  private static long high(long a, long b, String type) {
    if (bits(type) == 64) {
      return type.startsWith("s") ? Math.multiplyHigh(a, b) : Math.unsignedMultiplyHigh(a, b);
    }
    return a * b >>> bits(type);
  }

  private static Function compare(Instruction i) {
    String how = i.parts().get(1);
    String type = i.type();
    if (isReal(type)) {
      return (x, y, _) -> holds(how, toReal(x, type), toReal(y, type)) ? 1 : 0;
    }
    return (x, y, _) -> {
      long a = integer(x, type);
      long b = integer(y, type);
      boolean is = switch (how) {
        case "eq" -> a == b;
        case "ne" -> a != b;
        case "lt" -> less(a, b, type);
        case "le" -> !less(b, a, type);
        case "gt" -> less(b, a, type);
        case "ge" -> !less(a, b, type);
        default -> throw new IllegalStateException("unknown comparison " + how);
      };
      return is ? 1 : 0;
    };
  }

  private static boolean holds(String how, double a, double b) {
    boolean nan = Double.isNaN(a) || Double.isNaN(b);
    return switch (how) {
      case "eq" -> a == b;
      case "ne" -> !nan && a != b;
      case "lt" -> a < b;
      case "le" -> a <= b;
      case "gt" -> a > b;
      case "ge" -> a >= b;
      case "equ" -> nan || a == b;
      case "neu" -> a != b;
      case "ltu" -> nan || a < b;
      case "leu" -> nan || a <= b;
      case "gtu" -> nan || a > b;
      case "geu" -> nan || a >= b;
      case "num" -> !nan;
      case "nan" -> nan;
      default -> throw new IllegalStateException("unknown comparison " + how);
    };
  }

  // Floats.

  private static Function real(Instruction i) {
    String type = i.type();
    if (type.endsWith("x2")) {
      return pair(i, type.substring(0, type.length() - 2));
    }
    if (i.opcode().equals("neg")) {
      return (a, _, _) -> a ^ 1L << bits(type) - 1;
    }
    if (i.opcode().equals("abs")) {
      return (a, _, _) -> a & mask(bits(type) - 1);
    }
    if (i.opcode().equals("copysign")) {
      return (sign, a, _) -> a & mask(bits(type) - 1) | sign & 1L << bits(type) - 1;
    }
    Real f = real(i.opcode(), i);
    boolean flush = i.has("ftz");
    return (a, b, c) -> {
      double x = f.of(toReal(a, type), toReal(b, type), toReal(c, type));
      return fromReal(flush && Math.abs(x) < 0x1p-126 ? 0 : x, type);
    };
  }

  private static Real real(String opcode, Instruction i) {
    boolean single = i.type().equals("f32");
    boolean keepNan = i.has("NaN");
    return switch (opcode) {
      case "add" -> (a, b, _) -> a + b;
      case "sub" -> (a, b, _) -> a - b;
      case "mul" -> (a, b, _) -> a * b;
      case "div" -> (a, b, _) -> a / b;
      case "fma" -> single ? (a, b, c) -> Math.fma((float) a, (float) b, (float) c) : (a, b, c) -> Math.fma(a, b, c);
      case "min" -> (a, b, _) -> extreme(a, b, keepNan, true);
      case "max" -> (a, b, _) -> extreme(a, b, keepNan, false);
      case "sqrt" -> (a, _, _) -> Math.sqrt(a);
      case "rsqrt" -> (a, _, _) -> 1 / Math.sqrt(a);
      case "rcp" -> (a, _, _) -> 1 / a;
      case "ex2" -> (a, _, _) -> Math.pow(2, a);
      case "lg2" -> (a, _, _) -> Math.log(a) / Math.log(2);
      default -> throw new IllegalStateException("unknown instruction " + i.text());
    };
  }

  private static double extreme(double a, double b, boolean keepNan, boolean least) {
    if (Double.isNaN(a) || Double.isNaN(b)) {
      return keepNan ? Double.NaN : Double.isNaN(a) ? b : a;
    }
    return least ? Math.min(a, b) : Math.max(a, b);
  }

  private static Function pair(Instruction i, String type) {
    List<String> parts = new java.util.ArrayList<>(i.parts());
    parts.set(parts.size() - 1, type);
    Function one = function(new Instruction(i.text(), i.guard(), i.negated(), parts, i.operands()));
    return (a, b, c) -> one.of(a & 0xFFFF, b & 0xFFFF, c & 0xFFFF) & 0xFFFF
        | (one.of(a >>> 16 & 0xFFFF, b >>> 16 & 0xFFFF, c >>> 16 & 0xFFFF) & 0xFFFF) << 16;
  }

  // Conversions: the last type is the source's, the one before it the result's.

  private static Function convert(Instruction i) {
    String from = i.type();
    String to = i.parts().get(i.parts().size() - 2);
    if (to.endsWith("x2")) {
      return convertPair(from, to.substring(0, to.length() - 2));
    }
    if (to.equals("tf32")) {
      return (a, _, _) -> a + 0x1000 & 0xFFFFE000L;
    }
    if (isReal(from) && isReal(to)) {
      return (a, _, _) -> fromReal(round(i, toReal(a, from)), to);
    }
    if (isReal(from)) {
      return (a, _, _) -> saturate(round(i, toReal(a, from)), to);
    }
    if (isReal(to)) {
      return (a, _, _) -> fromInteger(integer(a, from), from, to);
    }
    // Registers have 16 bits at least: what is narrower fills them, by its sign if it has one.
    return (a, _, _) -> integer(integer(a, from), to) & mask(Math.max(16, bits(to)));
  }

  private static long fromInteger(long x, String from, String to) {
    if (to.equals("f32")) {
      boolean large = from.equals("u64") && x < 0;
      return fromReal(large ? (float) ((x >>> 1) | (x & 1)) * 2f : (float) x, to);
    }
    return fromReal(from.equals("u64") && x < 0 ? (double) ((x >>> 1) | (x & 1)) * 2 : (double) x, to);
  }

  private static double round(Instruction i, double x) {
    return i.has("rzi") ? x < 0 ? Math.ceil(x) : Math.floor(x)
        : i.has("rni") ? Math.rint(x) : i.has("rmi") ? Math.floor(x) : i.has("rpi") ? Math.ceil(x) : x;
  }

  private static long saturate(double x, String to) {
    int bits = bits(to);
    if (Double.isNaN(x)) {
      return 0;
    }
    if (to.startsWith("u")) {
      return bits == 64 && x >= 0x1p63 ? x >= 0x1p64 ? -1 : (long) (x / 2) << 1
          : (long) Math.max(0, Math.min(x, mask(Math.min(bits, 63))));
    }
    long low = -1L << bits - 1;
    return Math.max(low, Math.min((long) x, ~low)) & mask(bits);
  }

  /** Two values: the first operand becomes the upper half; or, from two bytes, each half. */
  private static Function convertPair(String from, String to) {
    if (from.endsWith("x2")) {
      Element e = Element.byText(from.substring(0, 4)).orElseThrow();
      return (a, _, _) -> fromReal(FloatFormat.of(e).decode((int) a & 0xFF), to)
          | fromReal(FloatFormat.of(e).decode((int) (a >>> 8) & 0xFF), to) << 16;
    }
    Element e = Element.byText(to).orElseThrow();
    return (a, b, _) -> (long) FloatFormat.of(e).encode((double) Float.intBitsToFloat((int) a), false) << e.bits()
        | FloatFormat.of(e).encode((double) Float.intBitsToFloat((int) b), false);
  }

  /** The new contents of memory from the old. */
  static Function atomic(Instruction i) {
    String type = i.type();
    if (i.has("cas")) {
      return (old, expected, x) -> (old & mask(bits(type))) == (expected & mask(bits(type))) ? x : old;
    }
    if (i.has("exch")) {
      return (_, x, _) -> x;
    }
    if (i.has("and")) {
      return (old, x, _) -> old & x;
    }
    if (i.has("or")) {
      return (old, x, _) -> old | x;
    }
    String operation = i.has("add") ? "add" : i.has("min") ? "min" : i.has("max") ? "max" : "?";
    return function(new Instruction(i.text(), -1, false, List.of(operation, type), i.operands()));
  }
}
