package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scalars;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Replaces instructions by simpler ones that mean the same: constants are folded, splats and broadcasts move toward the
 * results, moves of moves become one, branches on constants and loops of no or one round disappear.
 *
 * <pre>
 *   %0 = splat %c2 {shape = [8]} : f32[8]          %0 = constant {value = 3.0 : f32} : f32
 *   %1 = splat %c1 {shape = [8]} : f32[8]    →     %1 = splat %0 {shape = [8]} : f32[8]
 *   %2 = add %0, %1 : f32[8]
 * </pre>
 *
 * Needs nothing; leaves unused instructions to {@link EliminateDead}. Float identities that change a zero's sign or a
 * NaN into a number are not used.
 */
public final class Canonicalize {
  private static final int ROUNDS = 12;

  private final Map<Value, Value> replaced = new HashMap<>();
  private boolean changed;

  private final boolean placed;

  private Canonicalize(Func func) {
    this.placed = Boolean.TRUE.equals(func.annotations().get("placed"));
  }

  public static void run(Func func, PassContext cx) {
    for (int round = 0; round < ROUNDS; round++) {
      Canonicalize c = new Canonicalize(func);
      c.region(func.body());
      if (!c.changed) {
        return;
      }
    }
  }

  private void region(Region region) {
    List<Inst> old = new ArrayList<>(region.insts());
    region.insts().clear();
    for (Inst inst : old) {
      if (!replaced.isEmpty()) {
        remap(inst);
      }
      inst.regions().forEach(this::region);
      if (!controlled(inst, region) && !simplified(inst, region)) {
        region.insts().add(inst);
      }
    }
  }

  private void remap(Inst inst) {
    for (Value v : inst.operands()) {
      if (replaced.containsKey(v)) {
        inst.mapOperands(replaced);
        return;
      }
    }
  }

  private void replace(Value old, Value by) {
    replaced.put(old, by);
    if (by.name().isEmpty()) {
      by.setName(old.name());
    }
    changed = true;
  }

  private boolean simplified(Inst inst, Region region) {
    if (inst.results().size() != 1) {
      return false;
    }
    if (placed && inst.result().type() instanceof TileType t && !t.isScalar()) {
      return simplifiedPlaced(inst);
    }
    Builder b = new Builder(region).at(inst.loc());
    Optional<Value> simpler = Simplify.simpler(inst, b);
    simpler.ifPresent(v -> replace(inst.result(), v));
    return simpler.isPresent();
  }

  /** A new tile would have no layout; only a value that is there already may stand for a tile that has one. */
  private boolean simplifiedPlaced(Inst inst) {
    Region aside = new Region();
    Optional<Value> simpler = Simplify.simpler(inst, new Builder(aside));
    if (simpler.isEmpty() || !aside.insts().isEmpty() || !simpler.get().type().equals(inst.result().type())) {
      return false;
    }
    replace(inst.result(), simpler.get());
    return true;
  }

  // ------------------------------------------------------------------------------------------------ control

  private boolean controlled(Inst inst, Region region) {
    return switch (inst.op()) {
      case ControlOp.If i -> branch(inst, i, region);
      case ControlOp.For f -> loop(inst, f, region);
      default -> false;
    };
  }

  private boolean branch(Inst inst, ControlOp.If i, Region region) {
    Optional<Boolean> c = Scalars.literal(i.condition()).map(l -> l.asBool());
    if (c.isPresent()) {
      inline(inst, c.get() ? i.then() : i.otherwise(), region);
      return true;
    }
    boolean empty = i.then().insts().size() == 1 && i.otherwise().insts().size() == 1;
    if (!empty) {
      return false;
    }
    List<Value> a = values(i.then());
    List<Value> b = values(i.otherwise());
    boolean selectable = inst.results().stream().allMatch(r -> r.type() instanceof TileType t && t.isScalar());
    if (!selectable && !a.equals(b)) {
      return false;
    }
    Builder builder = new Builder(region).at(inst.loc());
    for (int n = 0; n < a.size(); n++) {
      boolean same = a.get(n) == b.get(n);
      replace(inst.results().get(n), same ? a.get(n)
          : builder.emit(new dev.tkc.ir.op.ElementwiseOp.Select(i.condition(), a.get(n), b.get(n))));
    }
    changed = true;
    return true;
  }

  private boolean loop(Inst inst, ControlOp.For f, Region region) {
    OptionalLong lo = Regions.integer(f.lo());
    OptionalLong hi = Regions.integer(f.hi());
    boolean empty = f.lo() == f.hi();
    boolean once = false;
    if (lo.isPresent() && hi.isPresent()) {
      empty |= hi.getAsLong() <= lo.getAsLong();
      once = !empty && hi.getAsLong() - lo.getAsLong() <= f.step();
    }
    if (empty) {
      for (int n = 0; n < f.inits().size(); n++) {
        replace(inst.results().get(n), f.inits().get(n));
      }
      changed = true;
      return true;
    }
    if (once) {
      Map<Value, Value> params = new HashMap<>();
      params.put(f.body().params().get(0), f.lo());
      for (int n = 0; n < f.inits().size(); n++) {
        params.put(f.body().params().get(n + 1), f.inits().get(n));
      }
      f.body().replaceUses(params);
      inline(inst, f.body(), region);
      return true;
    }
    return invariantCarried(inst, f);
  }

  /**
   * A carried value that every round passes on unchanged is its start; its place is dropped by {@link EliminateDead}.
   */
  private boolean invariantCarried(Inst inst, ControlOp.For f) {
    List<Value> next = values(f.body());
    Map<Value, Value> same = new HashMap<>();
    for (int n = 0; n < next.size(); n++) {
      Value param = f.body().params().get(n + 1);
      Value init = f.inits().get(n);
      if (next.get(n) == param || next.get(n) == init) {
        same.put(param, init);
        if (!replaced.containsKey(inst.results().get(n))) {
          replaced.put(inst.results().get(n), init);
        }
      }
    }
    // The place stays as a carried value nobody reads, so only a use that is really replaced counts as a change.
    f.body().walk(i -> {
      if (!(i == f.body().terminator()) && i.operands().stream().anyMatch(same::containsKey)) {
        i.mapOperands(same);
        changed = true;
      }
    });
    return false;
  }

  private void inline(Inst inst, Region body, Region into) {
    List<Value> results = values(body);
    into.insts().addAll(body.insts().subList(0, body.insts().size() - 1));
    for (int n = 0; n < results.size(); n++) {
      replace(inst.results().get(n), results.get(n));
    }
    changed = true;
  }

  private static List<Value> values(Region region) {
    if (region.terminator().op() instanceof ControlOp.Yield y) {
      return y.values();
    }
    throw new IllegalStateException("a region ends in " + OpShape.mnemonic(region.terminator().op()));
  }
}
