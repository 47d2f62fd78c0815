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
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.place.AnnotateAccesses;
import dev.tkc.passes.place.CopyWidth;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import java.util.Optional;

/**
 * Marks the loads of a loop that are worth starting rounds ahead: those that feed matrix products and whose places
 * follow from the loop's position, and from what nobody writes, such as a table of pages, alone.
 *
 * <pre>
 *   %x = load %a, [%ri, %rk], _ : bf16[128, 32]   →   … #{latency = 2}
 * </pre>
 *
 * The latency is the number of rounds; {@code stages} on the function (from the schedule) less one, else 2. Loops that
 * go backwards, are remainders ({@code boundary}), or know that they run once stay as they are, and so do loads with a
 * pad other than zero, and gathers that asynchronous copies could not make.
 */
public final class AssignLatencies {
  private static final long DEFAULT_STAGES = 3;

  private final Uses uses;
  private final AccessPattern.Finder patterns;
  private final ReadOnly readOnly;
  private final TargetInfo target;

  private AssignLatencies(Func func, TargetInfo target) {
    this.uses = new Uses(func.body());
    this.patterns = new AccessPattern.Finder(func);
    this.readOnly = new ReadOnly(func);
    this.target = target;
  }

  public static void run(Func func, PassContext context) {
    long stages = func.annotation("stages", DEFAULT_STAGES - func.annotation(PassDriver.SHORTAGES, 0));
    if (stages < 2) {
      return;
    }
    AssignLatencies pass = new AssignLatencies(func, context.target());
    func.body().walk(inst -> {
      if (inst.op() instanceof ControlOp.For loop && !loop.reversed() && !inst.flag("boundary")) {
        for (Inst inner : loop.body().insts()) {
          if (inner.op() instanceof MemoryOp.Load load && pass.isWorthIt(inner, load, loop)) {
            inner.annotate("latency", stages - 1);
            // Proved here, where the loop's bounds say most; copies for other rounds run under the same condition.
            AnnotateAccesses.markInside(inner, pass.patterns);
          }
        }
      }
    });
  }

  private boolean isWorthIt(Inst inst, MemoryOp.Load load, ControlOp.For loop) {
    boolean padded = load.pad().isPresent()
        && Regions.literal(load.pad().get()).filter(l -> l.bits() == 0).isEmpty();
    boolean in = load.tensor().definition() != null
        && load.tensor().definition().op() instanceof MemoryOp.MakeTensor t && t.access() == MemoryOp.Access.IN;
    return !padded && in && inst.result().tile().rank() >= 2 && isAddressable(inst, load)
        && feedsDot(inst.result(), loop, uses)
        && Ahead.of(loop, load.indices(), readOnly).filter(Ahead::movesWithPosition).isPresent();
  }

  /** Whether all indices are ranges or numbers, or rows are gathered that copies can take apart. */
  private boolean isAddressable(Inst inst, MemoryOp.Load load) {
    boolean plain = load.indices().stream().allMatch(i -> i.type() instanceof RangeType || rank(i) == 0);
    return plain || load.indices().stream().allMatch(i -> rank(i) <= 1) && CopyWidth.isAsync(inst, patterns, target);
  }

  private static int rank(Value index) {
    return index.type() instanceof TileType t ? t.rank() : 1;
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
