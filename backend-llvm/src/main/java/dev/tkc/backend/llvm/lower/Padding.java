package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmValue;
import java.util.List;
import java.util.Optional;

/** Keeps padding out of what is computed across elements. */
final class Padding {
  private Padding() {}

  /** Whether the register's place is no padding; nothing where it never is. */
  static Optional<LlvmValue> inside(FunctionLowering f, LayoutView view, int register) {
    LlvmBuilder b = f.b();
    LlvmValue inside = LlvmValue.i1(true);
    for (int axis = 0; axis < view.rank(); axis++) {
      if (view.mayPad(register, axis)) {
        LlvmValue at = f.thread().position(view, register, axis);
        inside = b.and(inside, b.icmp(Compare.ULT, at, LlvmValue.i32(view.shape().get(axis))));
      }
    }
    return inside.isInteger(1) ? Optional.empty() : Optional.of(inside);
  }

  /** {@code value} where the register's place lies within the shape along the axes, else {@code otherwise}. */
  static LlvmValue select(
      FunctionLowering f, LayoutView view, int register, List<Integer> axes, LlvmValue value, LlvmValue otherwise) {
    LlvmBuilder b = f.b();
    LlvmValue inside = LlvmValue.i1(true);
    for (int axis : axes) {
      if (view.allPadding(register, axis)) {
        return otherwise;
      }
      if (view.mayPad(register, axis)) {
        LlvmValue at = f.thread().position(view, register, axis);
        inside = b.and(inside, b.icmp(Compare.ULT, at, LlvmValue.i32(view.shape().get(axis))));
      }
    }
    return b.select(inside, value, otherwise);
  }
}
