package dev.tkc.backend.llvm;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * The bottom of the builder: a position in a function, fresh names, the current source place, and the checks every
 * instruction shares. A failed check throws at the Java line that built the wrong instruction.
 */
abstract class LlvmEmitter {
  final LlvmFunction function;
  private LlvmBlock block;
  private LlvmMetadata.Node place;

  LlvmEmitter(LlvmFunction function, LlvmBlock block) {
    this.function = function;
    this.block = block;
  }

  public LlvmFunction function() {
    return function;
  }

  public LlvmModule module() {
    return function.module();
  }

  public LlvmBlock block() {
    return block;
  }

  /** Further instructions go to the end of {@code next}. */
  public void moveTo(LlvmBlock next) {
    block = next;
  }

  /** Further instructions come from this source place; ignored where the function has no line table. */
  public void at(String file, int line, int column) {
    function.module().debug().ifPresent(debug -> function.subprogram()
        .ifPresent(scope -> place = debug.location(scope, file, line, column)));
  }

  final LlvmValue define(LlvmType type, String instruction) {
    LlvmValue result = function.fresh(type);
    block.add(result.text() + " = " + instruction + placeSuffix());
    return result;
  }

  final void effect(String instruction) {
    block.add(instruction + placeSuffix());
  }

  final void terminate(String instruction) {
    block.terminate(instruction + placeSuffix());
  }

  private String placeSuffix() {
    return place == null ? "" : ", !dbg " + place.text();
  }

  static void same(String what, LlvmValue a, LlvmValue b) {
    if (!a.type().equals(b.type())) {
      throw new IllegalArgumentException(what + " of " + a + " and " + b);
    }
  }

  static void check(boolean holds, String what, LlvmValue... operands) {
    if (!holds) {
      throw new IllegalArgumentException(
          what + " of " + Arrays.stream(operands).map(LlvmValue::toString).collect(Collectors.joining(", ")));
    }
  }
}
