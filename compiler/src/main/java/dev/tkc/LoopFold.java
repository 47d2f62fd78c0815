package dev.tkc;

import dev.tkc.TileAxes.Axis;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ShapeOp;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a loop over tiles comes to the same however it is cut into rounds, rounding apart. Each carried value must be
 * one of
 *
 * <ul>
 *   <li>a sum: what a round adds is the sum, or the product, of the round's elements alone;
 *   <li>a maximum, likewise;
 *   <li>a sum in units that follow a maximum {@code m}, as in softmax: a round adds up elements
 *       {@code f · exp(u(s) − h(m'))}, and what was there is brought to the new unit by {@code exp(u(m) − h(m'))},
 *       where {@code m'} is the maximum of {@code m} and the {@code s}, {@code u} is nothing or a factor, and {@code h}
 *       is {@code u}, but 0 for a maximum of −∞.
 * </ul>
 *
 * A round's elements are what depends on nothing carried. Where the loop ends with a tile of the grid, those behind its
 * rows must be nothing. Nothing else may look at carried values or at a round's sums.
 */
final class LoopFold {
  private final ControlOp.For loop;
  private final TileAxes axes;
  private final TilePadding padding;
  private final Optional<TileEnd> end;
  private final List<Value> carried;
  private final List<Value> next;
  /** Values that depend on carried ones. */
  private final Set<Value> dependent = Collections.newSetFromMap(new IdentityHashMap<>());
  /** Those whose part in a fold is understood. */
  private final Set<Value> understood = Collections.newSetFromMap(new IdentityHashMap<>());
  /** Sums, products and maxima over a round's elements. */
  private final Set<Value> partial = Collections.newSetFromMap(new IdentityHashMap<>());
  /** For the next maximum, the carried one and what it is the maximum of. */
  private final Map<Value, Extreme> extremes = new IdentityHashMap<>();

  private record Extreme(Value before, Value elements) {}

  private LoopFold(ControlOp.For loop, TileAxes axes, Optional<TileEnd> end) {
    this.loop = loop;
    this.axes = axes;
    this.end = end;
    this.padding = new TilePadding(axes, loop.body().params().getFirst());
    this.carried = loop.body().params().subList(1, loop.body().params().size());
    this.next = ((ControlOp.Yield) loop.body().terminator().op()).values();
  }

  /**
   * The values that are a round's own sums, products and maxima and have their part in the fold; nothing if the loop is
   * no such fold.
   */
  static Optional<Set<Value>> of(ControlOp.For loop, TileAxes axes, Optional<TileEnd> end) {
    LoopFold f = new LoopFold(loop, axes, end);
    return f.folds() ? Optional.of(f.partial) : Optional.empty();
  }

  private boolean folds() {
    depend();
    for (int i = 0; i < carried.size(); i++) {
      extreme(i);
    }
    for (int i = 0; i < carried.size(); i++) {
      if (next.get(i) != carried.get(i) && !extremes.containsKey(next.get(i)) && !sum(next.get(i), carried.get(i))) {
        return false;
      }
    }
    return onlyUnderstood();
  }

  private void depend() {
    dependent.addAll(carried);
    loop.body().walk(i -> {
      boolean inside = i.regions().stream()
          .anyMatch(r -> r.terminator().operands().stream().anyMatch(dependent::contains));
      if (inside || i.operands().stream().anyMatch(dependent::contains)) {
        dependent.addAll(i.results());
      }
    });
  }

  /** Whoever uses a carried value or a round's sum is understood. */
  private boolean onlyUnderstood() {
    return !loop.body().anyMatch(i -> i != loop.body().terminator()
        && i.operands().stream().anyMatch(o -> dependent.contains(o) || partial.contains(o))
        && (i.results().isEmpty() || !understood.containsAll(i.results())));
  }

  private boolean isOwn(Value v) {
    return !dependent.contains(v);
  }

  /** Whether an axis is the lanes of this loop's tiles. */
  private boolean isRound(Value v, int axis) {
    return axes.axis(v, axis) instanceof Axis.Lanes l && l.position() == loop.body().params().getFirst();
  }

  private boolean isHidden(Value elements, double nothing) {
    return end.isEmpty() || end.get().hides(elements, loop.body().params().getFirst(), nothing);
  }

  // ------------------------------------------------------------------------------------------------ maxima

  private void extreme(int i) {
    if (next.get(i).definition() != null && next.get(i).definition().op() instanceof Binary b
        && b.kind() == BinaryKind.MAX) {
      Value other = b.lhs() == carried.get(i) ? b.rhs() : b.rhs() == carried.get(i) ? b.lhs() : null;
      if (other != null && reduced(other, ReduceKind.MAX) instanceof Value elements && isOwn(elements)
          && isHidden(elements, Double.NEGATIVE_INFINITY)) {
        partial.add(other);
        understood.add(next.get(i));
        extremes.put(next.get(i), new Extreme(carried.get(i), elements));
      }
    }
  }

  /** What a value is the sum or maximum of over a round, or null. */
  private Value reduced(Value v, ReduceKind kind) {
    return v.definition() != null && v.definition().op() instanceof ReductionOp.Reduce r && r.kind() == kind
        && r.axes().size() == 1
        && isRound(r.x(), r.axes().getFirst()) && (kind == ReduceKind.SUM ? padding.harmless(r.x(), r.axes().getFirst())
        : padding.harmlessToMaximum(r.x(), r.axes().getFirst())) ? r.x() : null;
  }

  // ------------------------------------------------------------------------------------------------ sums

  private boolean sum(Value v, Value start) {
    if (v == start) {
      return true;
    }
    Value before;
    Value added;
    if (v.definition() == null) {
      return false;
    } else if (v.definition().op() instanceof MatrixOp.Dot d) {
      before = d.acc();
      added = v;
    } else if (v.definition().op() instanceof Binary b && b.kind() == BinaryKind.ADD) {
      boolean left = dependent.contains(b.lhs()) && !isSum(b.lhs());
      before = left ? b.lhs() : b.rhs();
      added = left ? b.rhs() : b.lhs();
    } else {
      return false;
    }
    understood.add(v);
    if (ownSum(added)) {
      return sum(before, start);
    }
    return before.definition() != null && before.definition().op() instanceof Binary b && b.kind() == BinaryKind.MUL
        && (b.lhs() == start && rescaled(before, b.rhs(), added) || b.rhs() == start
            && rescaled(before, b.lhs(), added));
  }

  private boolean isSum(Value v) {
    return v.definition() != null
        && (v.definition().op() instanceof ReductionOp.Reduce || v.definition().op() instanceof MatrixOp.Dot);
  }

  /** Whether a value is the sum or product of a round's own elements. */
  private boolean ownSum(Value v) {
    Value elements = reduced(v, ReduceKind.SUM);
    boolean own = elements != null ? isOwn(elements) && isHidden(elements, 0) : v.definition() != null
        && v.definition().op() instanceof MatrixOp.Dot d
        && isOwn(d.a()) && isOwn(d.b()) && contracts(d) && (isHidden(d.a(), 0) || isHidden(d.b(), 0));
    if (own) {
      partial.add(v);
      understood.add(v);
    }
    return own;
  }

  private boolean contracts(MatrixOp.Dot d) {
    int a = d.a().tile().rank() - 1;
    int b = d.b().tile().rank() - 2;
    return (isRound(d.a(), a) || isRound(d.b(), b)) && (padding.harmless(d.a(), a) || padding.harmless(d.b(), b));
  }

  /** {@code before}, the carried value times {@code factor}, in the unit of what is {@code added}. */
  private boolean rescaled(Value before, Value factor, Value added) {
    Value exponent = exponential(factor);
    if (exponent == null || !(exponent.definition().op() instanceof Binary d)) {
      return false;
    }
    for (Map.Entry<Value, Extreme> e : extremes.entrySet()) {
      Optional<Object> unit = unit(d.lhs(), e.getValue().before);
      if (unit.isPresent() && isUnitOf(d.rhs(), e.getKey(), unit.get())
          && inUnit(added, e.getValue().elements, d.rhs(), unit.get())) {
        understood.add(before);
        partial.add(added);
        understood.add(added);
        return true;
      }
    }
    return false;
  }

  /** The exponent below {@code exp} or {@code exp2}, a difference, or null. */
  private Value exponential(Value v) {
    Value x = spread(v);
    if (x.definition() != null && x.definition().op() instanceof ElementwiseOp.Unary u
        && (u.kind() == UnaryKind.EXP || u.kind() == UnaryKind.EXP2)
        && u.x().definition() != null && u.x().definition().op() instanceof Binary d && d.kind() == BinaryKind.SUB) {
      understood.add(x);
      understood.add(u.x());
      return u.x();
    }
    return null;
  }

  /** {@code v} without what only repeats it. */
  private Value spread(Value v) {
    if (v.definition() != null && v.definition().op() instanceof ShapeOp.Broadcast b) {
      understood.add(v);
      return spread(b.x());
    }
    return v;
  }

  /** The factor by which {@code v} is {@code base}: nothing, or a key of what it is multiplied by. */
  private Optional<Object> unit(Value v, Value base) {
    if (spread(v) == base) {
      return Optional.of(List.of());
    }
    if (spread(v).definition() != null && spread(v).definition().op() instanceof Binary b
        && b.kind() == BinaryKind.MUL) {
      Value by = spread(b.lhs()) == base ? b.rhs() : spread(b.rhs()) == base ? b.lhs() : null;
      if (by != null && isOwn(by)) {
        understood.add(spread(v));
        return TilePadding.scalar(by).map(this::key);
      }
    }
    return Optional.empty();
  }

  /**
   * Whether {@code v} is the unit of a maximum: the maximum by the factor, or 0 where it is −∞. Without that, rounds
   * that see nothing would leave NaN, and which there are is a matter of their size.
   */
  private boolean isUnitOf(Value v, Value maximum, Object unit) {
    Value h = spread(v);
    if (h.definition() != null && h.definition().op() instanceof ElementwiseOp.Select s
        && s.condition().definition() != null && s.condition().definition().op() instanceof ElementwiseOp.Compare c
        && c.kind() == CompareKind.EQ && c.lhs() == maximum && TilePadding.literal(c.rhs(), Double.NEGATIVE_INFINITY)
        && TilePadding.literal(s.then(), 0) && unit(s.otherwise(), maximum).filter(unit::equals).isPresent()) {
      understood.add(h);
      understood.add(s.condition());
      return true;
    }
    return false;
  }

  /** Whether a round's sum or product is one of {@code exp(u(s) − h)}, each perhaps by something of its own. */
  private boolean inUnit(Value added, Value elements, Value h, Object unit) {
    Value x = reduced(added, ReduceKind.SUM);
    if (x == null && added.definition() != null && added.definition().op() instanceof MatrixOp.Dot d && contracts(d)) {
      x = isOwn(d.b()) ? d.a() : isOwn(d.a()) ? d.b() : null;
    }
    return x != null && term(x, elements, h, unit);
  }

  private boolean term(Value v, Value elements, Value h, Object unit) {
    Value exponent = exponential(v);
    if (exponent != null) {
      Binary d = (Binary) exponent.definition().op();
      return spread(d.rhs()) == spread(h) && unit(d.lhs(), elements).filter(unit::equals).isPresent();
    }
    if (v.definition() == null) {
      return false;
    }
    boolean in = switch (v.definition().op()) {
      case ElementwiseOp.Cast c -> term(c.x(), elements, h, unit);
      case ShapeOp.Permute p -> term(p.x(), elements, h, unit);
      case Binary b when b.kind() == BinaryKind.MUL -> isOwn(b.lhs()) ? term(b.rhs(), elements, h, unit)
          : isOwn(b.rhs()) && term(b.lhs(), elements, h, unit);
      default -> false;
    };
    if (in) {
      understood.add(v);
    }
    return in;
  }

  /** Equal keys, equal values, as far as elementwise operations go. */
  private Object key(Value v) {
    Inst def = v.definition();
    return def != null && def.op() instanceof ElementwiseOp ? OpShape.key(def.op(), this::key) : v;
  }
}
