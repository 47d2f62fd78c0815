package dev.tkc.passes.place;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.Conversion;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What an instruction demands of its operands' layouts and what layouts its results then have. Called in program order:
 * the operands' types are final but for region parameters, which are final from the start.
 */
final class Demands {
  /** Accesses that use less of what they move than this are made in their own layout instead. */
  private static final double LEAST_EFFICIENCY = 0.6;

  /** So do those that take this many times the instructions. */
  private static final int MOST_SPLIT = 8;

  /** Layouts for operands and for results, each in order; null where a layout is free or there is none. */
  record Demand(List<LinearLayout> operands, List<LinearLayout> results) {
    static Demand none() {
      return new Demand(List.of(), List.of());
    }

    static Demand ofResults(LinearLayout... results) {
      return new Demand(List.of(), Arrays.asList(results));
    }

    /** The same demand on a value wherever it is an operand. */
    static Demand of(Inst inst, Map<Value, LinearLayout> needed, List<LinearLayout> results) {
      List<LinearLayout> operands = new ArrayList<>();
      inst.operands().forEach(v -> operands.add(needed.get(v)));
      return new Demand(operands, results);
    }
  }

  private final LayoutSolver solver;
  private final Map<Inst, DotLayouts> dots;
  private final Function<Inst, LinearLayout> accessLayout;
  private final int lanes;
  private final int warps;

  Demands(LayoutSolver solver, Map<Inst, DotLayouts> dots, Function<Inst, LinearLayout> accessLayout, int lanes,
      int warps) {
    this.solver = solver;
    this.dots = dots;
    this.accessLayout = accessLayout;
    this.lanes = lanes;
    this.warps = warps;
  }

  LinearLayout assigned(Value v) {
    return solver.layout(v).orElseThrow(() -> new IllegalStateException("no layout for " + v));
  }

  static boolean isTile(Value v) {
    return v.type() instanceof TileType t && t.rank() > 0;
  }

  Demand of(Inst inst) {
    return switch (inst.op()) {
      case ElementwiseOp _ -> elementwise(inst);
      case ShapeOp op -> shape(op, inst);
      case ReductionOp op -> reduction(op, inst);
      case MatrixOp.Dot _ -> {
        DotLayouts l = dots.get(inst);
        yield new Demand(List.of(l.a(), l.b(), l.acc()), List.of(l.acc()));
      }
      case MemoryOp op -> memory(op, inst);
      case SharedOp op -> shared(op, inst);
      case AsyncOp op -> async(op, inst);
      case ControlOp op -> control(op, inst);
    };
  }

