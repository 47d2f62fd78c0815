package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;

/**
 * How elements are held: a bool as i1 in registers and a byte in memory, formats that LLVM has no type for as their
 * bits in an i8 (4-bit ones in its low half), everything else as LLVM's own type.
 */
final class RegisterTypes {
  private RegisterTypes() {}

  static LlvmType of(Element e) {
    return switch (e) {
      case BOOL -> LlvmType.I1;
      case I8, U8, E4M3, E5M2, I4, U4, E2M1, E8M0 -> LlvmType.I8;
      case I16, U16 -> LlvmType.I16;
      case I32, U32 -> LlvmType.I32;
      case I64, U64 -> LlvmType.I64;
      case F16 -> LlvmType.HALF;
      case BF16 -> LlvmType.BFLOAT;
      case F32 -> LlvmType.FLOAT;
      case F64 -> LlvmType.DOUBLE;
    };
  }

  /** The type an element has in a whole byte or more of memory. */
  static LlvmType inMemory(Element e) {
    return e.isBool() ? LlvmType.I8 : of(e);
  }

  static LlvmValue zero(Element e) {
    return LlvmValue.zero(of(e));
  }

  static LlvmValue literal(Literal literal) {
    Element e = literal.element();
    return switch (e) {
      case BOOL -> LlvmValue.i1(literal.asBool());
      case I8, U8, I16, U16, I32, U32, I64, U64 -> LlvmValue.constant(of(e), literal.bits());
      case I4, U4 -> LlvmValue.constant(LlvmType.I8, literal.bits() & 15);
      case F16, BF16, F32, F64 -> LlvmValue.real(of(e), literal.asDouble());
      case E4M3, E5M2, E2M1, E8M0 ->
          LlvmValue.constant(LlvmType.I8, FloatFormat.of(e).encode(literal.asDouble(), false));
    };
  }
}
