package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.SharedType;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How tiles lie in shared buffers: row-major, the last dimension fastest, rows exchanged so that columns spread over
 * the banks; in panels where a copy engine or an asynchronous dot takes part.
 */
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

  /** The layout that copy engines and asynchronous dots want. */
  static SharedType inPanels(SharedType type) {
    return type.withLayout(SharedLayouts.panels(type.shape(), type.element().bits()));
  }

  /** Bytes from one slot of panels to the next, where they end before the cover does. */
  static Optional<Long> pitch(SharedType panels) {
    return Panels.of(panels.shape(), panels.element().bits()).map(Panels::slotBytes)
        .filter(bytes -> bytes < SlotBytes.ofCover(panels));
  }

  /** The buffers of a function that copy engines write or read, or that asynchronous dots read where they are. */
  static Set<Value> ofEngines(Func func) {
    Set<Value> found = new HashSet<>();
    func.body().walk(inst -> {
      switch (inst.op()) {
        case AsyncOp.CopyBulk o -> found.add(o.buffer());
        case AsyncOp.StoreBulk o -> found.add(o.buffer());
        case AsyncOp.SharedView o -> found.add(o.buffer());
        default -> { }
      }
    });
    return found;
  }
}
