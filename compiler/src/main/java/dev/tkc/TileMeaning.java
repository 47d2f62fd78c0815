package dev.tkc;

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
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether what a kernel computes is the same for all sizes of its tiles, so far as that can be seen: then the compiler may choose
 * them. What is written for tiles may mean them: the sum of a tile, a loop that halves something once a round, a bound that is
 * where a tile ends. Seen to be independent are elementwise functions of what is loaded, and products summed up over a loop.
 */
final class TileMeaning {
  /** Positions of tiles and what is computed from them. */
  private final Set<Value> positions = Collections.newSetFromMap(new IdentityHashMap<>());
  /** Positions of tiles of the grid alone. */
  private final Set<Value> outer = Collections.newSetFromMap(new IdentityHashMap<>());
  private String found;

  private TileMeaning() {}

  /** Why another size of tiles might compute something else; nothing if none can. {@code module} is a kernel as lowered. */
  static Optional<String> dependence(Module module) {
    TileMeaning t = new TileMeaning();
    t.region(module.kernel().body());
    return Optional.ofNullable(t.found);
  }

  private void fail(String why) {
    if (found == null) {
      found = why;
    }
  }

  private void region(Region region) {
    for (Inst inst : region.insts()) {
      scalars(inst);
      switch (inst.op()) {
        case ReductionOp _ -> fail("it reduces or scans tiles");
        case ShapeOp.Concat _, ShapeOp.Slice _, ShapeOp.Iota _ -> fail("it counts the elements of tiles");
        case ControlOp.Parallel p when p.step() > 1 -> {
          positions.add(p.body().params().getFirst());
          outer.add(p.body().params().getFirst());
        }
        case ControlOp.For f -> loop(f);
        case MatrixOp.Dot d -> {
          contraction(d.a(), d.a().tile().rank() - 1);
          contraction(d.b(), d.b().tile().rank() - 2);
        }
        default -> { }
      }
      inst.regions().forEach(this::region);
    }
  }

  /** Positions may only say where tiles are. */
  private void scalars(Inst inst) {
    if (inst.operands().stream().noneMatch(positions::contains)) {
      return;
    }
    switch (inst.op()) {
      case MemoryOp.Range _, ControlOp.Assert _ -> { }
      case ElementwiseOp.Binary b when inst.result().tile().isScalar() && b.kind() != BinaryKind.DIV
          && b.kind() != BinaryKind.REM -> {
        positions.add(inst.result());
        if (inst.operands().stream().anyMatch(outer::contains)) {
          outer.add(inst.result());
        }
      }
      default -> fail("it computes with the places of tiles");
    }
  }

  private void loop(ControlOp.For f) {
    if (f.step() == 1) {
      return;
    }
    positions.add(f.body().params().getFirst());
    ControlOp.Yield yield = (ControlOp.Yield) f.body().terminator().op();
    for (int i = 0; i < yield.values().size(); i++) {
      if (!adds(yield.values().get(i), f.body().params().get(i + 1))) {
        fail("a loop over tiles does more than to sum up products");
      }
    }
  }

  private static boolean adds(Value next, Value carried) {
    if (next == carried) {
      return true;
    }
    return next.definition() != null && switch (next.definition().op()) {
      case MatrixOp.Dot d -> adds(d.acc(), carried);
      case ElementwiseOp.Binary b when b.kind() == BinaryKind.ADD ->
          b.lhs() == carried && product(b.rhs()) || b.rhs() == carried && product(b.lhs());
      default -> false;
    };
  }

  private static boolean product(Value v) {
    return v.definition() != null && v.definition().op() instanceof MatrixOp.Dot d
        && d.acc().definition() != null && d.acc().definition().op() instanceof ShapeOp.Splat;
  }

  /** A product may not sum over what a tile of the grid holds. */
  private void contraction(Value v, int axis) {
    Inst def = v.definition();
    if (def == null) {
      fail("a product of what a loop carries");
      return;
    }
    switch (def.op()) {
      case MemoryOp.Load load -> indexed(load.indices(), axis);
      case ShapeOp.Permute p -> contraction(p.x(), p.order().get(axis));
      case ShapeOp.Splat _ -> { }
      case ShapeOp.Broadcast b -> {
        int own = axis - (b.shape().size() - b.x().tile().rank());
        if (own >= 0 && b.x().tile().shape().get(own) > 1) {
          contraction(b.x(), own);
        }
      }
      case ElementwiseOp _ -> def.operands().stream().filter(o -> o.type() instanceof TileType t && !t.isScalar())
          .forEach(o -> contraction(o, axis));
      default -> fail("a product of what is not loaded");
    }
  }

  private void indexed(List<Value> indices, int axis) {
    int dimension = 0;
    for (Value index : indices) {
      if (index.type() instanceof RangeType) {
        if (dimension++ == axis && index.definition() != null
            && index.definition().op() instanceof MemoryOp.Range r && outer.contains(r.start())) {
          fail("a product sums over a tile of the grid");
        }
      } else if (!(index.type() instanceof TileType t && t.isScalar())) {
        fail("a product of what is gathered");
      }
    }
  }
}
