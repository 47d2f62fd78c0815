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
import java.util.Optional;

/**
 * Holds a wait for a product back until the sums of what is computed beside the product are there.
 *
 * <pre>
 *   %o = dot_async …  dot_commit                       %o = dot_async …  dot_commit
 *   %p = exp2 …                                        %p = exp2 …
 *   %l = reduce %p {kind = sum, axes = [1]}       →    %l = reduce %p {kind = sum, axes = [1]}
 *   %x = dot_wait [%o] {pending = 0}                   %x, %l1 = dot_wait [%o, %l] {pending = 0} #{behind = 1}
 * </pre>
 *
 * Where a wait stands in the text is a wish only: nothing of the arithmetic in front of it depends on it, and an
 * assembler that takes a wait for slow starts it as early as it can, so that the product is waited for first and the
 * arithmetic runs beside nothing. What goes through the wait is computed before it. A sum along the rows is one value
 * that needs all of a tile, and takes few registers; where there is none between a product and its wait, the wait stays
 * as it is.
 */
public final class HoldWaits {
  private HoldWaits() {}

  public static void run(Func func, PassContext context) {
    for (Inst inst : func.body().insts()) {
      if (inst.op() instanceof ControlOp.Role role) {
        hold(role.body());
      }
    }
  }

  private static void hold(Region region) {
    for (Inst inst : region.insts()) {
      inst.regions().forEach(HoldWaits::hold);
      if (inst.op() instanceof AsyncOp.DotWait wait) {
        beside(region, inst, wait).ifPresent(sum -> {
          List<Value> values = new ArrayList<>(wait.values());
          values.add(sum);
          inst.setOp(new AsyncOp.DotWait(wait.pending(), values));
          inst.addResult(new Value(sum.type()));
          inst.annotate(AsyncOp.BEHIND, 1L);
        });
      }
    }
  }

  /** The last sum that is computed while the product is under way and nothing else is waited for. */
  private static Optional<Value> beside(Region region, Inst inst, AsyncOp.DotWait wait) {
    List<Inst> before = region.insts().subList(0, region.insts().indexOf(inst));
    for (Inst i : before.reversed()) {
      if (i.op() instanceof ReductionOp.Reduce r && !i.result().tile().isScalar()
          && r.x().tile().element().isFloat() && r.x().tile().element().bits() == 32) {
        return Optional.of(i.result());
      }
      boolean start = i.results().stream().anyMatch(wait.values()::contains);
      if (start || i.op() instanceof AsyncOp.DotWait || i.op() instanceof AsyncOp.DotCommit) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }
}
