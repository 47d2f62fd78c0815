package dev.tkc.passes.place;

import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.type.SharedType;
import java.util.List;

/** How tiles lie in shared buffers: row-major, the last dimension fastest, rows exchanged so that columns spread over the banks. */
final class SharedBuffers {
  private SharedBuffers() {}

  static SharedType placed(SharedType type) {
    List<Integer> cover = LinearLayout.cover(type.shape());
    if (cover.isEmpty()) {
      return type;
    }
    SharedLayouts.Swizzle swizzle = cover.size() < 2
        ? SharedLayouts.Swizzle.NONE : SharedLayouts.Swizzle.forRows(cover.getLast(), type.element().bits());
    return type.withLayout(SharedLayouts.swizzled(cover, BlockedLayouts.rowMajorOrder(cover.size()), swizzle));
  }

  /** Bytes of one slot: the whole cover, so that a layout's offsets need no check. */
  static long slotBytes(SharedType type) {
    long elements = 1;
    for (int size : LinearLayout.cover(type.shape())) {
      elements *= size;
    }
    return type.element().bytes(elements);
  }
}
