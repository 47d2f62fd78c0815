package dev.tkc.ir.interp;

import dev.tkc.ir.type.SharedType;

/**
 * A shared buffer of one block: per slot the tile it holds, and how far the block may rely on it.
 *
 * <p>Everything at this level is executed by the block as a whole, so a slot needs no element-wise state. A copy in flight keeps
 * its tile aside until a wait covers its group: it lands as late as it may.
 */
final class SharedSlots implements Datum {
  final SharedType type;
  final Tile[] slots;
  /** Per slot, how many copies into it are under way. */
  final int[] inFlight;
  /** Per slot, the accesses since the last barrier. */
  final boolean[] writtenSinceBarrier;
  final boolean[] readSinceBarrier;

  SharedSlots(SharedType type) {
    this.type = type;
    this.slots = new Tile[type.stages()];
    this.inFlight = new int[type.stages()];
    this.writtenSinceBarrier = new boolean[type.stages()];
    this.readSinceBarrier = new boolean[type.stages()];
  }

  @Override
  public long bytes() {
    return type.stages() * Tile.Storage.of(type.element()).bytes(type.tile().count());
  }
}
