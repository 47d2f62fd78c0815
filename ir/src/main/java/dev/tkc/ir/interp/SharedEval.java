package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.Shapes;
import dev.tkc.ir.type.SharedType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Shared buffers and copies into them, each op by all warps of a team. {@link Hazards} finds what nothing orders: a
 * slot that a copy under way will write, used before a wait, and accesses of different threads with no barrier between.
 */
final class SharedEval {
  private final Machine machine;

  SharedEval(Machine machine) {
    this.machine = machine;
  }

  List<Datum> evaluate(Inst inst, SharedOp op, Frame frame) {
    Team team = frame.team();
    switch (op) {
      case SharedOp.SharedAlloc o -> {
        return List.of(allocate(inst, o, frame));
      }
      case SharedOp.SharedLoad o -> {
        return List.of(load(inst, o, frame));
      }
      case SharedOp.GroupLoad o -> {
        return List.of(load(inst, o, frame));
      }
      case SharedOp.SharedStore o -> {
        SharedSlots buffer = (SharedSlots) frame.get(o.buffer());
        int stage = stage(inst, buffer, o.stage(), frame);
        Tile tile = frame.tile(o.tile());
        frame.block().state().hazards.write(buffer, stage, team.ordinary(inst), team.all);
        buffer.slots[stage].tile = tile;
      }
      case SharedOp.CopyAsync o -> {
        SharedSlots buffer = (SharedSlots) frame.get(o.buffer());
        int stage = stage(inst, buffer, o.stage(), frame);
        Tile tile = machine.memory().load(inst, o.tensor(), o.indices(), Optional.empty(), frame);
        frame.block().state().hazards.write(buffer, stage,
            new Access(Access.Kind.THREAD_COPY, team, inst, team.work, Clock.NEVER), team.all);
        team.copies.add(new ThreadCopy(inst, buffer, stage, tile));
      }
      case SharedOp.CopyCommit _ -> team.copies.commit();
      case SharedOp.CopyWait o -> team.copies.await(o.pending()).forEach(c -> c.land(team));
      case SharedOp.Barrier _ -> {
        if (inst.flag("own")) {
          team.ownBarrier();
        } else {
          team.barrier();
        }
      }
    }
    return List.of();
  }

  private SharedSlots allocate(Inst inst, SharedOp.SharedAlloc op, Frame frame) {
    SharedType t = op.type();
    long count = t.tile().count();
    machine.budget().ask(inst, count, t.stages() * Tile.Storage.of(t.element()).bytes(count));
    SharedSlots slots = new SharedSlots(t, op.name());
    long pitch = t.layout() == null ? slots.slotBytes() : SlotBytes.of(inst);
    frame.block().state().allocated(slots, inst.annotation("offset", -1), pitch);
    return slots;
  }

  private Tile load(Inst inst, SharedOp.SharedLoad op, Frame frame) {
    SharedSlots buffer = (SharedSlots) frame.get(op.buffer());
    int stage = stage(inst, buffer, op.stage(), frame);
    Team team = frame.team();
    frame.block().state().hazards.read(buffer, stage, team.ordinary(inst), team.all);
    Tile whole = buffer.slots[stage].tile;
    if (op.shape().equals(whole.shape())) {
      return whole;
    }
    machine.budget().ask(inst, Shapes.count(op.shape()), whole.storage().bytes(Shapes.count(op.shape())));
    return whole.gathered(op.shape(), ShapeEval.block(whole.shape(), op.offsets(), op.shape()), whole.spread());
  }

  private Tile load(Inst inst, SharedOp.GroupLoad op, Frame frame) {
    SharedSlots buffer = (SharedSlots) frame.get(op.buffer());
    int first = stage(inst, buffer, op.stage(), frame);
    Team team = frame.team();
    List<Tile> parts = new ArrayList<>();
    for (int n = 0; n < op.groups(); n++) {
      int stage = stage(inst, buffer, first + n);
      frame.block().state().hazards.read(buffer, stage, team.ordinary(inst), team.all);
      parts.add(buffer.slots[stage].tile);
    }
    return new ShapeEval(machine).concat(inst, parts, 0);
  }

  static int stage(Inst inst, SharedSlots buffer, Value stage, Frame frame) {
    return stage(inst, buffer, frame.integer(stage));
  }

  private static int stage(Inst inst, SharedSlots buffer, long s) {
    if (s < 0 || s >= buffer.slots.length) {
      throw Faults.fault(Code.INDEX_OUTSIDE, inst, "slot " + s + " of a shared buffer with " + buffer.slots.length);
    }
    return (int) s;
  }
}
