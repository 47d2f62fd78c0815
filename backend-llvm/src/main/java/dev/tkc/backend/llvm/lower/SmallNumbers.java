package dev.tkc.backend.llvm.lower;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which i64 scalars have 31 bits at most, as slots of rings and their parities, which go round a few numbers. Loops and
 * branches carry those in 32 bits: in 64 each takes two registers, and uniform ones are few.
 *
 * <p>Intervals are found by walking the function until nothing changes, from what is known of nothing; what still grows
 * after {@link #SWEEPS} walks may be anything. {@code if x == c then 0 else x} ends where x does, but for c.
 */
final class SmallNumbers {
  /** More than there are slots in a ring. */
  private static final int SWEEPS = 20;

  private static final long LARGEST = Integer.MAX_VALUE;

  private static final Interval ANY = new Interval(Long.MIN_VALUE, Long.MAX_VALUE);

  private record Interval(long least, long most) {
    Interval join(Interval other) {
      return new Interval(Math.min(least, other.least), Math.max(most, other.most));
    }

    Interval plus(Interval other) {
      return of(least + other.least, most + other.most);
    }

    Interval minus(Interval other) {
      return of(least - other.most, most - other.least);
    }

    /** Of sums of two numbers of 32 bits, so that nothing overflows. */
    private static Interval of(long least, long most) {
      return least < -LARGEST || most > LARGEST ? ANY : new Interval(least, most);
    }

    Interval without(long c) {
      return least == most ? this : new Interval(least == c ? c + 1 : least, most == c ? c - 1 : most);
    }
  }

  private final Map<Value, Interval> known = new HashMap<>();
  private Set<Value> changed = new HashSet<>();
  private boolean settled;

  SmallNumbers(Func func) {
    int sweeps = 0;
    do {
      changed = new HashSet<>();
      settled = sweeps++ >= SWEEPS;
      visit(func.body());
    } while (!changed.isEmpty());
  }

  /** Whether a loop or branch carries the value in 32 bits. */
  boolean contains(Value v) {
    Interval i = known.get(v);
    return isInt(v) && i != null && i.least >= 0 && i.most <= LARGEST;
  }

  private static boolean isInt(Value v) {
    return v.type() instanceof TileType t && t.isScalar() && t.element() == Element.I64;
  }

  private void visit(Region region) {
    for (Inst inst : region.insts()) {
      switch (inst.op()) {
        case ControlOp.For o -> {
          set(o.body().params().getFirst(), ANY);
          loop(inst, o.inits(), o.body(), yielded(o.body()));
        }
        case ControlOp.While o -> {
          List<Value> next = yielded(o.body());
          set(o.body().params().getFirst(), ANY);
          loop(inst, o.inits(), o.body(), next.subList(1, next.size()));
        }
        case ControlOp.If o -> {
          visit(o.then());
          visit(o.otherwise());
          for (int n = 0; n < inst.results().size(); n++) {
            join(inst.results().get(n), yielded(o.then()).get(n));
            join(inst.results().get(n), yielded(o.otherwise()).get(n));
          }
        }
        default -> {
          inst.regions().forEach(this::visit);
          inst.results().stream().filter(SmallNumbers::isInt).forEach(v -> set(v, computed(inst)));
        }
      }
    }
  }

  private static List<Value> yielded(Region body) {
    return ((ControlOp.Yield) body.terminator().op()).values();
  }

  /** The last of a loop's results are what it carries; the position may come before. */
  private void loop(Inst inst, List<Value> inits, Region body, List<Value> next) {
    List<Value> carried = body.params().subList(1, body.params().size());
    List<Value> results = inst.results().subList(inst.results().size() - carried.size(), inst.results().size());
    for (int n = 0; n < carried.size(); n++) {
      join(carried.get(n), inits.get(n));
    }
    visit(body);
    for (int n = 0; n < carried.size(); n++) {
      join(carried.get(n), next.get(n));
      join(results.get(n), carried.get(n));
    }
  }

  private void join(Value v, Value from) {
    Interval i = known.get(from);
    if (isInt(v) && i != null) {
      set(v, i);
    }
  }

  private void set(Value v, Interval i) {
    Interval before = known.get(v);
    Interval after = before == null ? i : before.join(i);
    if (!after.equals(before)) {
      known.put(v, settled ? ANY : after);
      changed.add(v);
    }
  }

  private Interval computed(Inst inst) {
    return switch (inst.op()) {
      case ElementwiseOp.Constant o -> new Interval(o.value().bits(), o.value().bits());
      case ElementwiseOp.Binary o -> {
        Interval x = of(o.lhs());
        Interval y = of(o.rhs());
        yield x == ANY || y == ANY ? ANY : switch (o.kind()) {
          case ADD -> x.plus(y);
          case SUB -> x.minus(y);
          case MUL, DIV, REM, POW, MIN, MAX, AND, OR, XOR, SHL, SHR -> ANY;
        };
      }
      case ElementwiseOp.Select o -> side(o, o.then(), CompareKind.NE).join(side(o, o.otherwise(), CompareKind.EQ));
      default -> ANY;
    };
  }

  /** One side of a choice, which is not c where a comparison of this kind with c chooses. */
  private Interval side(ElementwiseOp.Select o, Value v, CompareKind kind) {
    return o.condition().definition() != null
        && o.condition().definition().op() instanceof ElementwiseOp.Compare c && c.kind() == kind && c.lhs() == v
        && of(c.rhs()).least == of(c.rhs()).most ? of(v).without(of(c.rhs()).least) : of(v);
  }

  /** Nothing is known of what is not computed here. */
  private Interval of(Value v) {
    return known.getOrDefault(v, ANY);
  }
}
