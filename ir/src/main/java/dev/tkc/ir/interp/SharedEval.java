package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.Shapes;
import dev.tkc.ir.type.SharedType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Shared buffers and copies into them, each op executed by the block as a whole.
 *
 * <p>A slot that a copy under way will write may be neither read nor written: that is an error always, since what the access meets
 * is not defined. When checking, so is an access that a barrier should part from an earlier one by other threads: a read after a
 * write, and a write after a read or a write.
 */
final class SharedEval {
  private final Machine machine;

  SharedEval(Machine machine) {
    this.machine = machine;
  }

  List<Datum> evaluate(Inst inst, SharedOp op, Frame frame) {
    switch (op) {
      case SharedOp.SharedAlloc o -> {
        SharedType t = o.type();
        long count = t.tile().count();
        machine.budget().ask(inst, count, t.stages() * Tile.Storage.of(t.element()).bytes(count));
        SharedSlots slots = new SharedSlots(t);
        frame.block().copies().allocated(slots);
        return List.of(slots);
      }
      case SharedOp.SharedLoad o -> {
        return List.of(load(inst, o, frame));
      }
      case SharedOp.SharedStore o -> {
        SharedSlots buffer = (SharedSlots) frame.get(o.buffer());
        int stage = writable(inst, buffer, o.stage(), frame);
        buffer.slots[stage] = frame.tile(o.tile());
        buffer.writtenSinceBarrier[stage] = true;
      }
      case SharedOp.CopyAsync o -> {
        SharedSlots buffer = (SharedSlots) frame.get(o.buffer());
        int stage = writable(inst, buffer, o.stage(), frame);
        Tile tile = machine.memory().load(inst, o.tensor(), o.indices(), Optional.empty(), frame);
        frame.block().copies().start(new Copies.Pending(inst, buffer, stage, tile));
      }
      case SharedOp.CopyCommit _ -> frame.block().copies().commit();
      case SharedOp.CopyWait o -> frame.block().copies().await(o.pending());
      case SharedOp.Barrier _ -> frame.block().copies().barrier();
    }
    return List.of();
  }

  private Tile load(Inst inst, SharedOp.SharedLoad op, Frame frame) {
    SharedSlots buffer = (SharedSlots) frame.get(op.buffer());
    int stage = stage(inst, buffer, op.stage(), frame);
    settled(inst, buffer, stage, "read");
    if (machine.checker() != null && buffer.writtenSinceBarrier[stage]) {
      throw unordered(inst, stage, "is read");
    }
    Tile whole = buffer.slots[stage];
    if (whole == null) {
      throw new DiagnosticException(
          Faults.error(Code.UNINITIALISED, inst, "slot " + stage + " of a shared buffer is read before anything is written to it"));
    }
    buffer.readSinceBarrier[stage] = true;
    if (op.shape().equals(whole.shape())) {
      return whole;
    }
    machine.budget().ask(inst, Shapes.count(op.shape()), whole.storage().bytes(Shapes.count(op.shape())));
    return whole.gathered(op.shape(), ShapeEval.block(whole.shape(), op.offsets(), op.shape()), whole.spread());
  }

  private int stage(Inst inst, SharedSlots buffer, Value stage, Frame frame) {
    long s = frame.integer(stage);
    if (s < 0 || s >= buffer.slots.length) {
      throw Faults.fault(Code.INDEX_OUTSIDE, inst, "slot " + s + " of a shared buffer with " + buffer.slots.length);
    }
    return (int) s;
  }

  private int writable(Inst inst, SharedSlots buffer, Value value, Frame frame) {
    int stage = stage(inst, buffer, value, frame);
    settled(inst, buffer, stage, "written");
    if (machine.checker() != null && (buffer.readSinceBarrier[stage] || buffer.writtenSinceBarrier[stage])) {
      throw unordered(inst, stage, "is written");
    }
    return stage;
  }

  private static void settled(Inst inst, SharedSlots buffer, int stage, String what) {
    if (buffer.inFlight[stage] > 0) {
      throw new DiagnosticException(Faults.error(Code.SHARED_UNORDERED, inst,
          "slot " + stage + " of a shared buffer is " + what + " while a copy into it is under way")
          .help("a `copy_wait` that covers the copy's group must come first"));
    }
  }

  private static DiagnosticException unordered(Inst inst, int stage, String what) {
    return new DiagnosticException(Faults.error(Code.SHARED_UNORDERED, inst,
        "slot " + stage + " of a shared buffer " + what + " with no barrier after the access before it")
        .note("other threads of the block may not have reached, or may have passed, that access")
        .help("a `barrier` must come between"));
  }

  /** What a barrier does to the buffers of a block. */
  static void ordered(List<SharedSlots> buffers) {
    for (SharedSlots b : buffers) {
      Arrays.fill(b.writtenSinceBarrier, false);
      Arrays.fill(b.readSinceBarrier, false);
    }
  }
}
