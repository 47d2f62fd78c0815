package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.rules.Effects;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The instructions of a loop's body that compute some values from the loop's position alone, so that they can be
 * computed for another position.
 */
record Ahead(ControlOp.For loop, List<Inst> insts, boolean movesWithPosition) {

  /** What computes the values; nothing where a carried value, memory or a region takes part. */
  static Optional<Ahead> of(ControlOp.For loop, List<Value> values) {
    Set<Inst> inBody = Collections.newSetFromMap(new IdentityHashMap<>());
    inBody.addAll(loop.body().insts());
    Set<Inst> needed = Collections.newSetFromMap(new IdentityHashMap<>());
    boolean[] moves = {false};
    for (Value v : values) {
      if (!collect(v, loop, inBody, needed, moves)) {
        return Optional.empty();
      }
    }
    List<Inst> ordered = new ArrayList<>(loop.body().insts());
    ordered.removeIf(i -> !needed.contains(i));
    return Optional.of(new Ahead(loop, ordered, moves[0]));
  }

  private static boolean collect(Value v, ControlOp.For loop, Set<Inst> inBody, Set<Inst> needed, boolean[] moves) {
    if (v == loop.body().params().getFirst()) {
      moves[0] = true;
      return true;
    }
    if (loop.body().params().contains(v)) {
      return false;
    }
    Inst inst = v.definition();
    if (inst == null || !inBody.contains(inst) || needed.contains(inst)) {
      return true;
    }
    if (!inst.regions().isEmpty() || !Effects.isPure(inst)) {
      return false;
    }
    needed.add(inst);
    return inst.operands().stream().allMatch(o -> collect(o, loop, inBody, needed, moves));
  }

  /** Computes the values once more, for {@code position}; gives the cloner that knows what each became. */
  Cloner at(Value position, Builder builder) {
    Map<Value, Value> map = new HashMap<>();
    map.put(loop.body().params().getFirst(), position);
    Cloner cloner = new Cloner(map);
    insts.forEach(i -> builder.insert(cloner.clone(i)));
    return cloner;
  }
}
