package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Divisibility;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import java.util.Optional;

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
    Bounds bounds = new Bounds(func);
    AccessPattern.Finder patterns = new AccessPattern.Finder(bounds);
    func.body().walk(i -> Access.of(i).ifPresent(a ->
        annotate(i, a, patterns.of(i), bounds.divisibility(), context.target())));
  }

  private static void annotate(
      Inst inst, Access access, Optional<AccessPattern> pattern, Divisibility known, TargetInfo target) {
    int widest = access.widest(known, target.vectorBytes());
    if (pattern.isPresent() && pattern.get().contiguous() == access.order().getFirst()) {
      widest = Math.max(widest, Math.min(pattern.get().vector(), target.vectorElements(access.element())));
    }
    inst.annotate("inbounds", pattern.map(AnnotateAccesses::flags).orElseGet(access::inbounds));
    if (inst.op() instanceof SharedOp.CopyAsync) {
      inst.annotate("vector", (long) widest);
      inst.annotate("order", access.order().stream().map(Integer::longValue).toList());
      return;
    }
    Value value = inst.results().isEmpty() ? inst.operands().getLast() : inst.result();
    LinearLayout layout = value.tile().layout();
    inst.annotate("vector", (long) Math.min(widest, layout.contiguity(access.order().getFirst())));
  }

  private static List<Long> flags(AccessPattern pattern) {
    return pattern.inBounds().stream().map(inside -> inside ? 1L : 0L).toList();
  }
}
