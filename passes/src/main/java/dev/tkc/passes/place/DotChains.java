package dev.tkc.passes.place;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Where the products of a function go: to other dots, or to reductions along their rows. */
final class DotChains {
  private DotChains() {}

  /**
   * Whether warps should own whole rows: a product is reduced along its rows, or is the left operand of another dot.
   * Either then stays within warps.
   */
  static boolean needWholeRows(Region body, List<Inst> dots) {
    Uses uses = new Uses(body);
    for (Inst dot : dots) {
      if (reachesRowUse(dot, uses)) {
        return true;
      }
    }
    return false;
  }

  private static boolean reachesRowUse(Inst dot, Uses uses) {
    Set<Value> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Value> work = new ArrayDeque<>(List.of(dot.result()));
    while (!work.isEmpty()) {
      Value v = work.poll();
      if (!seen.add(v)) {
        continue;
      }
      for (Inst user : uses.of(v)) {
        switch (user.op()) {
          case MatrixOp.Dot d -> {
            if (d.a() == v) {
              return true;
            }
          }
          case ReductionOp.Reduce r -> {
            if (r.axes().contains(v.tile().rank() - 1) && v.tile().rank() > 1) {
              return true;
            }
          }
          case ReductionOp _, MemoryOp _, SharedOp _, AsyncOp _, ControlOp _ -> { }
          case ElementwiseOp _ -> work.addAll(user.results());
          case ShapeOp s -> {
            if (s instanceof ShapeOp.Slice) {
              work.addAll(user.results());
            }
          }
        }
      }
    }
    return false;
  }
}
