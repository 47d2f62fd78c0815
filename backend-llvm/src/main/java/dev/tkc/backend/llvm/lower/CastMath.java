package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Conversions by the rules of {@code docs/numerics.md}: one rounding, to nearest even, from the exact value. Where LLVM
 * has no single conversion the value goes through f32 in a way that keeps it exact or remembers that it was not (round
 * to odd).
 */
final class CastMath {
  private final LlvmBuilder b;
  private final TargetLowering target;

  CastMath(LlvmBuilder b, TargetLowering target) {
    this.b = b;
    this.target = target;
  }

  /** Converts values of one element type; all at once, since targets convert several in one instruction. */
  List<LlvmValue> convert(List<LlvmValue> xs, Element from, Element to, boolean wrap) {
    if (from == to) {
      return xs;
    }
    if (to.isBool()) {
      return each(xs, x -> toBool(x, from));
    }
    if (from.isFloat()) {
      return to.isFloat() ? floats(xs, from, to, wrap) : integers(xs, from, to);
    }
    List<LlvmValue> whole = each(xs, x -> spread(x, from));
    Element held = from.isBool() || from.bits() < 8 ? Element.I8 : from;
    return to.isFloat() ? fromIntegers(whole, held, to, wrap) : each(whole, x -> resize(x, held, to));
  }

  private static List<LlvmValue> each(List<LlvmValue> xs, UnaryOperator<LlvmValue> convert) {
    return xs.stream().map(convert).toList();
  }

  private LlvmValue toBool(LlvmValue x, Element from) {
    if (from.isFloat()) {
      LlvmValue wide = from == Element.F64 ? x : floats(List.of(x), from, Element.F32, false).get(0);
      return b.fcmp(RealCompare.UNE, wide, LlvmValue.zero(wide.type()));
    }
    LlvmValue whole = spread(x, from);
    return b.icmp(Compare.NE, whole, LlvmValue.zero(whole.type()));
  }

  // Integers.

  /** A bool or 4-bit integer as an i8 of the same value; others as they are. */
  private LlvmValue spread(LlvmValue x, Element from) {
    LlvmValue four = LlvmValue.constant(LlvmType.I8, 4);
    return switch (from) {
      case BOOL -> b.zext(x, LlvmType.I8);
      case I4 -> b.ashr(b.shl(x, four), four);
      case U4 -> b.and(x, LlvmValue.constant(LlvmType.I8, 15));
      case I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, E4M3, E5M2, E2M1, E8M0 -> x;
    };
  }

  private LlvmValue resize(LlvmValue x, Element from, Element to) {
    LlvmType type = RegisterTypes.of(to);
    LlvmValue sized = x.type().bits() > type.bits() ? b.trunc(x, type)
        : from.isUnsigned() ? b.zext(x, type) : b.sext(x, type);
    return to.bits() < 8 ? b.and(sized, LlvmValue.constant(LlvmType.I8, 15)) : sized;
  }

  private List<LlvmValue> integers(List<LlvmValue> xs, Element from, Element to) {
    List<LlvmValue> wide = from == Element.F64 ? xs : floats(xs, from, Element.F32, false);
    return each(wide, x -> {
      String name = to.isUnsigned() ? "llvm.fptoui.sat" : "llvm.fptosi.sat";
      if (to.bits() >= 8) {
        return b.call(LlvmIntrinsic.converting(name, RegisterTypes.of(to), x.type()), x);
      }
      LlvmValue whole = b.call(LlvmIntrinsic.converting(name, LlvmType.I8, x.type()), x);
      boolean signed = to.isSigned();
      LlvmValue most = LlvmValue.constant(LlvmType.I8, signed ? 7 : 15);
      LlvmValue least = LlvmValue.constant(LlvmType.I8, signed ? -8 : 0);
      LlvmValue bounded = IntegerMath.max(b, IntegerMath.min(b, whole, most, signed), least, signed);
      return b.and(bounded, LlvmValue.constant(LlvmType.I8, 15));
    });
  }

  private List<LlvmValue> fromIntegers(List<LlvmValue> xs, Element from, Element to, boolean wrap) {
    if (to == Element.F32 || to == Element.F64) {
      return each(xs, x -> toReal(x, from, RegisterTypes.of(to)));
    }
    List<LlvmValue> wide = each(xs, x -> toReal(from.bits() > 24 ? toOdd24(x, from) : x, from, LlvmType.FLOAT));
    return floats(wide, Element.F32, to, wrap);
  }

