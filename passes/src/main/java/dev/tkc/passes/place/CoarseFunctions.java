package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp.Cast;
import dev.tkc.ir.op.ElementwiseOp.Select;
import dev.tkc.ir.op.ElementwiseOp.Unary;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Uses;
import java.util.List;

/**
 * Says of which functions only a rounding to 16 bits or fewer is seen.
 *
 * <pre>
 *   %p = sigmoid %s : f32[128, 128]                    %p = sigmoid %s #{coarse} : f32[128, 128]
 *   %0 = cast %p {to = bf16} : bf16[128, 128]    →     %0 = cast %p {to = bf16} : bf16[128, 128]
 * </pre>
 *
 * The bounds of {@code docs/numerics.md} are wider for such ones: the last bits, which cost about half of the
 * instructions, would be rounded away. Between the function and the conversion there may be masks and moves.
 */
public final class CoarseFunctions {
  /** On a function of f32: all that is made of its result are conversions to floats of at most 16 bits. */
  public static final String COARSE = "coarse";

  private CoarseFunctions() {}

  public static void run(Func func, PassContext context) {
    Uses uses = new Uses(func.body());
    func.body().walk(inst -> {
      if (inst.op() instanceof Unary u && (u.kind() == UnaryKind.SIGMOID || u.kind() == UnaryKind.EXP)
          && !u.exact() && u.x().tile().element() == Element.F32 && isRounded(inst.result(), uses)) {
        inst.annotate(COARSE, true);
      }
    });
  }

  private static boolean isRounded(Value v, Uses uses) {
    List<Inst> users = uses.of(v);
    return !users.isEmpty() && users.stream().allMatch(user -> switch (user.op()) {
      case Cast c -> c.to().isFloat() && c.to().bits() <= 16;
      case Select s -> s.condition() != v && isRounded(user.result(), uses);
      case ShapeOp _ -> isRounded(user.result(), uses);
      default -> false;
    });
  }
}
