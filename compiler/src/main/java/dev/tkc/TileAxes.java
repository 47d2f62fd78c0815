package dev.tkc;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the axes of a kernel's tiles run over: the lanes of a tile of the grid or of a loop, a dimension as a whole, or
 * nothing at all where every element along the axis is the same. Loops and domains of the grid are known by their
 * positions.
 */
final class TileAxes {
  /** What an axis runs over. */
  sealed interface Axis {
    /** All elements along it are the same. */
    record Uniform() implements Axis {}

    /** Places that no tile size decides on. */
    record Whole() implements Axis {}

    /** The lanes of the tile at a loop's or domain's position. */
    record Lanes(Value position) implements Axis {}

    /** More than one of these, or nobody knows. */
    record Unknown() implements Axis {}
  }

  private static final Axis UNIFORM = new Axis.Uniform();
  private static final Axis WHOLE = new Axis.Whole();
  private static final Axis UNKNOWN = new Axis.Unknown();

  /** Positions of tiles, and what is computed from one, by that position. */
  private final Map<Value, Value> places = new IdentityHashMap<>();
  /** The instruction whose region has the value as a parameter, and the number of the value that is carried into it. */
  private final Map<Value, Carried> carried = new IdentityHashMap<>();

  private final Map<Value, ControlOp> domains = new IdentityHashMap<>();

  private record Carried(ControlOp.For loop, int number) {}

  private record Asked(Value value, int axis) {}

  /** A position of tiles, and the loop or domain of the grid that it is the position of. */
  void position(Value v, ControlOp of) {
    places.put(v, v);
    domains.put(v, of);
  }

  ControlOp domainOf(Value position) {
    return domains.get(position);
  }

  void loop(ControlOp.For loop) {
    for (int i = 0; i < loop.inits().size(); i++) {
      carried.put(loop.body().params().get(i + 1), new Carried(loop, i));
    }
  }

  /** {@code v} is computed from a position: from that of the grid, if from several. */
  void computed(Value v, List<Value> operands, Set<Value> outer) {
    Value from = null;
    for (Value o : operands) {
      Value place = places.get(o);
      if (place != null && (from == null || outer.contains(place))) {
        from = place;
      }
    }
    places.put(v, from);
  }

  /** Whether a loop carries the value. */
  boolean isCarried(Value v) {
    return carried.containsKey(v);
  }

  boolean isPlace(Value v) {
    return places.containsKey(v);
  }

  Value placeOf(Value v) {
    return places.get(v);
  }

  Axis axis(Value v, int axis) {
    return axis(v, axis, new HashSet<>());
  }

  private Axis axis(Value v, int axis, Set<Asked> asked) {
    TileType t = v.tile();
    if (t.shape().get(axis) == 1 || !asked.add(new Asked(v, axis))) {
      return UNIFORM;
    }
    if (v.definition() == null) {
      Carried c = carried.get(v);
      return c == null ? UNKNOWN : through(c.loop, c.number, axis, asked);
    }
    return switch (v.definition().op()) {
      case ShapeOp.Splat _ -> UNIFORM;
      case ShapeOp.Permute p -> axis(p.x(), p.order().get(axis), asked);
      case ShapeOp.Broadcast b -> axis(b.x(), axis, asked);
      case ShapeOp.Reshape r -> reshape(r, axis, asked);
      case ElementwiseOp _ -> v.definition().operands().stream().filter(o -> o.tile().rank() == t.rank())
          .map(o -> axis(o, axis, asked)).reduce(UNIFORM, TileAxes::both);
      case MemoryOp.Lanes l -> range(l.range());
      case MemoryOp.Valid l -> range(l.range());
      case MemoryOp.Load load -> load(load, axis, asked);
      case MatrixOp.Dot d -> both(axis(d.acc(), axis, asked), axis == t.rank() - 1 ? axis(d.b(), axis, asked)
          : axis == t.rank() - 2 ? axis(d.a(), axis, asked) : both(axis(d.a(), axis, asked), axis(d.b(), axis, asked)));
      case ReductionOp.Reduce r -> axis(r.x(), axis, asked);
      case ReductionOp.ArgReduce r -> axis(r.x(), axis, asked);
      case ReductionOp.Scan s -> axis(s.x(), axis, asked);
      case ControlOp.For f -> through(f, v.definition().results().indexOf(v), axis, asked);
      case ControlOp.If i -> {
        int number = v.definition().results().indexOf(v);
        yield both(axis(i.then().terminator().operands().get(number), axis, asked),
            axis(i.otherwise().terminator().operands().get(number), axis, asked));
      }
      default -> UNKNOWN;
    };
  }

  private Axis through(ControlOp.For loop, int number, int axis, Set<Asked> asked) {
    return both(axis(loop.inits().get(number), axis, asked),
        axis(loop.body().terminator().operands().get(number), axis, asked));
  }

  private Axis reshape(ShapeOp.Reshape r, int axis, Set<Asked> asked) {
    List<Integer> from = r.x().tile().shape();
    List<Integer> to = r.shape();
    if (!from.stream().filter(n -> n > 1).toList().equals(to.stream().filter(n -> n > 1).toList())) {
      return UNKNOWN;
    }
    long before = to.subList(0, axis).stream().filter(n -> n > 1).count();
    int d = 0;
    for (; from.get(d) == 1 || before > 0; d++) {
      before -= from.get(d) > 1 ? 1 : 0;
    }
    return axis(r.x(), d, asked);
  }

  private Axis range(Value range) {
    Inst def = range.definition();
    if (def == null || !(def.op() instanceof MemoryOp.Range r)) {
      return UNKNOWN;
    }
    Value place = places.get(r.start());
    return place == null ? WHOLE : new Axis.Lanes(place);
  }

  private Axis load(MemoryOp.Load load, int axis, Set<Asked> asked) {
    int dimension = 0;
    for (Value index : load.indices()) {
      if (index.type() instanceof RangeType) {
        if (dimension++ == axis) {
          return range(index);
        }
      } else if (index.tile().rank() > 1) {
        return UNKNOWN;
      } else if (index.tile().rank() == 1 && dimension++ == axis) {
        return axis(index, 0, asked);
      }
    }
    return UNKNOWN;
  }

  private static Axis both(Axis a, Axis b) {
    return a.equals(UNIFORM) ? b : b.equals(UNIFORM) || a.equals(b) ? a : UNKNOWN;
  }
}
