package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.passes.PassContext;
import java.util.ArrayList;
import java.util.List;

/**
 * Has a wait for a product stand behind a reduction that is computed beside it, for assemblers that move waits up.
 *
 * <pre>
 *   %m = reduce %s {kind = max, …}                %m = reduce %s {kind = max, …}
 *   %p = exp2 …                              →    %p = exp2 …
 *   %y = dot_wait {pending = 0} %x                %y, %n = dot_wait {pending = 0} %x, %m #{behind}
 * </pre>
 *
 * Nothing is read of what the wait gives back for it. The last value of a wait with {@link #BEHIND} is computed before the wait, in the
 * machine's code too.
 */
public final class HoldWaits {
  /** On a wait whose last value is computed before it. */
  public static final String BEHIND = "behind";

  private HoldWaits() {}

  public static void run(Func func, PassContext context) {
    hold(func.body(), false);
  }

  private static void hold(Region region, boolean round) {
    List<Value> sums = new ArrayList<>();
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(r -> hold(r, inst.op() instanceof ControlOp.For));
      if (inst.op() instanceof ReductionOp.Reduce) {
        sums.add(inst.result());
      } else if (inst.op() instanceof AsyncOp.DotWait wait) {
        if (round && !sums.isEmpty() && !wait.values().isEmpty()) {
          List<Value> values = new ArrayList<>(wait.values());
          values.add(Boolean.getBoolean("tkc.last") ? sums.getLast() : sums.getFirst());
          inst.addResult(new Value(values.getLast().type()));
          inst.setOp(new AsyncOp.DotWait(wait.pending(), values));
          inst.annotate(BEHIND, true);
        }
        sums.clear();
      }
    }
  }
}
