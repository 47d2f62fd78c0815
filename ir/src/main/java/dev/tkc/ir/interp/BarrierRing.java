package dev.tkc.ir.interp;

import java.util.ArrayList;
import java.util.List;

/** The transaction barriers that one {@code barrier_alloc} makes. */
final class BarrierRing implements Datum {
  final String name;
  final List<BarrierSlot> slots = new ArrayList<>();
  /** Making them, which a {@code barrier} makes known to others. */
  final Access made;

  BarrierRing(BlockState block, String name, int slots, int arrivals, Access made) {
    this.name = name;
    this.made = made;
    for (int i = 0; i < slots; i++) {
      this.slots.add(new BarrierSlot(block, this, i, arrivals));
    }
  }

  @Override
  public long bytes() {
    return 0;
  }
}
