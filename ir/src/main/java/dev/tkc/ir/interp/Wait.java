package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;

/** A {@code barrier_wait} that a team has come to, and the phase that it means. */
record Wait(Inst inst, BarrierSlot slot, long phase) {
  boolean isOver() {
    return slot.phase() > phase;
  }
}
