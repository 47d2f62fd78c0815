package dev.tkc.passes.place;

import dev.tkc.ir.Cloner;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Conversion;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Sets the types of all tiles by the demands of their instructions, in program order, and supplies each operand in the
 * layout demanded: as it is, computed again in that layout where that needs no memory, or converted.
 */
final class LayoutConversions {
  /** How many instructions deep a value is computed again. */
  private static final int DEPTH = 4;

  private record Wanted(Value value, LinearLayout layout) {}

  private final Demands demands;
  private final Map<Wanted, Value> made = new HashMap<>();
  private final Map<Inst, Region> regionOf = new IdentityHashMap<>();
  private final Map<Value, Region> regionOfParam = new IdentityHashMap<>();

  LayoutConversions(Demands demands) {
    this.demands = demands;
  }

  void apply(Region body) {
    index(body);
    place(body);
  }

  private void index(Region region) {
    region.params().forEach(p -> regionOfParam.put(p, region));
    for (Inst inst : region.insts()) {
      regionOf.put(inst, region);
      inst.regions().forEach(this::index);
    }
  }

  private void place(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      Demands.Demand demand = demands.of(inst);
      supply(inst, demand.operands());
      for (int i = 0; i < demand.results().size(); i++) {
        setLayout(inst.results().get(i), demand.results().get(i));
      }
      switch (inst.op()) {
        case ControlOp.For loop -> {
          List<Value> carried = loop.body().params().subList(1, loop.body().params().size());
          for (int i = 0; i < carried.size(); i++) {
            setLayout(carried.get(i), demand.results().get(i));
          }
          place(loop.body());
          supply(loop.body().terminator(), demand.results());
        }
        case ControlOp.If branch -> {
          for (Region side : List.of(branch.then(), branch.otherwise())) {
            place(side);
            supply(side.terminator(), demand.results());
          }
        }
        case ControlOp _, MemoryOp _, ElementwiseOp _, ShapeOp _, ReductionOp _, MatrixOp _, SharedOp _,
            AsyncOp _ -> { }
      }
    }
  }

  private static void setLayout(Value value, LinearLayout layout) {
    if (layout != null && Demands.isTile(value)) {
      value.setType(value.tile().withLayout(layout));
    }
  }

  /** Replaces operands that lie otherwise than wanted, position by position. */
  private void supply(Inst inst, List<LinearLayout> wanted) {
    if (wanted.isEmpty()) {
      return;
    }
    int[] position = {0};
    inst.setOp(OpShape.withOperands(inst.op(), v -> {
      LinearLayout layout = wanted.get(position[0]++);
      return layout == null || !Demands.isTile(v) ? v : in(v, layout);
    }));
  }

  private Value in(Value value, LinearLayout layout) {
    if (layout.equals(value.tile().layout())) {
      return value;
    }
    Wanted wanted = new Wanted(value, layout);
    Value known = made.get(wanted);
    if (known == null) {
      known = recompute(value, layout, DEPTH).orElseGet(() -> convert(value, layout));
      made.put(wanted, known);
    }
    return known;
  }

  private Value convert(Value value, LinearLayout layout) {
    Value result = new Value(value.tile().withLayout(layout), value.name());
    insertBehind(value, new Inst(new ShapeOp.ConvertLayout(value), List.of(result),
        value.definition() == null ? Loc.UNKNOWN : value.definition().loc()));
    return result;
  }

  private void insertBehind(Value value, Inst inst) {
    Region region = value.definition() == null ? regionOfParam.get(value) : regionOf.get(value.definition());
    int at = value.definition() == null ? 0 : region.insts().indexOf(value.definition()) + 1;
    region.insts().add(at, inst);
    regionOf.put(inst, region);
  }

  /** The value computed once more in the layout, if only cheap instructions without inputs in memory make it. */
  private Optional<Value> recompute(Value value, LinearLayout layout, int depth) {
    if (value.definition() == null || depth == 0 || !isCheap(value, depth)
        || Conversion.isFree(value.tile().layout(), layout)) {
      return Optional.empty();
    }
    Inst original = value.definition();
    Inst copy = new Cloner().clone(original);
    copy.result().setType(value.tile().withLayout(layout));
    copy.setOp(
        OpShape.withOperands(original.op(), v -> Demands.isTile(v) ? in(v, operandLayout(original, v, layout)) : v));
    insertBehind(value, copy);
    return Optional.of(copy.result());
  }

  private static boolean isCheap(Value value, int depth) {
    if (depth == 0 || value.definition() == null) {
      return false;
    }
    Inst inst = value.definition();
    boolean cheap = switch (inst.op()) {
      // A slot keeps its contents for the whole round, and reading it twice beats a conversion's write and read.
      case ShapeOp.Splat _, ShapeOp.Iota _, MemoryOp.Lanes _, MemoryOp.Valid _, SharedOp.SharedLoad _,
          SharedOp.GroupLoad _, AsyncOp.Undefined _ -> true;
      case ShapeOp.Broadcast _, ShapeOp.Permute _, ElementwiseOp.Compare _, ElementwiseOp.Select _,
          ElementwiseOp.Cast _, ElementwiseOp.Binary _ -> true;
      case ShapeOp.Reshape o -> Transfer.reshaped(
          value.tile().layout(), o.shape(), o.x().tile().shape()).isPresent() && !o.x().tile().isScalar();
      case ControlOp _, MemoryOp _, ElementwiseOp _, ShapeOp _, ReductionOp _, MatrixOp _, SharedOp _,
          AsyncOp _ -> false;
    };
    return cheap && inst.operands().stream().filter(Demands::isTile).allMatch(v -> isCheap(v, depth - 1));
  }

  private static LinearLayout operandLayout(Inst inst, Value operand, LinearLayout layout) {
    return switch (inst.op()) {
      case ShapeOp.Broadcast o ->
          Transfer.reduced(layout, Transfer.broadcastAxes(operand.tile().shape(), o.shape()));
      case ShapeOp.Permute o -> layout.permute(LayoutSolver.inverse(o.order()));
      case ShapeOp.Reshape o -> Transfer.reshaped(layout, o.shape(), operand.tile().shape()).orElseThrow();
      case ControlOp _, MemoryOp _, ElementwiseOp _, ShapeOp _, ReductionOp _, MatrixOp _, SharedOp _,
          AsyncOp _ -> layout;
    };
  }
}
