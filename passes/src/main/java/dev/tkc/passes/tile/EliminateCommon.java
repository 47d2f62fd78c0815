package dev.tkc.passes.tile;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.ReadOnly;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Computes equal things once: an instruction without effects and regions whose op and operands equal those of an
 * earlier one in the same region or one around it is replaced by that. So are loads from tensors that the function only
 * reads.
 *
 * <pre>
 *   %0 = mul %a, %b : i64
 *   %1 = mul %a, %b : i64      →      %0 = mul %a, %b : i64
 *   %2 = add %0, %1 : i64             %2 = add %0, %0 : i64
 * </pre>
 *
 * Scalars that a loop carries twice are one ({@link CarriedTwins}).
 *
 * <p>Needs nothing. Constants meet too, so equal values are equal by identity afterwards.
 */
public final class EliminateCommon {
  private final Deque<Map<Object, Inst>> scopes = new ArrayDeque<>();
  private final Map<Value, Value> replaced = new HashMap<>();
  private final ReadOnly readOnly;

  private EliminateCommon(Func func) {
    this.readOnly = new ReadOnly(func);
  }

  public static void run(Func func, PassContext cx) {
    new EliminateCommon(func).region(func.body());
  }

  private void region(Region region) {
    scopes.push(new HashMap<>());
    for (Iterator<Inst> it = region.insts().iterator(); it.hasNext();) {
      Inst inst = it.next();
      if (inst.operands().stream().anyMatch(replaced::containsKey)) {
        inst.mapOperands(replaced);
      }
      CarriedTwins.find(inst, replaced);
      inst.regions().forEach(this::region);
      if (mergeable(inst)) {
        Inst twin = find(inst);
        if (twin != null) {
          for (int i = 0; i < inst.results().size(); i++) {
            replaced.put(inst.results().get(i), twin.results().get(i));
          }
          it.remove();
        }
      }
    }
    scopes.pop();
  }

  private boolean mergeable(Inst inst) {
    if (!inst.regions().isEmpty() || inst.results().isEmpty()) {
      return false;
    }
    return Effects.isPure(inst) || inst.op() instanceof MemoryOp.Load l && readOnly.tensor(l.tensor());
  }

  /** The earlier twin, or null after noting this one. */
  private Inst find(Inst inst) {
    List<Object> key = new ArrayList<>();
    key.add(OpShape.key(inst.op(), v -> v));
    // Layouts are part of the type and not of the op.
    inst.results().forEach(r -> key.add(r.type()));
    for (Map<Object, Inst> scope : scopes) {
      Inst twin = scope.get(key);
      if (twin != null) {
        return twin;
      }
    }
    scopes.peek().put(key, inst);
    return null;
  }
}