  private LlvmValue toReal(LlvmValue x, Element from, LlvmType to) {
    return from.isUnsigned() ? b.uitofp(x, to) : b.sitofp(x, to);
  }

  /** The integer with its 24 leading bits kept and the last of them set if a lower one was: f32 holds it exactly. */
  private LlvmValue toOdd24(LlvmValue x, Element from) {
    LlvmType type = x.type();
    LlvmValue size = from.isUnsigned() ? x : IntegerMath.abs(b, x);
    LlvmIntrinsic leading = new LlvmIntrinsic.Overloaded("llvm.ctlz." + type.suffix(), type,
        List.of(type, LlvmType.I1));
    LlvmValue zeros = b.call(leading, size, LlvmValue.i1(false));
    LlvmValue surplus = IntegerMath.max(b,
        b.sub(LlvmValue.constant(type, type.bits() - 24), zeros), LlvmValue.zero(type), true);
    LlvmValue mask = b.sub(b.shl(LlvmValue.constant(type, 1), surplus), LlvmValue.constant(type, 1));
    LlvmValue lost = b.icmp(Compare.NE, b.and(size, mask), LlvmValue.zero(type));
    LlvmValue last = b.shl(b.zext(lost, type), surplus);
    LlvmValue kept = b.or(b.and(size, b.not(mask)), last);
    return from.isUnsigned() ? kept
        : b.select(b.icmp(Compare.SLT, x, LlvmValue.zero(type)), b.sub(LlvmValue.zero(type), kept), kept);
  }

  // Floats.

  private List<LlvmValue> floats(List<LlvmValue> xs, Element from, Element to, boolean wrap) {
    if (from == to) {
      return xs;
    }
    if (!wrap) {
      var own = target.convert(b, xs, from, to);
      if (own.isPresent()) {
        return own.get();
      }
    }
    boolean small = isBits(to);
    if (from == Element.F64) {
      return small ? floats(each(xs, this::toOdd32), Element.F32, to, wrap)
          : each(xs, x -> b.fptrunc(x, RegisterTypes.of(to)));
    }
    if (from != Element.F32) {
      List<LlvmValue> wide = each(xs, x -> toF32(x, from));
      return floats(wide, Element.F32, to, wrap);
    }
    return each(xs, x -> small ? SmallFloats.encode(b, x, to, wrap)
        : to == Element.F64 ? b.fpext(x, LlvmType.DOUBLE) : b.fptrunc(x, RegisterTypes.of(to)));
  }

  private static boolean isBits(Element e) {
    return RegisterTypes.of(e).equals(LlvmType.I8);
  }

  private LlvmValue toF32(LlvmValue x, Element from) {
    if (from == Element.BF16) {
      LlvmValue bits = b.zext(b.bitcast(x, LlvmType.I16), LlvmType.I32);
      return b.bitcast(b.shl(bits, LlvmValue.i32(16)), LlvmType.FLOAT);
    }
    return from == Element.F16 ? b.fpext(x, LlvmType.FLOAT) : SmallFloats.decode(b, x, from);
  }

  /** f64 to f32 such that a later rounding to a narrower format is as if from the f64. */
  private LlvmValue toOdd32(LlvmValue x) {
    LlvmValue near = b.fptrunc(x, LlvmType.FLOAT);
    LlvmValue back = b.fpext(near, LlvmType.DOUBLE);
    LlvmIntrinsic fabs = LlvmIntrinsic.uniform("llvm.fabs", LlvmType.DOUBLE, 1);
    LlvmValue bits = b.bitcast(near, LlvmType.I32);
    LlvmValue above = b.fcmp(RealCompare.OGT, b.call(fabs, back), b.call(fabs, x));
    // Toward zero, then the last bit set: what was lost stays visible.
    LlvmValue odd = b.or(b.sub(bits, b.zext(above, LlvmType.I32)), LlvmValue.i32(1));
    LlvmValue exact = b.fcmp(RealCompare.UEQ, back, x);
    return b.bitcast(b.select(exact, bits, odd), LlvmType.FLOAT);
  }
}
