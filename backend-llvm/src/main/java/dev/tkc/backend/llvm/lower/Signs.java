package dev.tkc.backend.llvm.lower;

import dev.tkc.ir.Func;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which i64 scalars are plainly not negative: sizes of tensors, block numbers, loop positions from such a start, and
 * what sums, products and quotients make of them. This lets division be unsigned and drops the lower bound from guards;
 * LLVM could see neither without being told about every parameter.
 */
final class Signs {
  private final Set<Value> sizes = new HashSet<>();
  /** What a loop's position is first, and next where that is not further up. */
  private final Map<Value, List<Value>> positions = new HashMap<>();
  private final Map<Value, Boolean> known = new HashMap<>();

  Signs(Func func) {
    scan(func.body());
  }

  private void scan(Region region) {
    region.walk(inst -> {
      switch (inst.op()) {
        case MemoryOp.MakeTensor o -> sizes.addAll(o.sizes());
        case ControlOp.For o -> positions.put(o.body().params().get(0), List.of(o.lo()));
        case ControlOp.While o -> positions.put(o.body().params().get(0),
            List.of(o.start(), ((ControlOp.Yield) o.body().terminator().op()).values().getFirst()));
        case ControlOp _, MemoryOp _, ElementwiseOp _, dev.tkc.ir.op.ShapeOp _, ReductionOp _, dev.tkc.ir.op.MatrixOp _,
            dev.tkc.ir.op.SharedOp _, dev.tkc.ir.op.AsyncOp _ -> { }
      }
    });
  }

  /** Whether the value is the size of a tensor, which is below 2^31 and not negative. */
  boolean isSize(Value value) {
    return sizes.contains(value);
  }

  boolean isNonNegative(Value value) {
    Boolean answer = known.get(value);
    if (answer == null) {
      known.put(value, false);
      answer = compute(value);
      known.put(value, answer);
    }
    return answer;
  }

  private boolean compute(Value value) {
    if (sizes.contains(value)) {
      return true;
    }
    if (positions.containsKey(value)) {
      return positions.get(value).stream().allMatch(this::isNonNegative);
    }
    if (value.definition() == null) {
      return false;
    }
    return switch (value.definition().op()) {
      case ControlOp.BlockId _, ControlOp.BlockCount _, dev.tkc.ir.op.AsyncOp.NumberDraw _,
          dev.tkc.ir.op.AsyncOp.NumberPost _, dev.tkc.ir.op.AsyncOp.NumberRead _ -> true;
      case ElementwiseOp.Constant o -> o.value().element().isInteger() && o.value().bits() >= 0;
      case ElementwiseOp.Binary o -> binary(o);
      case ElementwiseOp.Select o -> isNonNegative(o.then()) && isNonNegative(o.otherwise());
      case ControlOp _, MemoryOp _, ElementwiseOp _, dev.tkc.ir.op.ShapeOp _, ReductionOp _, dev.tkc.ir.op.MatrixOp _,
          dev.tkc.ir.op.SharedOp _, dev.tkc.ir.op.AsyncOp _ -> false;
    };
  }

  private boolean binary(ElementwiseOp.Binary o) {
    boolean left = isNonNegative(o.lhs());
    boolean right = isNonNegative(o.rhs());
    return switch (o.kind()) {
      case ADD, MUL, DIV, MIN, OR, XOR -> left && right;
      case REM -> right;
      case MAX, AND -> left || right;
      case SHR -> left;
      case SUB, POW, SHL -> false;
    };
  }

  /** Whether both operands are known not to be negative. */
  boolean bothNonNegative(Value a, Value b) {
    return isNonNegative(a) && isNonNegative(b);
  }
}
