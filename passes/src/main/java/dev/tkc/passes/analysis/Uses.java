package dev.tkc.passes.analysis;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Who uses each value, yields included; a snapshot that later changes do not update. */
public final class Uses {
  private final Map<Value, List<Inst>> users = new IdentityHashMap<>();

  public Uses(Region region) {
    region.walk(inst -> inst.operands().forEach(v -> {
      List<Inst> list = users.computeIfAbsent(v, _ -> new ArrayList<>());
      if (list.isEmpty() || list.getLast() != inst) {
        list.add(inst);
      }
    }));
  }

  /** The instructions that have the value as an operand, in program order, each once. */
  public List<Inst> of(Value value) {
    return users.getOrDefault(value, List.of());
  }

  public boolean isUsed(Value value) {
    return users.containsKey(value);
  }
}
