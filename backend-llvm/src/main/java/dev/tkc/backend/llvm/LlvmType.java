package dev.tkc.backend.llvm;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The types of LLVM IR that kernels need. Pointers are opaque and carry only their address space; two equal types are
 * interchangeable, so every check in the builder is {@code equals}.
 */
public sealed interface LlvmType {
  LlvmType VOID = new Void();
  Int I1 = new Int(1);
  Int I8 = new Int(8);
  Int I16 = new Int(16);
  Int I32 = new Int(32);
  Int I64 = new Int(64);
  Real HALF = Real.HALF;
  Real BFLOAT = Real.BFLOAT;
  Real FLOAT = Real.FLOAT;
  Real DOUBLE = Real.DOUBLE;
  /** A generic (flat) pointer; the numbered spaces are the same on both vendors for global and shared memory. */
  Ptr PTR = new Ptr(0);

  Ptr GLOBAL = new Ptr(1);
  Ptr SHARED = new Ptr(3);

  /** The type as LLVM spells it. */
  String text();

  /** The suffix by which overloaded intrinsics name this type: {@code f32}, {@code v4i16}, {@code p3}. */
  String suffix();

  /** Bits a value takes in a register; a pointer into shared memory has 32 and every other pointer 64. */
  int bits();

  /** This type or, for a vector, the type of its elements. */
  default LlvmType scalar() {
    return this instanceof Vec v ? v.element : this;
  }

  default boolean isInt() {
    return scalar() instanceof Int;
  }

  default boolean isReal() {
    return scalar() instanceof Real;
  }

  default boolean isPtr() {
    return this instanceof Ptr;
  }

  default boolean isBool() {
    return scalar().equals(I1);
  }

  /** The same shape (scalar or vector length) with another element. */
  default LlvmType withScalar(LlvmType element) {
    return this instanceof Vec v ? new Vec(v.count, element) : element;
  }

  static Int integer(int bits) {
    return new Int(bits);
  }

  static Ptr ptr(int space) {
    return new Ptr(space);
  }

  static Vec vector(int count, LlvmType element) {
    return new Vec(count, element);
  }

  static Arr array(long count, LlvmType element) {
    return new Arr(count, element);
  }

  static Struct struct(LlvmType... fields) {
    return new Struct(List.of(fields));
  }

  /** A struct of {@code count} fields of one type, as matrix instructions return their fragments. */
  static Struct structOf(int count, LlvmType field) {
    return new Struct(java.util.Collections.nCopies(count, field));
  }

  record Void() implements LlvmType {
    @Override
    public String text() {
      return "void";
    }

    @Override
    public String suffix() {
      return "isVoid";
    }

    @Override
    public int bits() {
      return 0;
    }
  }

  record Int(int bits) implements LlvmType {
    public Int {
      if (bits < 1 || bits > 128) {
        throw new IllegalArgumentException("integer of " + bits + " bits");
      }
    }

    @Override
    public String text() {
      return "i" + bits;
    }

    @Override
    public String suffix() {
      return text();
    }
  }

  enum Real implements LlvmType {
    HALF("half", "f16", 16),
    BFLOAT("bfloat", "bf16", 16),
    FLOAT("float", "f32", 32),
    DOUBLE("double", "f64", 64);

    private final String text;
    private final String suffix;
    private final int bits;

    Real(String text, String suffix, int bits) {
      this.text = text;
      this.suffix = suffix;
      this.bits = bits;
    }

    @Override
    public String text() {
      return text;
    }

    @Override
    public String suffix() {
      return suffix;
    }

    @Override
    public int bits() {
      return bits;
    }
  }

  record Ptr(int space) implements LlvmType {
    @Override
    public String text() {
      return space == 0 ? "ptr" : "ptr addrspace(" + space + ")";
    }

    @Override
    public String suffix() {
      return "p" + space;
    }

    @Override
    public int bits() {
      return space == 3 || space == 5 ? 32 : 64;
    }
  }

  record Vec(int count, LlvmType element) implements LlvmType {
    public Vec {
      if (count < 1 || !(element instanceof Int || element instanceof Real || element instanceof Ptr)) {
        throw new IllegalArgumentException("vector of " + count + " x " + element.text());
      }
    }

    @Override
    public String text() {
      return "<" + count + " x " + element.text() + ">";
    }

    @Override
    public String suffix() {
      return "v" + count + element.suffix();
    }

    @Override
    public int bits() {
      return count * element.bits();
    }
  }

  record Arr(long count, LlvmType element) implements LlvmType {
    @Override
    public String text() {
      return "[" + count + " x " + element.text() + "]";
    }

    @Override
    public String suffix() {
      return "a" + count + element.suffix();
    }

    @Override
    public int bits() {
      return Math.toIntExact(count * element.bits());
    }
  }

  record Struct(List<LlvmType> fields) implements LlvmType {
    public Struct {
      fields = List.copyOf(fields);
    }

    @Override
    public String text() {
      return fields.stream().map(LlvmType::text).collect(Collectors.joining(", ", "{ ", " }"));
    }

    @Override
    public String suffix() {
      return fields.stream().map(LlvmType::suffix).collect(Collectors.joining("", "sl_", "s"));
    }

    @Override
    public int bits() {
      return fields.stream().mapToInt(LlvmType::bits).sum();
    }
  }
}
