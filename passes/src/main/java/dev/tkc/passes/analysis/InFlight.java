package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import java.util.List;

/**
 * How many groups of asynchronous products are under way at most, in the role that has most; 0 where none is
 * asynchronous.
 */
public final class InFlight {
  private int most;

  private InFlight() {}

  public static int groups(Func func) {
    InFlight found = new InFlight();
    found.walk(func.body(), 0);
    return found.most;
  }

  /** At most how many groups that these instructions start, one after the other, are under way behind them. */
  public static int behind(List<Inst> insts) {
    return new InFlight().walk(insts, 0);
  }

  /** Groups under way behind the region, if so many were in front of it. */
  private int walk(Region region, int before) {
    return walk(region.insts(), before);
  }

  private int walk(List<Inst> insts, int before) {
    int now = before;
    for (Inst i : insts) {
      now = switch (i.op()) {
        case AsyncOp.DotCommit _ -> now + 1;
        case AsyncOp.DotWait w -> Math.min(now, w.pending());
        case ControlOp.For f -> loop(f, now);
        case ControlOp.If branch -> Math.max(walk(branch.then(), now), walk(branch.otherwise(), now));
        case ControlOp.Role r -> walk(r.body(), now);
        default -> now;
      };
      most = Math.max(most, now);
    }
    return now;
  }

  /**
   * A round that starts with what the one before left adds nothing in code that waits; code that doesn't has no bound
   * to find.
   */
  private int loop(ControlOp.For f, int before) {
    int first = walk(f.body(), before);
    return Math.max(before, Math.max(first, walk(f.body(), first)));
  }
}
