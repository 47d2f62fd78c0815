package dev.tkc;

import dev.tkc.TileAxes.Axis;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.passes.analysis.Uses;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whether what a kernel computes is the same for all sizes of its tiles, so far as that can be seen: then the compiler
 * may choose them. What is written for tiles may mean them: the sum of a tile, a loop that halves something once a
 * round, a bound that is where a tile ends. Seen to be independent are elementwise functions of what is loaded, sums
 * along whole dimensions, and loops that fold what they load ({@link LoopFold}): products summed up, and softmax round
 * by round.
 */
final class TileMeaning {
  private final TileAxes axes = new TileAxes();
  /** Positions of tiles of the grid. */
  private final Set<Value> outer = Collections.newSetFromMap(new IdentityHashMap<>());
  /** Sums, products and maxima over the tile of a round, which their loop makes whole. */
  private final Set<Value> partial = Collections.newSetFromMap(new IdentityHashMap<>());
  /** Loops that end where a tile of the grid does. */
  private final Map<ControlOp.For, TileEnd> ends = new IdentityHashMap<>();
  private String found;

  private final Uses uses;

  private TileMeaning(Region body) {
    this.uses = new Uses(body);
  }

  /**
   * Why another size of tiles might compute something else; nothing if none can. {@code module} is a kernel as lowered.
   */
  static Optional<String> dependence(Module module) {
    TileMeaning t = new TileMeaning(module.kernel().body());
    t.places(module.kernel().body());
    module.kernel().body().walk(t::loop);
    module.kernel().body().walk(t::check);
    return Optional.ofNullable(t.found);
  }

  private void fail(String why) {
    if (found == null) {
      found = why;
    }
  }

  // ------------------------------------------------------------------------------------------------ places

  private void places(Region region) {
    for (Inst inst : region.insts()) {
      scalars(inst);
      switch (inst.op()) {
        case ControlOp.Parallel p when p.step() > 1 -> {
          axes.position(p.body().params().getFirst(), p);
          outer.add(p.body().params().getFirst());
        }
        case ControlOp.For f -> {
          axes.loop(f);
          if (f.step() > 1) {
            axes.position(f.body().params().getFirst(), f);
          }
        }
        default -> { }
      }
      inst.regions().forEach(this::places);
    }
  }

  /** Positions may only say where tiles are. */
  private void scalars(Inst inst) {
    if (inst.operands().stream().noneMatch(axes::isPlace)) {
      return;
    }
    switch (inst.op()) {
      case MemoryOp.Range _, ControlOp.Assert _ -> { }
      case ControlOp.For f when f.step() > 1 && !axes.isPlace(f.lo())
          && TileEnd.of(f.hi(), axes, outer) instanceof TileEnd end ->
          ends.put(f, end);
      case ElementwiseOp.Binary b when inst.result().tile().isScalar() && b.kind() != BinaryKind.DIV
          && b.kind() != BinaryKind.REM -> axes.computed(inst.result(), inst.operands(), outer);
      default -> fail("it computes with the places of tiles");
    }
  }

  // ------------------------------------------------------------------------------------------------ what meets across
  // lanes

  private void loop(Inst inst) {
    if (inst.op() instanceof ControlOp.For f && f.step() > 1) {
      LoopFold.of(f, axes, Optional.ofNullable(ends.get(f))).ifPresentOrElse(partial::addAll,
          () -> fail("a loop over tiles does more than to sum up products and to take maxima"));
    }
  }

  private void check(Inst inst) {
    switch (inst.op()) {
      case ReductionOp.Reduce r -> {
        if (!partial.contains(inst.result()) && !addsUp(inst, r)) {
          r.axes().forEach(a -> whole(r.x(), a));
        }
      }
      case ReductionOp.ArgReduce r -> whole(r.x(), r.axis());
      case ReductionOp.Scan s -> whole(s.x(), s.axis());
      case ReductionOp.ReduceWith _, ReductionOp.ScanWith _ -> fail("it reduces or scans tiles");
      case ShapeOp.Concat _, ShapeOp.Slice _, ShapeOp.Iota _ -> fail("it counts the elements of tiles");
      case MatrixOp.Dot d -> {
        if (!partial.contains(inst.result())) {
          contraction(d);
        }
      }
      default -> { }
    }
  }

  /**
   * Whether the sum over a tile of the grid is only added up in memory: all tiles together give the sum over all. The
   * same holds of maxima.
   */
  private boolean addsUp(Inst inst, ReductionOp.Reduce r) {
    return r.axes().size() == 1 && axes.axis(r.x(), r.axes().getFirst()) instanceof Axis.Lanes l
        && outer.contains(l.position())
        && switch (r.kind()) {
          case SUM -> new TilePadding(axes, l.position()).harmless(r.x(), r.axes().getFirst())
              && onlyTo(inst.result(), MemoryOp.AtomicKind.ADD);
          case MAX -> new TilePadding(axes, l.position()).harmlessToMaximum(r.x(), r.axes().getFirst())
              && onlyTo(inst.result(), MemoryOp.AtomicKind.MAX);
          case PROD, MIN, ANY, ALL -> false;
        };
  }

  private boolean onlyTo(Value v, MemoryOp.AtomicKind kind) {
    return uses.of(v).stream().allMatch(u -> switch (u.op()) {
      case MemoryOp.Atomic a -> a.value() == v && a.kind() == kind;
      case ShapeOp.Reshape _ -> onlyTo(u.result(), kind);
      default -> false;
    });
  }

  private void whole(Value v, int axis) {
    if (v.tile().shape().get(axis) > 1 && !(axes.axis(v, axis) instanceof Axis.Whole)) {
      fail("it reduces or scans tiles");
    }
  }

  private void contraction(MatrixOp.Dot d) {
    Axis a = axes.axis(d.a(), d.a().tile().rank() - 1);
    Axis b = axes.axis(d.b(), d.b().tile().rank() - 2);
    Axis axis = a instanceof Axis.Uniform ? b : a;
    if (axis instanceof Axis.Lanes l && outer.contains(l.position())) {
      fail("a product sums over a tile of the grid");
    } else if (!(axis instanceof Axis.Whole)) {
      fail("a product sums over something else than whole dimensions and rounds of its loop");
    }
  }
}
