package dev.tkc.passes.tile;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.PassContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes each pure thing once: an instruction equal to one already in sight (in its region or one around it) goes,
 * and its users take the earlier results.
 *
 * <pre>
 *   %0 = sub %N, %i : i64
 *   %1 = sub %N, %i : i64      →   uses of %1 become %0
 * </pre>
 *
 * Equal means the same op, attributes, operands and annotations. Instructions with regions are left alone.
 */
public final class EliminateCommon {
  private EliminateCommon() {}

  private record Key(Object op, Object annotations, List<Object> types) {}

  public static void run(Module module, PassContext context) {
    module.funcs().forEach(EliminateCommon::run);
  }

  static void run(Func func) {
    Map<Value, Value> replaced = new IdentityHashMap<>();
    visit(func.body(), new HashMap<>(), replaced);
  }

  private static void visit(Region region, Map<Key, Inst> outer, Map<Value, Value> replaced) {
    Map<Key, Inst> seen = new HashMap<>(outer);
    List<Inst> kept = new ArrayList<>();
    for (Inst inst : region.insts()) {
      inst.mapOperands(replaced);
      if (inst.regions().isEmpty() && !inst.results().isEmpty() && Effects.isPure(inst)) {
        Inst earlier = seen.putIfAbsent(key(inst), inst);
        if (earlier != null) {
          for (int i = 0; i < inst.results().size(); i++) {
            replaced.put(inst.results().get(i), earlier.results().get(i));
          }
          continue;
        }
      }
      kept.add(inst);
      inst.regions().forEach(r -> visit(r, seen, replaced));
    }
    region.insts().clear();
    region.insts().addAll(kept);
  }

  private static Key key(Inst inst) {
    // Values are compared by identity: that is their equality.
    return new Key(OpShape.key(inst.op(), v -> v), Map.copyOf(inst.annotations()),
        inst.results().stream().<Object>map(Value::type).toList());
  }
}
