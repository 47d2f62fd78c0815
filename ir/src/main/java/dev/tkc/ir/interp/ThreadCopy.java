package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;

/** A {@code copy_async} that has read its tile and not yet written it. */
record ThreadCopy(Inst inst, SharedSlots buffer, int stage, Tile tile) {
  /** Lands: from now on it is like a store by the team's threads. */
  void land(Team team) {
    buffer.slots[stage].tile = tile;
    buffer.slots[stage].write = team.ordinary(inst);
  }
}
