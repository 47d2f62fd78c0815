package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Fixes how many rounds of a loop are under way at once, and which round's loads go with which round's work.
 *
 * <pre>
 *   for … { %x = load … #{latency = 2} … }   →   for … #{stages = 3} { %x = load … #{latency = 2, stage = 0} … }
 * </pre>
 *
 * Every marked load of a loop runs in stage 0, all else in the last stage. Stages are as many as the largest latency
 * asks for, fewer if the buffers would not fit beside {@link #RESERVED} bytes, and two where the target has no
 * asynchronous copies: registers then hold the second round. With fewer than two the marks are dropped.
 */
public final class ScheduleLoops {
  /** Left for scratch that is in use together with the ring. */
  static final long RESERVED = 8 * 1024;

  private ScheduleLoops() {}

  public static void run(Func func, PassContext context) {
    func.body().walk(inst -> {
      if (inst.op() instanceof ControlOp.For loop) {
        schedule(inst, loop, context.target());
      }
    });
  }

  private static void schedule(Inst inst, ControlOp.For loop, TargetInfo target) {
    List<Inst> loads = new ArrayList<>();
    long latency = 0;
    long bytes = 0;
    for (Inst inner : loop.body().insts()) {
      if (inner.op() instanceof MemoryOp.Load && AssignLatencies.latency(inner).isPresent()) {
        loads.add(inner);
        latency = Math.max(latency, inner.annotation("latency", 0));
        bytes += slot(inner.result().tile());
      }
    }
    if (loads.isEmpty()) {
      return;
    }
    long most = (target.shared().perBlock() - RESERVED) / bytes;
    long stages = Math.min(latency + 1, most);
    if (!target.has(Capability.ASYNC_COPY)) {
      stages = Math.min(2, most);
    }
    for (Inst load : loads) {
      if (stages < 2) {
        load.annotations().remove("latency");
      } else {
        load.annotate("stage", 0L);
      }
    }
    if (stages >= 2) {
      inst.annotate("stages", stages);
    }
  }

  private static long slot(TileType tile) {
    long count = 1;
    for (int size : LinearLayout.cover(tile.shape())) {
      count *= size;
    }
    return tile.element().bytes(count);
  }
}