  private static Map<Value, LinearLayout> operands(Object... pairs) {
    Map<Value, LinearLayout> map = new IdentityHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((Value) pairs[i], (LinearLayout) pairs[i + 1]);
    }
    return map;
  }

  private static Map<Value, LinearLayout> all(List<Value> values, LinearLayout layout) {
    Map<Value, LinearLayout> map = new IdentityHashMap<>();
    values.stream().filter(Demands::isTile).forEach(v -> map.put(v, layout));
    return map;
  }

  private Demand elementwise(Inst inst) {
    if (!isTile(inst.result())) {
      return Demand.none();
    }
    LinearLayout layout = assigned(inst.result());
    return Demand.of(inst, all(inst.operands(), layout), List.of(layout));
  }

  private Demand shape(ShapeOp op, Inst inst) {
    Value result = inst.result();
    return switch (op) {
      case ShapeOp.Splat _, ShapeOp.Iota _ -> Demand.ofResults(assigned(result));
      case ShapeOp.ConvertLayout _ -> Demand.ofResults(result.tile().layout());
      case ShapeOp.Broadcast o -> {
        LinearLayout layout = assigned(result);
        yield Demand.of(inst, operands(o.x(),
            Transfer.reduced(layout, Transfer.broadcastAxes(o.x().tile().shape(), o.shape()))), List.of(layout));
      }
      case ShapeOp.Reshape o -> reshape(o, inst);
      case ShapeOp.Permute o -> Demand.of(
          inst, operands(o.x(), assigned(result).permute(LayoutSolver.inverse(o.order()))), List.of(assigned(result)));
      case ShapeOp.Concat o -> concat(o, inst);
      case ShapeOp.Slice o -> slice(o, inst);
    };
  }

  private Demand reshape(ShapeOp.Reshape op, Inst inst) {
    Value result = inst.result();
    TileType from = op.x().tile();
    if (!isTile(result)) {
      return Demand.none();
    }
    if (from.isScalar()) {
      return Demand.ofResults(assigned(result));
    }
    LinearLayout layout = assigned(result);
    return Transfer.reshaped(layout, op.shape(), from.shape())
        .map(l -> Demand.of(inst, operands(op.x(), l), List.of(layout)))
        .orElseGet(() -> Demand.of(inst, operands(op.x(), Transfer.replicated(from.shape(), lanes, warps)),
            List.of(Transfer.replicated(op.shape(), lanes, warps))));
  }

  private Demand concat(ShapeOp.Concat op, Inst inst) {
    LinearLayout layout = assigned(inst.result());
    Map<Value, LinearLayout> parts = new IdentityHashMap<>();
    for (Value part : op.parts()) {
      Transfer.sliced(layout, Collections.nCopies(layout.rank(), 0), part.tile().shape())
          .ifPresent(l -> parts.put(part, l));
    }
    List<Integer> first = op.parts().getFirst().tile().shape();
    boolean even = op.parts().stream().allMatch(p -> p.tile().shape().equals(first))
        && Integer.bitCount(op.parts().size()) == 1;
    if (even && parts.size() == new HashSet<>(op.parts()).size()) {
      return Demand.of(inst, parts, List.of(layout));
    }
    parts.clear();
    for (Value part : op.parts()) {
      int size = LinearLayout.cover(part.tile().shape()).get(op.axis());
      parts.put(part, Transfer.wholeAlong(layout, op.axis(), size));
    }
    return Demand.of(inst, parts, List.of(Transfer.wholeAlong(layout, op.axis(), layout.size(op.axis()))));
  }

  private Demand slice(ShapeOp.Slice op, Inst inst) {
    LinearLayout from = op.x().tile().layout();
    LinearLayout wanted = assigned(inst.result());
    Optional<LinearLayout> cut = Transfer.sliced(from, op.offsets(), op.shape());
    if (cut.filter(l -> l.equals(wanted) || Conversion.isFree(l, wanted)).isPresent()) {
      return Demand.ofResults(cut.get());
    }
    // Better one conversion of the whole, which other slices share, than one of each slice.
    Optional<LinearLayout> whole = Transfer.extended(wanted, op.offsets(), op.shape(), from.sizes())
        .filter(l -> new WarpTeam(warps).holds(l, op.x().tile().shape()));
    if (whole.isPresent()) {
      return Demand.of(inst, operands(op.x(), whole.get()), List.of(wanted));
    }
    return cut.map(l -> Demand.ofResults(l)).orElseGet(() -> wholeAxes(op, inst, from));
  }

  /** Every thread holds all of the axes that are cut. */
  private Demand wholeAxes(ShapeOp.Slice op, Inst inst, LinearLayout from) {
    LinearLayout whole = from;
    LinearLayout part = from;
    List<Integer> sizes = LinearLayout.cover(op.shape());
    for (int axis = 0; axis < sizes.size(); axis++) {
      if (!op.shape().get(axis).equals(op.x().tile().shape().get(axis))) {
        whole = Transfer.wholeAlong(whole, axis, from.size(axis));
        part = Transfer.wholeAlong(part, axis, sizes.get(axis));
      }
    }
    return Demand.of(inst, operands(op.x(), whole), List.of(part));
  }

  private Demand reduction(ReductionOp op, Inst inst) {
    return switch (op) {
      case ReductionOp.Reduce o ->
          Demand.ofResults(Transfer.reduced(o.x().tile().layout(), o.axes()));
      case ReductionOp.ArgReduce o ->
          Demand.ofResults(Transfer.reduced(o.x().tile().layout(), List.of(o.axis())));
      case ReductionOp.ReduceWith o -> {
        LinearLayout layout = o.xs().getFirst().tile().layout();
        yield Demand.of(inst, all(o.xs(), layout),
            Collections.nCopies(inst.results().size(), Transfer.reduced(layout, List.of(o.axis()))));
      }
      case ReductionOp.Scan o -> {
        LinearLayout layout = scanLayout(o.x().tile().shape(), o.axis(), lanes, warps);
        yield Demand.of(inst, operands(o.x(), layout), List.of(layout));
      }
      case ReductionOp.ScanWith o -> {
        LinearLayout layout = scanLayout(o.xs().getFirst().tile().shape(), o.axis(), lanes, warps);
        yield Demand.of(inst, all(o.xs(), layout), Collections.nCopies(inst.results().size(), layout));
      }
    };
  }

  /**
   * The layout in which a scan works: each thread holds one run of consecutive elements along the axis, the runs go up
   * with the lane, then with the warp, and what threads remain share out the other dimensions. Groups of warps that are
   * no power of two hold the same.
   */
  static LinearLayout scanLayout(List<Integer> shape, int axis, int lanes, int warps) {
    WarpTeam team = new WarpTeam(warps);
    if (team.groups() > 1) {
      return team.repeat(scanLayout(shape, axis, lanes, team.inner()));
    }
    List<Integer> cover = LinearLayout.cover(shape);
    int along = cover.get(axis);
    int laneShare = Math.min(lanes, along);
    int warpShare = Math.min(warps, along / laneShare);
    List<Integer> perThread = new ArrayList<>(Collections.nCopies(cover.size(), 1));
    List<Integer> laneGrid = new ArrayList<>(perThread);
    List<Integer> warpGrid = new ArrayList<>(perThread);
    perThread.set(axis, along / laneShare / warpShare);
    laneGrid.set(axis, laneShare);
    warpGrid.set(axis, warpShare);
    List<Integer> order = new ArrayList<>(List.of(axis));
    int restLanes = lanes / laneShare;
    int restWarps = warps / warpShare;
    for (int i = cover.size() - 1; i >= 0; i--) {
      if (i != axis) {
        int l = Math.min(restLanes, cover.get(i));
        int w = Math.min(restWarps, cover.get(i) / l);
        laneGrid.set(i, l);
        warpGrid.set(i, w);
        restLanes /= l;
        restWarps /= w;
        order.add(i);
      }
    }
    // Threads beyond the tile hold duplicates along the slowest dimension.
    int last = order.getLast();
    laneGrid.set(last, laneGrid.get(last) * restLanes);
    warpGrid.set(last, warpGrid.get(last) * restWarps);
    return BlockedLayouts.blocked(shape, new BlockedLayouts.Spread(perThread, laneGrid, warpGrid, order));
  }

  private Demand memory(MemoryOp op, Inst inst) {
    return switch (op) {
      case MemoryOp.Load o -> {
        if (!isTile(inst.result())) {
          yield Demand.none();
        }
        LinearLayout layout = forAccess(inst, assigned(inst.result()));
        yield Demand.of(inst, indexLayouts(Access.of(inst).orElseThrow(), layout), List.of(layout));
      }
      case MemoryOp.Store o -> written(inst, o.value());
      case MemoryOp.Atomic o -> written(inst, o.value());
      case MemoryOp.Lanes _, MemoryOp.Valid _ -> Demand.ofResults(assigned(inst.result()));
      case MemoryOp.MakeTensor _, MemoryOp.Temp _, MemoryOp.Counter _, MemoryOp.View _, MemoryOp.AddressOf _,
          MemoryOp.MakeTensorMap _, MemoryOp.Range _, MemoryOp.LastArrival _ ->
          Demand.none();
    };
  }

  /** The value is the last operand; an index tile may be the same value under another demand. */
  private Demand written(Inst inst, Value value) {
    if (!isTile(value)) {
      return Demand.none();
    }
    LinearLayout layout = forAccess(inst, value.tile().layout());
    Map<Value, LinearLayout> needed = indexLayouts(Access.of(inst).orElseThrow(), layout);
    List<LinearLayout> operands = new ArrayList<>(Demand.of(inst, needed, List.of()).operands());
    operands.set(operands.size() - 1, layout);
    return new Demand(operands, List.of());
  }

  /** The layout that is there if memory can be accessed well enough in it, else the access's own. */
  private LinearLayout forAccess(Inst inst, LinearLayout present) {
    Access access = Access.of(inst).orElseThrow();
    LinearLayout best = accessLayout.apply(inst);
    if (present.equals(best) || access.shape().stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b) < 1024) {
      return present;
    }
    int axis = access.order().getFirst();
    boolean tooNarrow = present.contiguity(axis) * MOST_SPLIT <= best.contiguity(axis);
    boolean wasteful = access.efficiency(present) < Math.min(LEAST_EFFICIENCY, access.efficiency(best));
    return tooNarrow || wasteful ? best : present;
  }

  /** What the index tiles of an access lie as, where it is made in a layout. */
  static Map<Value, LinearLayout> indexLayouts(Access access, LinearLayout layout) {
    Map<Value, LinearLayout> needed = new IdentityHashMap<>();
    for (int i = 0; i < access.indices().size(); i++) {
      Value index = access.indices().get(i);
      if (isTile(index)) {
        needed.put(index, Access.isPointwise(index) ? layout : Transfer.projected(layout, access.axisOf(i)));
      }
    }
    return needed;
  }

  private Demand shared(SharedOp op, Inst inst) {
    return switch (op) {
      case SharedOp.SharedLoad _, SharedOp.GroupLoad _ -> isTile(inst.result())
          ? Demand.ofResults(assigned(inst.result())) : Demand.none();
      case SharedOp.CopyAsync _ -> {
        Access access = Access.of(inst).orElseThrow();
        yield Demand.of(inst, indexLayouts(access, accessLayout.apply(inst)), List.of());
      }
      case SharedOp.SharedStore _, SharedOp.SharedAlloc _, SharedOp.CopyCommit _, SharedOp.CopyWait _,
          SharedOp.Barrier _ -> Demand.none();
    };
  }

  private Demand async(AsyncOp op, Inst inst) {
    return switch (op) {
      case AsyncOp.DotAsync o -> {
        DotLayouts l = dots.get(inst);
        List<LinearLayout> operands = new ArrayList<>(Collections.nCopies(inst.operands().size(), null));
        operands.set(0, l.a());
        operands.set(2, l.acc());
        // Who adds to what is in flight cannot have it converted first.
        if (o.acc().definition() != null && o.acc().definition().op() instanceof AsyncOp.DotAsync
            && !l.acc().equals(o.acc().tile().layout())) {
          throw new IllegalStateException(inst + " adds to a product in flight that lies otherwise");
        }
        yield new Demand(operands, List.of(l.acc()));
      }
      // What is in flight stays as it is.
      case AsyncOp.DotWait o -> new Demand(List.of(), o.values().stream().map(v -> v.tile().layout()).toList());
      case AsyncOp.Undefined _ -> Demand.ofResults(assigned(inst.result()));
      case AsyncOp.BarrierAlloc _, AsyncOp.BarrierExpect _, AsyncOp.BarrierArrive _, AsyncOp.BarrierWait _,
          AsyncOp.CopyBulk _, AsyncOp.PrefetchBulk _, AsyncOp.StoreBulk _, AsyncOp.StoreCommit _, AsyncOp.StoreWait _,
          AsyncOp.ProxyFence _, AsyncOp.SharedView _, AsyncOp.DotFence _, AsyncOp.DotCommit _,
          AsyncOp.NumberDraw _, AsyncOp.NumberPost _, AsyncOp.NumberRead _, AsyncOp.TurnTake _,
          AsyncOp.TurnPass _ -> Demand.none();
    };
  }

  private Demand control(ControlOp op, Inst inst) {
    return switch (op) {
      case ControlOp.For loop -> {
        List<LinearLayout> operands = new ArrayList<>(Arrays.asList(null, null));
        operands.addAll(ofValues(loop.body().params().subList(1, loop.body().params().size())));
        yield new Demand(operands, operands.subList(2, operands.size()));
      }
      case ControlOp.While _ -> throw new IllegalStateException(inst + " before layouts are assigned");
      case ControlOp.If _ -> new Demand(List.of(), ofValues(inst.results()));
      case ControlOp.Yield _, ControlOp.Parallel _, ControlOp.Role _, ControlOp.Assert _, ControlOp.Launch _,
          ControlOp.BlockId _, ControlOp.BlockCount _ -> Demand.none();
    };
  }

  /** The assigned layouts; null for what is no tile. */
  List<LinearLayout> ofValues(List<Value> values) {
    List<LinearLayout> layouts = new ArrayList<>();
    values.forEach(v -> layouts.add(isTile(v) ? assigned(v) : null));
    return layouts;
  }
}
