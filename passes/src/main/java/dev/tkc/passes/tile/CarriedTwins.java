package dev.tkc.passes.tile;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Scalars that a loop carries side by side and that are the same in every round: they start as the same value, and if
 * they are equal in one round, what is carried on is, too. Two rings that are used once a tile have such cursors.
 *
 * <p>What is carried on is compared as it is computed: pure instructions of the loop with equal operands.
 */
final class CarriedTwins {
  /** More than a cursor takes to go on. */
  private static final int DEPTH = 6;

  private CarriedTwins() {}

  /** Replaces the later of two equal scalars by the earlier one, inside the loop and behind it. */
  static void find(Inst loop, Map<Value, Value> replaced) {
    List<Value> inits;
    switch (loop.op()) {
      case ControlOp.For o -> inits = o.inits();
      case ControlOp.While o -> inits = o.inits();
      case dev.tkc.ir.op.Op _ -> {
        return;
      }
    }
    Region body = loop.regions().getFirst();
    List<Value> params = last(body.params(), inits.size());
    List<Value> results = last(loop.results(), inits.size());
    List<Value> next = last(((ControlOp.Yield) body.terminator().op()).values(), inits.size());
    List<Integer> firsts = new ArrayList<>();
    for (int i = 0; i < inits.size(); i++) {
      if (!(params.get(i).type() instanceof TileType t && t.isScalar())) {
        continue;
      }
      int n = i;
      firsts.stream().filter(f -> inits.get(f) == inits.get(n) && params.get(f).type().equals(params.get(n).type())
          && same(next.get(f), next.get(n), params.get(f), params.get(n), DEPTH)).findFirst().ifPresentOrElse(f -> {
            replaced.put(params.get(n), params.get(f));
            replaced.put(results.get(n), results.get(f));
          }, () -> firsts.add(n));
    }
  }

  private static List<Value> last(List<Value> values, int n) {
    return values.subList(values.size() - n, values.size());
  }

  /** Whether x and y are equal if p and q are, as far as so many instructions in a row show. */
  private static boolean same(Value x, Value y, Value p, Value q, int depth) {
    if (x == y || x == p && y == q) {
      return true;
    }
    Inst a = x.definition();
    Inst b = y.definition();
    if (depth == 0 || a == null || b == null || !simple(a) || !simple(b) || !x.type().equals(y.type())
        || a.operands().size() != b.operands().size()
        || !OpShape.key(a.op(), _ -> p).equals(OpShape.key(b.op(), _ -> p))) {
      return false;
    }
    for (int i = 0; i < a.operands().size(); i++) {
      if (!same(a.operands().get(i), b.operands().get(i), p, q, depth - 1)) {
        return false;
      }
    }
    return true;
  }

  private static boolean simple(Inst inst) {
    return inst.results().size() == 1 && inst.regions().isEmpty() && Effects.isPure(inst);
  }
}
