package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import java.util.ArrayList;
import java.util.List;

/**
 * One transaction barrier. Its part of the clocks counts its completed phases: a copy that arrives in phase p is known
 * to be done by whoever knows p + 1 phases. What a phase publishes is what its arrivals, and those of the phases
 * before, knew.
 */
final class BarrierSlot {
  final int part;
  /** Copies that arrive in the current phase and have not landed. */
  final List<BulkCopy> copies = new ArrayList<>();
  private final BlockState block;
  private final BarrierRing ring;
  private final int index;
  private final int arrivals;
  private final Clock published = new Clock();
  private Clock collecting = new Clock();
  private long phase;
  private int missing;
  private long bytes;
  private Inst expect;
  private Inst landed;

  BarrierSlot(BlockState block, BarrierRing ring, int index, int arrivals) {
    this.part = block.part();
    this.block = block;
    this.ring = ring;
    this.index = index;
    this.arrivals = arrivals;
    this.missing = arrivals;
  }

  /** How many phases have completed: the number of the current one. */
  long phase() {
    return phase;
  }

  Clock published() {
    return published;
  }

  void arrive(Clock known) {
    collecting.join(known);
    missing--;
    complete();
  }

  void expect(Inst inst, long more, Clock known) {
    expect = inst;
    bytes += more;
    arrive(known);
  }

  void landed(BulkCopy copy) {
    copies.remove(copy);
    landed = copy.inst();
    bytes -= copy.buffer().slotBytes();
    complete();
  }

  private void complete() {
    if (missing > 0 || bytes > 0) {
      return;
    }
    if (bytes < 0) {
      throw wrongBytes(-bytes + " bytes more arrive in a phase of " + described() + " than it expects", landed);
    }
    if (!copies.isEmpty()) {
      throw wrongBytes("a phase of " + described() + " completes before a copy into it has landed",
          copies.getFirst().inst());
    }
    published.join(collecting);
    published.raise(part, ++phase);
    collecting = new Clock();
    missing = arrivals;
    expect = null;
    landed = null;
  }

  private RuntimeException wrongBytes(String message, Inst copy) {
    Fault fault = block.fault(Code.TRANSACTION_BYTES, message).at(copy, "copied here");
    return (expect == null ? fault : fault.at(expect, "expected here"))
        .help("`barrier_expect` must name the bytes of all slots that are copied in its phase").exception();
  }

  /** Where nothing can go on: an error if this phase only lacks bytes that nobody copies. */
  void checkStarved() {
    if (missing == 0 && bytes > 0 && copies.isEmpty()) {
      Fault fault = block.fault(Code.TRANSACTION_BYTES,
          bytes + " bytes that a phase of " + described() + " expects are never copied");
      throw (landed == null ? fault.at(expect, "expected here")
          : fault.at(expect, "expected here").at(landed, "copied here"))
          .help("`barrier_expect` must name the bytes of all slots that are copied in its phase").exception();
    }
  }

  String described() {
    return "barrier " + (ring.name.isEmpty() ? "" : "`" + ring.name + "` ") + "slot " + index;
  }

  /** {@code barrier `full` slot 2, in whose phase 5 1 of 8 arrivals and 4096 bytes are missing}. */
  String state() {
    return described() + ", in whose phase " + phase + " " + missing + " of " + arrivals + " arrivals and " + bytes
        + " bytes are missing";
  }
}
