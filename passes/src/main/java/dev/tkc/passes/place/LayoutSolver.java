package dev.tkc.passes.place;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.WarpTeam;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Spreads layouts from where they matter to where they don't: a value takes the layout in which the first neighbour
 * that has one would like it, across every op that moves no data. Where two spreads meet, a conversion will stand. A
 * layout goes no further than to where the team's warps hold the tile in it.
 */
final class LayoutSolver {
  private final Map<Value, LinearLayout> assigned = new IdentityHashMap<>();
  private final Map<Inst, Inst> holder = new IdentityHashMap<>();
  private final Map<Value, Inst> loopOf = new IdentityHashMap<>();
  private final Uses uses;
  private final WarpTeam warps;
  private final Deque<Value> work = new ArrayDeque<>();

  LayoutSolver(Region body, WarpTeam warps) {
    uses = new Uses(body);
    this.warps = warps;
    body.walk(inst -> inst.regions().forEach(r -> own(inst, r)));
  }

  private void own(Inst inst, Region region) {
    holder.put(region.terminator(), inst);
    region.params().forEach(p -> loopOf.put(p, inst));
  }

  Optional<LinearLayout> layout(Value value) {
    return Optional.ofNullable(assigned.get(value));
  }

  boolean isAssigned(Value value) {
    return assigned.containsKey(value);
  }

  /** Gives the value a layout, unless it has one, and spreads it. */
  void assign(Value value, LinearLayout layout) {
    take(value, layout);
    while (!work.isEmpty()) {
      Value v = work.poll();
      LinearLayout l = assigned.get(v);
      if (v.definition() != null) {
        spread(v.definition(), v, l);
      } else if (loopOf.containsKey(v)) {
        spread(loopOf.get(v), v, l);
      }
      uses.of(v).forEach(user -> spread(user, v, l));
    }
  }

  private void take(Value value, LinearLayout layout) {
    if (value.type() instanceof TileType t && t.rank() > 0 && !assigned.containsKey(value)) {
      if (!LinearLayout.cover(t.shape()).equals(layout.sizes())) {
        throw new IllegalStateException("a layout of " + layout.sizes() + " for " + value);
      }
      if (!warps.holds(layout, t.shape())) {
        return;
      }
      assigned.put(value, layout);
      work.add(value);
    }
  }

  private void spread(Inst inst, Value from, LinearLayout layout) {
    switch (inst.op()) {
      case ElementwiseOp _ -> {
        inst.operands().forEach(v -> take(v, layout));
        inst.results().forEach(v -> take(v, layout));
      }
      case ShapeOp op -> shape(op, inst, from, layout);
      case ReductionOp op -> reduction(op, inst, from, layout);
      case ControlOp op -> control(op, inst, from, layout);
      case AsyncOp.DotWait wait -> {
        int i = wait.values().contains(from) ? wait.values().indexOf(from) : inst.results().indexOf(from);
        take(wait.values().get(i), layout);
        take(inst.results().get(i), layout);
      }
      case MatrixOp _, MemoryOp _, SharedOp _, AsyncOp _ -> { }
    }
  }

  private void shape(ShapeOp op, Inst inst, Value from, LinearLayout layout) {
    Value result = inst.result();
    switch (op) {
      case ShapeOp.Broadcast o -> {
        if (from == result) {
          take(o.x(), Transfer.reduced(layout, Transfer.broadcastAxes(o.x().tile().shape(), o.shape())));
        }
      }
      case ShapeOp.Reshape o -> {
        Value to = from == result ? o.x() : result;
        Transfer.reshaped(layout, from.tile().shape(), to.tile().shape()).ifPresent(l -> take(to, l));
      }
      case ShapeOp.Permute o -> {
        if (from == result) {
          take(o.x(), layout.permute(inverse(o.order())));
        } else {
          take(result, layout.permute(o.order()));
        }
      }
      case ShapeOp.Slice o -> {
        if (from == o.x()) {
          Transfer.sliced(layout, o.offsets(), o.shape()).ifPresent(l -> take(result, l));
        } else {
          Transfer.extended(layout, o.offsets(), o.shape(), LinearLayout.cover(o.x().tile().shape()))
              .ifPresent(l -> take(o.x(), l));
        }
      }
      case ShapeOp.Concat o -> {
        if (from == result) {
          for (Value part : o.parts()) {
            Transfer.sliced(layout, Collections.nCopies(layout.rank(), 0), part.tile().shape())
                .ifPresent(l -> take(part, l));
          }
        }
      }
      case ShapeOp.Splat _, ShapeOp.Iota _, ShapeOp.ConvertLayout _ -> { }
    }
  }

  static List<Integer> inverse(List<Integer> order) {
    List<Integer> inverse = new ArrayList<>(order);
    for (int i = 0; i < order.size(); i++) {
      inverse.set(order.get(i), i);
    }
    return inverse;
  }

  private void reduction(ReductionOp op, Inst inst, Value from, LinearLayout layout) {
    boolean backward = inst.results().contains(from);
    switch (op) {
      case ReductionOp.Reduce o -> {
        if (!backward) {
          take(inst.result(), Transfer.reduced(layout, o.axes()));
        }
      }
      case ReductionOp.ArgReduce o -> {
        if (!backward) {
          take(inst.result(), Transfer.reduced(layout, List.of(o.axis())));
        }
      }
      case ReductionOp.ReduceWith o -> {
        if (!backward) {
          o.xs().forEach(x -> take(x, layout));
          inst.results().forEach(r -> take(r, Transfer.reduced(layout, List.of(o.axis()))));
        }
      }
      case ReductionOp.Scan _, ReductionOp.ScanWith _ -> { }
    }
  }

  private void control(ControlOp op, Inst inst, Value from, LinearLayout layout) {
    switch (op) {
      case ControlOp.For loop -> {
        ControlOp.Yield yield = (ControlOp.Yield) loop.body().terminator().op();
        for (int i = 0; i < loop.inits().size(); i++) {
          List<Value> group = List.of(
              loop.inits().get(i), loop.body().params().get(i + 1), yield.values().get(i), inst.results().get(i));
          if (group.contains(from)) {
            // The loop's own values first: what comes in can be converted once, in front of it.
            List.of(1, 3, 2, 0).forEach(k -> take(group.get(k), layout));
          }
        }
      }
      case ControlOp.If branch -> {
        ControlOp.Yield then = (ControlOp.Yield) branch.then().terminator().op();
        ControlOp.Yield otherwise = (ControlOp.Yield) branch.otherwise().terminator().op();
        for (int i = 0; i < inst.results().size(); i++) {
          List<Value> group = List.of(inst.results().get(i), then.values().get(i), otherwise.values().get(i));
          if (group.contains(from)) {
            group.forEach(v -> take(v, layout));
          }
        }
      }
      case ControlOp.Yield _ -> {
        if (holder.containsKey(inst)) {
          spread(holder.get(inst), from, layout);
        }
      }
      case ControlOp.While _ -> throw new IllegalStateException(inst + " before layouts are assigned");
      case ControlOp.Parallel _, ControlOp.Role _, ControlOp.Assert _, ControlOp.Launch _, ControlOp.BlockId _,
          ControlOp.BlockCount _ -> { }
    }
  }
}
