package dev.tkc.ir.interp;

import dev.tkc.ir.type.SharedType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A shared buffer of one block: per slot the tile it holds, and who touched it. Copies and stores are of whole slots,
 * so a slot needs no element-wise state.
 */
final class SharedSlots implements Datum {
  /** One slot. A bulk copy under way leaves it without a tile until it lands, as late as it may. */
  static final class Slot {
    Tile tile;
    /** The last write; null before the first, and after another buffer's slot in the same bytes was written. */
    Access write;
    /** The reads since then, the last one of each part of the clocks. */
    final Map<Integer, Access> reads = new HashMap<>();
    /** Slots of other buffers that lie in some of the same bytes. */
    final List<Slot> overlapping = new ArrayList<>();

    void read(Access access) {
      reads.merge(access.part(), access, (a, b) -> a.time() > b.time() ? a : b);
    }

    void written(Access access) {
      clear();
      write = access;
      overlapping.forEach(Slot::clear);
    }

    private void clear() {
      tile = null;
      write = null;
      reads.clear();
    }
  }

  final SharedType type;
  final String name;
  final Slot[] slots;

  SharedSlots(SharedType type, String name) {
    this.type = type;
    this.name = name;
    this.slots = new Slot[type.stages()];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new Slot();
    }
  }

  /** The bytes of one slot, as copies count them. */
  long slotBytes() {
    return type.element().bytes(type.tile().count());
  }

  String described(int stage) {
    return "slot " + stage + " of shared buffer " + (name.isEmpty() ? "without a name" : "`" + name + "`");
  }

  @Override
  public long bytes() {
    return type.stages() * Tile.Storage.of(type.element()).bytes(type.tile().count());
  }
}
