package dev.tkc.backend.llvm;

import dev.tkc.backend.llvm.LlvmType.Int;
import dev.tkc.backend.llvm.LlvmType.Real;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * A typed operand: a register, parameter, global or constant. {@code text} is what LLVM reads and is never taken apart
 * outside this package.
 */
public record LlvmValue(LlvmType type, String text) {
  public static LlvmValue constant(LlvmType type, long value) {
    return switch (type) {
      case Int(int bits) when bits == 1 -> new LlvmValue(type, (value & 1) != 0 ? "true" : "false");
      case Int(int bits) -> new LlvmValue(type, Long.toString(narrow(value, bits)));
      case Real real -> real(real, value);
      case LlvmType.Vec v -> splat(v, constant(v.element(), value));
      case LlvmType.Ptr _, LlvmType.Arr _, LlvmType.Struct _, LlvmType.Void _ ->
          throw new IllegalArgumentException("no constant of type " + type.text());
    };
  }

  /** A floating constant; {@code value} is rounded to the type. */
  public static LlvmValue real(LlvmType type, double value) {
    return switch (type) {
      case Real r -> new LlvmValue(r, switch (r) {
        case HALF -> "0xH%04X".formatted(Float.floatToFloat16((float) value) & 0xFFFF);
        case BFLOAT -> "0xR%04X".formatted(bfloatBits((float) value));
        // LLVM writes a float constant as the double of the same value.
        case FLOAT -> "0x%016X".formatted(Double.doubleToRawLongBits((float) value));
        case DOUBLE -> "0x%016X".formatted(Double.doubleToRawLongBits(value));
      });
      case LlvmType.Vec v -> splat(v, real(v.element(), value));
      case LlvmType.Void _, Int _, LlvmType.Ptr _, LlvmType.Arr _, LlvmType.Struct _ ->
          throw new IllegalArgumentException("no floating constant of type " + type.text());
    };
  }

  public static LlvmValue i1(boolean value) {
    return constant(LlvmType.I1, value ? 1 : 0);
  }

  public static LlvmValue i16(long value) {
    return constant(LlvmType.I16, value);
  }

  public static LlvmValue i32(long value) {
    return constant(LlvmType.I32, value);
  }

  public static LlvmValue i64(long value) {
    return constant(LlvmType.I64, value);
  }

  public static LlvmValue f32(double value) {
    return real(LlvmType.FLOAT, value);
  }

  public static LlvmValue poison(LlvmType type) {
    return new LlvmValue(type, "poison");
  }

  public static LlvmValue undef(LlvmType type) {
    return new LlvmValue(type, "undef");
  }

  /** All bits zero: 0, +0.0, null, or an aggregate of those. */
  public static LlvmValue zero(LlvmType type) {
    return switch (type) {
      case Int _, Real _ -> constant(type, 0);
      case LlvmType.Ptr _ -> new LlvmValue(type, "null");
      case LlvmType.Vec _, LlvmType.Arr _, LlvmType.Struct _ -> new LlvmValue(type, "zeroinitializer");
      case LlvmType.Void _ -> throw new IllegalArgumentException("no zero of type void");
    };
  }

  /** A vector constant of constants. */
  public static LlvmValue vector(List<LlvmValue> elements) {
    LlvmType element = elements.get(0).type;
    return new LlvmValue(LlvmType.vector(elements.size(), element),
        elements.stream().map(LlvmValue::typed).collect(Collectors.joining(", ", "<", ">")));
  }

  private static LlvmValue splat(LlvmType.Vec type, LlvmValue element) {
    return new LlvmValue(type, "splat (" + element.typed() + ")");
  }

  /** {@code i32 %v3}: how most instructions spell their first operand. */
  String typed() {
    return type.text() + " " + text;
  }

  /** The value, sign-extended, if this is a scalar integer constant. */
  public OptionalLong integer() {
    if (!(type instanceof Int)) {
      return OptionalLong.empty();
    }
    if (text.equals("true")) {
      return OptionalLong.of(1);
    }
    if (text.equals("false")) {
      return OptionalLong.of(0);
    }
    char first = text.charAt(0);
    return first == '-' || first >= '0' && first <= '9'
        ? OptionalLong.of(Long.parseLong(text))
        : OptionalLong.empty();
  }

  public boolean isInteger(long value) {
    OptionalLong constant = integer();
    return constant.isPresent() && constant.getAsLong() == value;
  }

  static long narrow(long value, int bits) {
    return bits >= 64 ? value : value << (64 - bits) >> (64 - bits);
  }

  private static int bfloatBits(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (bits >>> 16) | 0x40;
    }
    return (bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16;
  }

  @Override
  public String toString() {
    return typed();
  }
}
