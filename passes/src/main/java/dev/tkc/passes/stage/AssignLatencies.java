package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.place.AnnotateAccesses;
import java.util.List;
import java.util.Optional;

/**
 * Marks the loads of a loop that are worth starting rounds ahead: those that feed matrix products and whose places
 * follow from the loop's position alone.
 *
 * <pre>
 *   %x = load %a, [%ri, %rk], _ : bf16[128, 32]   →   … #{latency = 2}
 * </pre>
 *
 * The latency is the number of rounds; {@code stages} on the function (from the schedule) less one, else 2. Loops that
 * go backwards, are remainders ({@code boundary}), or know that they run once stay as they are, and so do loads with a
 * pad other than zero and gathers.
 */
public final class AssignLatencies {
  private static final long DEFAULT_STAGES = 3;

  private AssignLatencies() {}

  public static void run(Func func, PassContext context) {
    long stages = func.annotation("stages", DEFAULT_STAGES);
    if (stages < 2) {
      return;
    }
    Uses uses = new Uses(func.body());
    AccessPattern.Finder patterns = new AccessPattern.Finder(func);
    func.body().walk(inst -> {
      if (inst.op() instanceof ControlOp.For loop && !loop.reversed() && !inst.flag("boundary")) {
        for (Inst inner : loop.body().insts()) {
          if (inner.op() instanceof MemoryOp.Load load && isWorthIt(inner, load, loop, uses)) {
            inner.annotate("latency", stages - 1);
            // Proved here, where the loop's bounds say most; copies for other rounds run under the same condition.
            AnnotateAccesses.markInside(inner, patterns);
          }
        }
      }
    });
  }

  private static boolean isWorthIt(Inst inst, MemoryOp.Load load, ControlOp.For loop, Uses uses) {
    boolean padded = load.pad().isPresent()
        && Regions.literal(load.pad().get()).filter(l -> l.bits() == 0).isEmpty();
    boolean plain = load.indices().stream().allMatch(i -> i.type() instanceof RangeType
        || i.type() instanceof TileType t && t.isScalar());
    boolean readOnly = load.tensor().definition() != null
        && load.tensor().definition().op() instanceof MemoryOp.MakeTensor t && t.access() == MemoryOp.Access.IN;
    return !padded && plain && readOnly && inst.result().tile().rank() >= 2 && feedsDot(inst.result(), loop, uses)
        && Ahead.of(loop, load.indices()).filter(Ahead::movesWithPosition).isPresent();
  }

  private static boolean feedsDot(Value value, ControlOp.For loop, Uses uses) {
    List<Inst> users = uses.of(value);
    return !users.isEmpty() && users.stream().allMatch(u -> loop.body().insts().contains(u)
        && (u.op() instanceof MatrixOp.Dot || u.op() instanceof ShapeOp.Permute && feedsDot(u.result(), loop, uses)));
  }

  static Optional<Long> latency(Inst inst) {
    long latency = inst.annotation("latency", 0);
    return latency > 0 ? Optional.of(latency) : Optional.empty();
  }
}
