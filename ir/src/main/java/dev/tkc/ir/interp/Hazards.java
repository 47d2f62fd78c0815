package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds accesses to shared memory that nothing orders. An access may come after another if the clock of who makes it
 * knows the other: a read after the last write, a write after the last write and every read since. What threads wrote
 * must also be behind a proxy fence for the copy engine and the matrix unit. So a hazard is found whatever order the
 * scheduler happened to choose.
 */
final class Hazards {
  private final BlockState block;

  Hazards(BlockState block) {
    this.block = block;
  }

  /** {@code access} reads the slot, made by one who knows {@code clock}. */
  void read(SharedSlots buffer, int stage, Access access, Clock clock) {
    SharedSlots.Slot slot = buffer.slots[stage];
    String what = buffer.described(stage);
    if (slot.write == null) {
      throw block.fault(Code.UNINITIALISED, what + " is read before anything is written to it")
          .at(access.inst(), "read here")
          .exception();
    }
    if (!slot.write.isKnown(clock)) {
      throw early(access, slot.write, what);
    }
    fenced(access, slot.write, clock, what);
    slot.read(access);
  }

  /** {@code access} writes the slot. */
  void write(SharedSlots buffer, int stage, Access access, Clock clock) {
    SharedSlots.Slot slot = buffer.slots[stage];
    overwrites(slot, access, clock, buffer.described(stage));
    for (SharedSlots.Slot other : slot.overlapping) {
      overwrites(other, access, clock, "what lies where " + buffer.described(stage) + " does");
    }
    slot.written(access);
  }

  private void overwrites(SharedSlots.Slot slot, Access access, Clock clock, String what) {
    List<Access> before = new ArrayList<>(slot.reads.values());
    if (slot.write != null) {
      before.add(slot.write);
    }
    for (Access b : before) {
      if (!b.isKnown(clock)) {
        throw overwritten(access, b, b == slot.write, what);
      }
    }
    if (slot.write != null) {
      fenced(access, slot.write, clock, what);
    }
  }

  private void fenced(Access access, Access write, Clock clock, String what) {
    if (access.kind().isAsynchronous() && !write.kind().isAsynchronous()
        && !clock.knows(write.team().fenced, write.time())) {
      throw block.fault(Code.PROXY_FENCE,
          what + " was written by threads, with no proxy fence before its asynchronous use")
          .at(access.inst(), "used here, by " + access.team().name)
              .at(write.inst(), "written here, by " + write.team().name)
          .help("the threads that wrote need a `proxy_fence`, and then a barrier").exception();
    }
  }

  private DiagnosticException early(Access access, Access write, String what) {
    Fault fault = switch (write.kind()) {
      case BULK_COPY ->
          block.fault(Code.READ_BEFORE_ARRIVAL, what + " is read before the copy into it is known to have arrived");
      case THREAD_COPY -> block.fault(Code.SHARED_UNORDERED, what + " is read while a copy into it is under way");
      case ORDINARY -> block.fault(Code.SHARED_UNORDERED, what + " is read with no barrier after the write before it");
      case BULK_STORE, DOT -> throw new IllegalStateException("a write by " + write);
    };
    String help = switch (write.kind()) {
      case BULK_COPY -> "a `barrier_wait` for the phase in which the copy arrives must come first";
      case THREAD_COPY -> "a `copy_wait` that covers the copy's group must come first";
      case ORDINARY, BULK_STORE, DOT -> "a barrier must come between";
    };
    return between(fault, access, "read", write, write.kind() == Access.Kind.ORDINARY ? "written" : "copied")
        .help(help).exception();
  }

  private DiagnosticException overwritten(Access access, Access before, boolean isWrite, String what) {
    Fault fault = switch (before.kind()) {
      case THREAD_COPY -> block.fault(Code.SHARED_UNORDERED, what + " is written while a copy into it is under way");
      case BULK_COPY -> block.fault(Code.OVERWRITTEN, what + " is written while a copy into it may be under way");
      case DOT -> block.fault(Code.OVERWRITTEN, what + " is overwritten while a product may still read it");
      case BULK_STORE -> block.fault(Code.OVERWRITTEN, what + " is overwritten while a bulk store may still read it");
      case ORDINARY -> before.team() == access.team()
          ? block.fault(Code.SHARED_UNORDERED, what + " is written with no barrier after the access before it")
          : block.fault(Code.OVERWRITTEN, what + " is overwritten while " + before.team().name + " may still use it");
    };
    String help = switch (before.kind()) {
      case THREAD_COPY -> "a `copy_wait` that covers the copy's group must come first";
      case BULK_COPY -> "a `barrier_wait` for the phase in which the copy arrives must come first";
      case DOT -> "a `dot_wait` that covers the product's group, and a barrier after it, must come first";
      case BULK_STORE -> "a `store_wait` that covers the store's group, and a `barrier` after it, must come first";
      case ORDINARY -> "a barrier must come between";
    };
    String did = switch (before.kind()) {
      case THREAD_COPY, BULK_COPY -> "copied";
      case ORDINARY -> isWrite ? "written" : "read";
      case BULK_STORE, DOT -> "read";
    };
    return between(fault, access, "written", before, did).help(help).exception();
  }

  private static Fault between(Fault fault, Access access, String does, Access before, String did) {
    return fault.at(access.inst(), does + " here, by " + access.team().name)
        .at(before.inst(), did + " here, by " + before.team().name);
  }

  /** A barrier is used by one who knows {@code clock}. */
  void used(Inst inst, BarrierRing ring, Clock clock) {
    if (!ring.made.isKnown(clock)) {
      throw block.fault(Code.SHARED_UNORDERED, "barriers are used with no `barrier` after they were made")
          .at(inst, "used here")
          .at(ring.made.inst(), "made here").help("a `barrier` must come between").exception();
    }
  }
}
