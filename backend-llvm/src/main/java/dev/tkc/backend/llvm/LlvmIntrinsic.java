package dev.tkc.backend.llvm;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Something a kernel can call: an LLVM intrinsic or a piece of inline assembly, with the signature the builder checks
 * calls against. Vendors list theirs in an enum; {@link Overloaded} covers the target-independent ones.
 */
public interface LlvmIntrinsic {
  Form form();

  LlvmType result();

  List<LlvmType> parameters();

  /** Positions of operands that must be constants, because the instruction encodes them. */
  default Set<Integer> immediates() {
    return Set.of();
  }

  /** How a call is spelt. */
  sealed interface Form {}

  /** A function {@code @llvm.…}; LLVM itself knows its attributes. */
  record Builtin(String symbol) implements Form {}

  /**
   * Inline assembly. {@code sideEffect}: may not be deleted or duplicated freely; {@code convergent}: may not be moved
   * under a condition that differs between threads.
   */
  record Asm(String text, String constraints, boolean sideEffect, boolean convergent) implements Form {}

  /** A target-independent intrinsic at given types, for example {@code llvm.fma.f32}. */
  record Overloaded(String symbol, LlvmType result, List<LlvmType> parameters) implements LlvmIntrinsic {
    public Overloaded {
      parameters = List.copyOf(parameters);
    }

    @Override
    public Form form() {
      return new Builtin(symbol);
    }
  }

  /** {@code base} with one type for the result and all {@code arity} operands: {@code llvm.fma}, {@code llvm.smax}. */
  static LlvmIntrinsic uniform(String base, LlvmType type, int arity) {
    LlvmType[] parameters = new LlvmType[arity];
    Arrays.fill(parameters, type);
    return new Overloaded(base + "." + type.suffix(), type, List.of(parameters));
  }

  /** {@code llvm.fptosi.sat.i32.f32} and its like: named by result and operand type. */
  static LlvmIntrinsic converting(String base, LlvmType result, LlvmType operand) {
    return new Overloaded(base + "." + result.suffix() + "." + operand.suffix(), result, List.of(operand));
  }
}
