package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.Cast;
import dev.tkc.ir.op.ElementwiseOp.Select;
import dev.tkc.ir.op.ElementwiseOp.Unary;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Scopes;
import dev.tkc.passes.analysis.Uses;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Says of which functions only a rounding to 16 bits or fewer is seen.
 *
 * <pre>
 *   %p = sigmoid %s : f32[128, 128]                    %p = sigmoid %s #{coarse} : f32[128, 128]
 *   %0 = cast %p {to = bf16} : bf16[128, 128]    →     %0 = cast %p {to = bf16} : bf16[128, 128]
 * </pre>
 *
 * The bounds of {@code docs/numerics.md} are wider for such ones: the last bits, which cost about half of the
 * instructions, would be rounded away. Between the function and the conversion there may be masks and moves. Where only
 * products read what is converted, and as their left operand, a row with a NaN has no other results than NaN; then
 * elements of a row may share work that spreads one.
 */
public final class CoarseFunctions {
  /** On a function of f32: all that is made of its result are conversions to floats of at most 16 bits. */
  public static final String COARSE = "coarse";
  /** Also there: and what is converted is only multiplied, as the left operand of products. */
  public static final String MULTIPLIED = "multiplied";

  private final Uses uses;
  private final Scopes scopes;

  private CoarseFunctions(Func func) {
    uses = new Uses(func.body());
    scopes = new Scopes(func);
  }

  public static void run(Func func, PassContext context) {
    CoarseFunctions functions = new CoarseFunctions(func);
    func.body().walk(inst -> {
      if (inst.op() instanceof Unary u && (u.kind() == UnaryKind.SIGMOID || u.kind() == UnaryKind.EXP)
          && !u.exact() && u.x().tile().element() == Element.F32 && functions.isRounded(inst.result())) {
        inst.annotate(COARSE, true);
        if (functions.isMultiplied(inst.result(), new HashSet<>())) {
          inst.annotate(MULTIPLIED, true);
        }
      }
    });
  }

  private boolean isRounded(Value v) {
    List<Inst> users = uses.of(v);
    return !users.isEmpty() && users.stream().allMatch(user -> switch (user.op()) {
      case Cast c -> c.to().isFloat() && c.to().bits() <= 16;
      case Select s -> s.condition() != v && isRounded(user.result());
      case ShapeOp _ -> isRounded(user.result());
      default -> false;
    });
  }

  /** Whether only products read a value, in this round or where it is handed on to. */
  private boolean isMultiplied(Value v, Set<Value> seen) {
    return !seen.add(v) || uses.of(v).stream().allMatch(user -> switch (user.op()) {
      case Cast _, ShapeOp.ConvertLayout _ -> isMultiplied(user.result(), seen);
      case MatrixOp.Dot d -> isOnlyLeft(v, d.a(), user);
      case AsyncOp.DotAsync d -> isOnlyLeft(v, d.a(), user);
      case AsyncOp.DotWait w -> isMultiplied(user.results().get(w.values().indexOf(v)), seen);
      case ControlOp.For loop -> isCarriedMultiplied(user, loop, loop.inits(), v, seen);
      case ControlOp.Yield y -> isYieldedMultiplied(user, y, v, seen);
      default -> false;
    });
  }

  private static boolean isOnlyLeft(Value v, Value left, Inst product) {
    return left == v && Collections.frequency(product.operands(), v) == 1;
  }

  private boolean isYieldedMultiplied(Inst yield, ControlOp.Yield y, Value v, Set<Value> seen) {
    Inst owner = scopes.ownerOf(scopes.regionOf(yield)).orElseThrow();
    return switch (owner.op()) {
      case ControlOp.For loop -> isCarriedMultiplied(owner, loop, y.values(), v, seen);
      case ControlOp.If _ -> places(y.values(), v).allMatch(i -> isMultiplied(owner.results().get(i), seen));
      default -> false;
    };
  }

  private boolean isCarriedMultiplied(Inst inst, ControlOp.For loop, List<Value> carried, Value v, Set<Value> seen) {
    return places(carried, v).allMatch(i -> isMultiplied(inst.results().get(i), seen)
        && isMultiplied(loop.body().params().get(i + 1), seen));
  }

  private static IntStream places(List<Value> values, Value v) {
    return IntStream.range(0, values.size()).filter(i -> values.get(i) == v);
  }
}
