package dev.tkc;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.passes.analysis.Regions;
import java.util.Set;

/**
 * The end of a loop that goes no further than a tile of the grid, as under a causal mask: {@code min(S, i.end)}. Where
 * the tile ends is a matter of its size, but not what the loop computes if no row looks at what lies behind itself.
 *
 * @param position of the tile of the grid
 */
record TileEnd(Value position) {
  /** What {@code hi} is the end of, or null: a minimum of such ends and of what depends on no tile. */
  static TileEnd of(Value hi, TileAxes axes, Set<Value> outer) {
    Value place = axes.placeOf(hi);
    return place != null && outer.contains(place) && isEnd(hi, place, axes) ? new TileEnd(place) : null;
  }

  private static boolean isEnd(Value v, Value place, TileAxes axes) {
    if (!axes.isPlace(v)) {
      return true;
    }
    return v.definition() != null && v.definition().op() instanceof Binary b && switch (b.kind()) {
      case MIN -> isEnd(b.lhs(), place, axes) && isEnd(b.rhs(), place, axes);
      case ADD -> b.lhs() == place && isStep(b.rhs(), place, axes) || b.rhs() == place && isStep(b.lhs(), place, axes);
      default -> false;
    };
  }

  private static boolean isStep(Value v, Value place, TileAxes axes) {
    return axes.domainOf(place) instanceof ControlOp.Parallel p && Regions.isInteger(v, p.step());
  }

  /** Whether elements that lie behind their row, along the loop at {@code round}, are {@code nothing}. */
  boolean hides(Value elements, Value round, double nothing) {
    return elements.definition() != null && switch (elements.definition().op()) {
      case ElementwiseOp.Select s -> sees(s.condition(), round) && TilePadding.literal(s.otherwise(), nothing);
      case ElementwiseOp.Cast c -> hides(c.x(), round, nothing);
      default -> false;
    };
  }

  private boolean sees(Value c, Value round) {
    return c.definition() != null && switch (c.definition().op()) {
      case ShapeOp.Broadcast b -> sees(b.x(), round);
      case Binary b when b.kind() == BinaryKind.AND -> sees(b.lhs(), round) || sees(b.rhs(), round);
      case ElementwiseOp.Compare x when x.kind() == CompareKind.GE || x.kind() == CompareKind.GT ->
          isLanes(x.lhs(), position) && isLanes(x.rhs(), round);
      case ElementwiseOp.Compare x when x.kind() == CompareKind.LE || x.kind() == CompareKind.LT ->
          isLanes(x.rhs(), position) && isLanes(x.lhs(), round);
      default -> false;
    };
  }

  /** Whether a tile holds the positions of the lanes of the tile that begins at {@code place}. */
  private static boolean isLanes(Value v, Value place) {
    Inst def = v.definition();
    return def != null && switch (def.op()) {
      case ShapeOp.Broadcast b -> isLanes(b.x(), place);
      case ShapeOp.Reshape r -> isLanes(r.x(), place);
      case MemoryOp.Lanes l -> l.range().definition() != null && l.range().definition().op() instanceof MemoryOp.Range r
          && r.start() == place && Regions.isInteger(r.stride(), 1);
      default -> false;
    };
  }
}
