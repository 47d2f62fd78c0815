package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Slopes;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.tile.FloatPositions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Experiment. */
public final class BesideProducts {
  public static final String PINNED = "pinned";
  private static final int FEW = 40;

  private final Uses uses;

  private BesideProducts(Func func) {
    uses = new Uses(func.body());
  }

  public static void run(Func func, PassContext context) {
    if (Integer.getInteger("tkc.early", 0) == 0) {
      return;
    }
    new BesideProducts(func).region(func.body());
  }

  private void region(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(this::region);
      if (inst.op() instanceof ControlOp.For) {
        round(inst.regions().getFirst());
      }
    }
  }

  private void round(Region body) {
    List<Inst> insts = body.insts();
    Optional<Inst> wait = insts.stream().filter(i -> i.op() instanceof AsyncOp.DotWait w && !w.values().isEmpty()
        && w.values().getFirst().definition() != null && insts.contains(w.values().getFirst().definition())
        && w.values().getFirst().definition().op() instanceof AsyncOp.DotAsync).findFirst();
    if (wait.isEmpty()) {
      return;
    }
    Inst dot = ((AsyncOp.DotWait) wait.get().op()).values().getFirst().definition();
    int at = insts.indexOf(dot);
    int commit = switch (Integer.getInteger("tkc.early")) {
      case 1 -> IntStream.range(at, insts.size()).filter(i -> insts.get(i).op() instanceof AsyncOp.DotCommit).findFirst()
          .orElse(-1);
      case 2 -> IntStream.range(at, insts.size()).filter(i -> insts.get(i).op() instanceof AsyncOp.BarrierWait).findFirst()
          .orElse(-1);
      default -> IntStream.range(0, at).filter(i -> insts.get(i).op() instanceof AsyncOp.BarrierWait).findFirst()
          .orElse(-1) - 1;
    };
    if (commit < 0 || commit > insts.indexOf(wait.get())) {
      return;
    }
    Set<Value> defined = new HashSet<>();
    insts.subList(commit + 1, insts.size()).forEach(i -> defined.addAll(i.results()));
    Set<Inst> movable = new LinkedHashSet<>();
    for (Inst i : insts.subList(insts.indexOf(wait.get()), insts.size())) {
      boolean pure = i.op() instanceof ElementwiseOp || i.op() instanceof ShapeOp
          || i.op() instanceof dev.tkc.ir.op.MemoryOp.Lanes;
      if (pure && i.operands().stream().noneMatch(o -> defined.contains(o) && !movable.contains(o.definition()))) {
        movable.add(i);
      }
    }
    Set<Inst> moved = new LinkedHashSet<>();
    for (Inst i : movable) {
      if (i.op() instanceof ElementwiseOp && i.result().tile().rank() == 2
          && uses.of(i.result()).stream().anyMatch(u -> !movable.contains(u)) && places(i.result()) <= FEW) {
        take(i, movable, moved);
        i.annotate(PINNED, true);
      }
    }
    List<Inst> order = insts.stream().filter(moved::contains).toList();
    insts.removeAll(order);
    insts.addAll(commit + 1, order);
  }

  private static void take(Inst i, Set<Inst> movable, Set<Inst> moved) {
    if (moved.add(i)) {
      for (Value o : i.operands()) {
        if (o.definition() != null && movable.contains(o.definition())) {
          take(o.definition(), movable, moved);
        }
      }
    }
  }

  /** In how many registers a thread needs to hold a tile. */
  private static long places(Value v) {
    TileType t = v.tile();
    LinearLayout layout = t.layout();
    return IntStream.range(0, layout.registersPerThread()).mapToObj(r -> key(v, layout.apply(r, 0, 0))).distinct()
        .count();
  }

  private static List<Object> key(Value v, List<Integer> at) {
    if (v.definition() == null) {
      return new ArrayList<>(at);
    }
    return switch (v.definition().op()) {
      case ShapeOp.Splat _ -> List.of();
      case ElementwiseOp.Cast c when v.definition().annotations().containsKey(FloatPositions.STEPPED) ->
          List.of(Slopes.of(c.x()).orElseThrow().at(at));
      case ElementwiseOp _ -> {
        List<Object> keys = new ArrayList<>();
        v.definition().operands().forEach(o -> keys.add(key(o, at)));
        yield keys;
      }
      default -> new ArrayList<>(at);
    };
  }
}
