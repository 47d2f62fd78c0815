package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Says of each access how wide its vectors are and which of its indices need no guard.
 *
 * <pre>
 *   %0 = load %x, [%i, %r], _ : f32[1, 4096; #l0]
 *     →  %0 = load %x, [%i, %r], _ #{inbounds = [0, 1], vector = 4} : f32[1, 4096; #l0]
 * </pre>
 *
 * A vector is as wide as the layout's contiguity, the alignment that is known, and the target allow. Its elements lie
 * along the dimension that is consecutive in memory, which the annotation {@code order} of a {@code copy_async} begins
 * with; a copy moves its tile as {@link BlockedLayouts#coalescedLayout} of its shape, order and vector shares it out.
 */
public final class AnnotateAccesses {
  private AnnotateAccesses() {}

  public static void run(Func func, PassContext context) {
    AccessPattern.Finder patterns = new AccessPattern.Finder(func);
    func.body().walk(i -> Access.of(i).ifPresent(a -> annotate(i, a, patterns, context.target())));
  }

  /** Marks the indices that are known to be inside; what an earlier pass found stays known. */
  public static void markInside(Inst inst, AccessPattern.Finder patterns) {
    List<Long> inside = new ArrayList<>();
    List<?> before = inst.annotations().get("inbounds") instanceof List<?> l ? l : List.of();
    List<Boolean> now = patterns.of(inst).map(AccessPattern::inBounds).orElse(List.of());
    for (int i = 0; i < now.size(); i++) {
      inside.add(now.get(i) || i < before.size() && before.get(i).equals(1L) ? 1L : 0L);
    }
    inst.annotate("inbounds", inside);
  }

  private static void annotate(Inst inst, Access access, AccessPattern.Finder patterns, TargetInfo target) {
    int widest = Access.widest(inst, patterns, target.vectorBytes());
    markInside(inst, patterns);
    if (inst.op() instanceof SharedOp.CopyAsync) {
      // Where rows are gathered, layouts were chosen for a width.
      inst.annotate("vector", inst.annotation("vector", widest));
      inst.annotate("order", access.order().stream().map(Integer::longValue).toList());
      return;
    }
    Value value = inst.results().isEmpty() ? inst.operands().getLast() : inst.result();
    LinearLayout layout = value.tile().layout();
    inst.annotate("vector", (long) Math.min(widest, layout.contiguity(access.order().getFirst())));
  }
}
