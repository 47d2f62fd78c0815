package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** A role on its way through its code, which can be left and taken up again at every op that other roles may see. */
final class Walker {
  /** A region that is being run: of a role, of a branch, or of a loop. */
  private static final class Level {
    final Region region;
    final Inst owner;
    final Loop loop;
    int next;

    Level(Region region, Inst owner, Loop loop) {
      this.region = region;
      this.owner = owner;
      this.loop = loop;
    }
  }

  private final Machine machine;
  private final Frame frame;
  private final Deque<Level> levels = new ArrayDeque<>();
  private List<Wait> waits = List.of();

  Walker(Machine machine, Region body, Frame frame) {
    this.machine = machine;
    this.frame = frame;
    levels.push(new Level(body, null, null));
  }

  Team team() {
    return frame.team();
  }

  boolean isEnded() {
    return levels.isEmpty();
  }

  /** What it waits for; null if it can go on. */
  Wait waiting() {
    return waits.stream().filter(w -> !w.isOver()).findFirst().orElse(null);
  }

  /** Runs until just after the next op that others may see, to a wait that is not over, or to the end. */
  void run() {
    waits.forEach(w -> machine.async().passed(w, frame.block().state(), team()));
    waits = List.of();
    while (!levels.isEmpty()) {
      Level level = levels.peek();
      Inst inst = level.region.insts().get(level.next++);
      switch (inst.op()) {
        case ControlOp.Yield y -> leave(level, y.values().stream().map(frame::get).toList());
        case ControlOp.For o -> {
          machine.budget().step(inst);
          enter(new Level(o.body(), inst, Loop.of(machine, inst, o, frame)));
        }
        case ControlOp.While o -> {
          machine.budget().step(inst);
          enter(new Level(o.body(), inst, Loop.of(machine, inst, o, frame)));
        }
        case ControlOp.If o -> {
          machine.budget().step(inst);
          levels.push(new Level(frame.tile(o.condition()).asBool() ? o.then() : o.otherwise(), inst, null));
        }
        case AsyncOp.BarrierWait o -> {
          machine.budget().step(inst);
          waits = machine.async().begin(inst, o, frame);
          return;
        }
        case ControlOp _, MemoryOp _, ElementwiseOp _, ShapeOp _, ReductionOp _, MatrixOp _, SharedOp _, AsyncOp _ -> {
          machine.evaluate(inst, frame);
          if (inst.op() instanceof AsyncOp || inst.op() instanceof SharedOp) {
            return;
          }
        }
      }
    }
  }

  private void enter(Level loop) {
    if (loop.loop.begin(frame)) {
      loop.next = 0;
      levels.push(loop);
    } else {
      Machine.define(loop.owner, loop.loop.carried(), frame);
    }
  }

  private void leave(Level level, List<Datum> yielded) {
    levels.pop();
    if (level.loop != null) {
      level.loop.carry(yielded);
      enter(level);
    } else if (level.owner != null) {
      Machine.define(level.owner, yielded.stream().map(Loop::settled).toList(), frame);
    }
  }
}
