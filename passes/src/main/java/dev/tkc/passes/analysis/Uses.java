package dev.tkc.passes.analysis;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ShapeOp;
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

  /** Whether anything but a product looks at a tile, as it is or transposed. */
  public boolean isRead(Value v) {
    return of(v).stream().anyMatch(u -> switch (u.op()) {
      case MatrixOp.Dot _, ControlOp.For _, ControlOp.Yield _ -> false;
      case ShapeOp.Permute _ -> isRead(u.result());
      default -> true;
    });
  }

  public boolean isUsed(Value value) {
    return users.containsKey(value);
  }
}
