package dev.tkc.ir.lint;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.lint.Origin.Lane;
import dev.tkc.ir.lint.Origin.State;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The rules of padding for operations element by element, over lanes. */
final class ElementOrigins {
  private ElementOrigins() {}

  static Origin binary(ElementwiseOp.Binary op, Origin a, Origin b) {
    return switch (op.kind()) {
      case MUL -> product(a, b);
      case AND, OR -> logical(op, a, b);
      case ADD, SUB -> sum(a, isZero(op.lhs()), b, isZero(op.rhs()));
      case DIV -> made(a, b, Origin.combine(a, b, (x, y) -> y == null ? x : y.asForeign()));
      case REM, POW, MIN, MAX, XOR, SHL, SHR -> made(a, b, Origin.combine(a, b, Origin::any));
    };
  }

  private static Origin made(Origin a, Origin b, Map<Lane, State> lanes) {
    Set<Lane> indices = new HashSet<>(a.indices());
    indices.addAll(b.indices());
    return new Origin(lanes, a.leak().or(b::leak), Set.of(), indices, a.spread() && b.spread());
  }

  static Origin product(Origin a, Origin b) {
    return made(a, b, Origin.combine(a, b, Origin::product));
  }

  /** What both of `and` mask, each masks; of `or`, only what both do. */
  private static Origin logical(ElementwiseOp.Binary op, Origin a, Origin b) {
    boolean and = op.kind() == ElementwiseOp.BinaryKind.AND;
    Origin lanes = made(a, b, Origin.combine(a, b, and ? Origin::product : Origin::any));
    if (op.lhs().tile().element() != Element.BOOL) {
      return lanes;
    }
    Set<Lane> masks = new HashSet<>(a.masks());
    if (and) {
      masks.addAll(b.masks());
    } else {
      masks.retainAll(b.masks());
    }
    return new Origin(lanes.lanes(), lanes.leak(), masks, lanes.indices(), lanes.spread());
  }

  /** An inside operand of full size makes a neutral one inside, one that is repeated makes it foreign. */
  static Origin sum(Origin a, boolean zeroA, Origin b, boolean zeroB) {
    return made(a, b, Origin.combine(a, b, (x, y) -> {
      if (x != null && y != null) {
        return Origin.worse(x, y);
      }
      State one = x != null ? x : y;
      Origin other = x != null ? b : a;
      boolean zero = x != null ? zeroB : zeroA;
      if (one.foreign() || zero) {
        return one;
      }
      return other.spread() ? one.asForeign() : null;
    }));
  }

  /** A comparison of a range's indices is taken to mask the range. */
  static Origin compare(Origin a, Origin b) {
    Origin made = made(a, b, Origin.combine(a, b, Origin::any));
    return new Origin(made.lanes(), made.leak(), made.indices(), Set.of(), made.spread());
  }

  static Origin select(Origin c, Origin then, Origin otherwise, boolean zero) {
    Map<Lane, State> kept = new HashMap<>(then.lanes());
    kept.keySet().removeAll(c.masks());
    Map<Lane, State> lanes = new LinkedHashMap<>(Origin.combine(then.withLanes(kept), otherwise, Origin::worse));
    c.lanes().forEach((lane, state) -> lanes.put(lane, state.foreign() || !zero ? state.asForeign() : state));
    return new Origin(lanes, then.leak().or(otherwise::leak).or(c::leak), Set.of(), Set.of(), then.spread()
        && otherwise.spread());
  }

  static boolean isZero(Value v) {
    Inst inst = v.definition();
    if (inst == null) {
      return false;
    }
    if (inst.op() instanceof ElementwiseOp.Constant c) {
      return c.value().element().isFloat() ? c.value().asDouble() == 0 : c.value().bits() == 0;
    }
    Optional<Value> from = inst.op() instanceof ShapeOp.Splat s ? Optional.of(s.scalar())
        : inst.op() instanceof ShapeOp.Broadcast b ? Optional.of(b.x())
        : inst.op() instanceof ElementwiseOp.Cast c ? Optional.of(c.x()) : Optional.empty();
    return from.isPresent() && isZero(from.get());
  }
}
