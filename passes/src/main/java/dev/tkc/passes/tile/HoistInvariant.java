package dev.tkc.passes.tile;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Moves pure instructions whose operands do not change in a loop in front of it, and scalar ones in front of a phase.
 * Loads from tensors that nothing writes move out of loops too.
 *
 * <pre>
 *   for %lo, %hi [] {step = 64} (%k: i64) {        %left = sub %N, %i : i64
 *     %left = sub %N, %i : i64                  →  for %lo, %hi [] {step = 64} (%k: i64) {
 *     …                                              …
 * </pre>
 *
 * What could stop the program stays, since the loop may run no time: a division by a value that may be zero, a load at
 * an integer index.
 */
public final class HoistInvariant {
  private final ReadOnly readOnly;

  private HoistInvariant(ReadOnly readOnly) {
    this.readOnly = readOnly;
  }

  public static void run(Func func, PassContext cx) {
    new HoistInvariant(new ReadOnly(func)).visit(func.body());
  }

  private void visit(Region region) {
    List<Inst> out = new ArrayList<>();
    for (Inst inst : region.insts()) {
      inst.regions().forEach(this::visit);
      if (inst.op() instanceof ControlOp.For loop) {
        out.addAll(hoistable(loop.body(), false));
      } else if (inst.op() instanceof ControlOp.Parallel nest) {
        out.addAll(hoistable(nest.body(), true));
      }
      out.add(inst);
    }
    region.insts().clear();
    region.insts().addAll(out);
  }

  private List<Inst> hoistable(Region body, boolean toHost) {
    Set<Value> changing = Collections.newSetFromMap(new IdentityHashMap<>());
    changing.addAll(body.params());
    List<Inst> moved = new ArrayList<>();
    List<Inst> kept = new ArrayList<>();
    for (Inst inst : body.insts()) {
      boolean moves = inst.regions().isEmpty() && !inst.results().isEmpty()
          && (Effects.isPure(inst) && isSafe(inst) || !toHost && isStill(inst))
          && (!toHost || inst.results().stream().allMatch(r -> r.type() instanceof TileType t && t.isScalar()))
          && inst.operands().stream().noneMatch(changing::contains);
      (moves ? moved : kept).add(inst);
      if (!moves) {
        changing.addAll(inst.results());
      }
    }
    body.insts().clear();
    body.insts().addAll(kept);
    return moved;
  }

  private boolean isStill(Inst inst) {
    return inst.op() instanceof MemoryOp.Load l && readOnly.tensor(l.tensor())
        && l.indices().stream().allMatch(i -> i.type() instanceof RangeType);
  }

  private static boolean isSafe(Inst inst) {
    return !(inst.op() instanceof ElementwiseOp.Binary b
        && (b.kind() == BinaryKind.DIV || b.kind() == BinaryKind.REM)
        && inst.result().type() instanceof TileType t && t.element().isInteger()
        && Regions.integer(b.rhs()).orElse(0) == 0);
  }
}
