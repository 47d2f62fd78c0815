package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;

/** A {@code copy_bulk} under way: it reads and writes when it lands. */
record BulkCopy(Inst inst, Footprint footprint, SharedSlots buffer, int stage, BarrierSlot barrier) {}
