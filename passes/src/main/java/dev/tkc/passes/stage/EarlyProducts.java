package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.List;

/**
 * Moves a product up to where its operands are known, so that it runs beside arithmetic that the program has in front
 * of it.
 *
 * <pre>
 *   %p = exp2 …                          %p = exp2 …
 *   %d = sub …  %e = mul %p, %d          %c = cast %p
 *   %c = cast %p                    →    %s = dot %c, %v, %a
 *   %s = dot %c, %v, %a                  %d = sub …  %e = mul %p, %d
 * </pre>
 *
 * With it go conversions that nobody else needs. It passes no other product. Whether the registers suffice, since the
 * operand and what it was converted from are both needed then, is for the caller to find out ({@link StaggerLoops}).
 */
final class EarlyProducts {
  private EarlyProducts() {}

  /** Moves one product of a loop's body; whether that changed anything. */
  static boolean move(Region body, Inst dot) {
    List<Inst> insts = body.insts();
    Uses uses = new Uses(body);
    List<Inst> moved = new ArrayList<>(List.of(dot));
    for (Value v : dot.operands()) {
      Inst def = v.definition();
      if (def != null && insts.contains(def) && def.op() instanceof ElementwiseOp.Cast
          && uses.of(v).equals(List.of(dot))) {
        moved.addFirst(def);
      }
    }
    int from = insts.indexOf(dot);
    int to = from;
    while (to > 0 && !stops(insts.get(to - 1), moved)) {
      to--;
    }
    if (insts.subList(to, from).stream().noneMatch(i -> !moved.contains(i) && computes(i))) {
      return false;
    }
    Inst mark = insts.get(to);
    while (moved.contains(mark)) {
      mark = insts.get(insts.indexOf(mark) + 1);
    }
    insts.removeAll(moved);
    insts.addAll(insts.indexOf(mark), moved);
    return true;
  }

  /** Whether the instruction must stay in front of what is moved. */
  private static boolean stops(Inst inst, List<Inst> moved) {
    return !moved.contains(inst) && (inst.op() instanceof MatrixOp.Dot
        || inst.results().stream().anyMatch(v -> moved.stream().anyMatch(m -> m.operands().contains(v))));
  }

  private static boolean computes(Inst inst) {
    return inst.op() instanceof ElementwiseOp && inst.result().tile().rank() > 1;
  }
}
