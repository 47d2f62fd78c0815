package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.Compare;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MemoryOp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Proves inequalities between i64 scalars at a place in a function. What it knows:
 *
 * <ul>
 *   <li>a loop's position lies in its bounds, and a whole step below the end when the step divides the distance;
 *   <li>{@code min max select}, floor division and remainder by constants, and the sizes of tensors (never negative);
 *   <li>the conditions of the branches around the place, and what is asserted before it.
 * </ul>
 *
 * A proof of {@code e <= 0} replaces values in {@code e} by bounds that make it larger, or adds conditions, until a
 * constant is left; the search is bounded, so "no" may mean "not found". Index arithmetic is taken not to overflow 64
 * bits, which the launch's limits on sizes ensure.
 */
public final class Bounds {
  private static final int DEPTH = 7;
  private static final int EFFORT = 600;

  private final Scopes scopes;
  private final Divisibility divisibility;
  private final Set<Value> sizes = new HashSet<>();
  private final Map<Value, Affine> forms = new HashMap<>();
  private List<Affine> conditions = List.of();
  private boolean limited;
  private int effort;

  public Bounds(Func func) {
    this.scopes = new Scopes(func);
    this.divisibility = new Divisibility(func, scopes);
    func.body().walk(i -> {
      switch (i.op()) {
        case MemoryOp.MakeTensor m -> sizes.addAll(m.sizes());
        case MemoryOp.Temp t -> sizes.addAll(t.sizes());
        default -> { }
      }
    });
  }

  /** Also knows from now on that launches limit sizes to 31 bits. */
  public Bounds withLimitedSizes() {
    limited = true;
    return this;
  }

  public Scopes scopes() {
    return scopes;
  }

  public Divisibility divisibility() {
    return divisibility;
  }

  /** {@code a <= b + slack} wherever {@code place} is executed. */
  public boolean atMost(Inst place, Value a, Value b, long slack) {
    return atMostZero(place, form(a).minus(form(b)).plus(-slack));
  }

  /** {@code e <= 0} wherever {@code place} is executed. */
  public boolean atMostZero(Inst place, Affine e) {
    conditions = conditionsAt(place).stream().map(this::tightened).toList();
    effort = EFFORT;
    return prove(relaxed(e), DEPTH, new HashSet<>());
  }

  /** {@code v >= c} wherever {@code place} is executed. */
  public boolean atLeast(Inst place, Value v, long c) {
    return atMostZero(place, Affine.of(c).minus(form(v)));
  }

  // ------------------------------------------------------------------------------------------------ forms

  /** A value as a sum of multiples of values that are no sums themselves. */
  public Affine form(Value v) {
    Affine known = forms.get(v);
    if (known == null) {
      known = computeForm(v);
      forms.put(v, known);
    }
    return known;
  }

  private Affine computeForm(Value v) {
    OptionalLong c = Regions.integer(v);
    if (c.isPresent()) {
      return Affine.of(c.getAsLong());
    }
    if (v.definition() == null || !Scalars.isInt(v)) {
      return Affine.of(v);
    }
    return switch (v.definition().op()) {
      case Binary b -> switch (b.kind()) {
        case ADD -> form(b.lhs()).plus(form(b.rhs()));
        case SUB -> form(b.lhs()).minus(form(b.rhs()));
        case MUL -> {
          Affine x = form(b.lhs());
          Affine y = form(b.rhs());
          yield x.isConstant() ? y.times(x.constant()) : y.isConstant() ? x.times(y.constant()) : Affine.of(v);
        }
        case SHL -> {
          Affine y = form(b.rhs());
          yield y.isConstant() && y.constant() >= 0 && y.constant() < 31
              ? form(b.lhs()).times(1L << y.constant()) : Affine.of(v);
        }
        case DIV, REM, POW, MIN, MAX, AND, OR, XOR, SHR -> Affine.of(v);
      };
      case ElementwiseOp.Unary u when u.kind() == ElementwiseOp.UnaryKind.NEG -> form(u.x()).times(-1);
      default -> Affine.of(v);
    };
  }

  /** Whether a power of two, or any number where the form itself shows it, divides a form. */
  public boolean divides(long n, Affine e) {
    if (e.constant() % n != 0) {
      return false;
    }
    return e.terms().entrySet().stream().allMatch(t -> {
      long k = t.getValue();
      long odd = n / Divisibility.lowBit(n);
      long power = n / odd;
      long have = Divisibility.lowBit(k);
      return k % odd == 0 && (have >= power || have * Math.min(divisibility.of(t.getKey()), power) >= power);
    });
  }

  /** A number that divides everything in a form but its constant; 0 if there is nothing else. */
  private long grain(Affine e) {
    long g = 0;
    for (Map.Entry<Value, Long> t : e.terms().entrySet()) {
      long k = Math.abs(t.getValue());
      g = gcd(g, k * Math.min(divisibility.of(t.getKey()), Math.max(1, (1L << 40) / k)));
    }
    return g;
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /** The same fact {@code f <= 0} about a form that moves in steps: its largest value up to 0 may be smaller. */
  private Affine tightened(Affine f) {
    long g = grain(f);
    return g < 2 ? f : f.plus(Math.floorMod(-f.constant(), g));
  }

  /** The same question {@code e <= 0} of a form that moves in steps: staying below its first value past 0 is enough. */
  private Affine relaxed(Affine e) {
    long g = grain(e);
    return g < 2 ? e : e.plus(Math.floorMod(-e.constant(), g) - (g - 1));
  }

  // ------------------------------------------------------------------------------------------------ conditions

  private List<Affine> conditionsAt(Inst place) {
    List<Affine> all = new ArrayList<>();
    Region r = scopes.regionOf(place);
    if (r == null) {
      throw new IllegalStateException(place + " is not in the function the bounds were made for");
    }
    asserted(r, place, all);
    while (r != null && scopes.ownerOf(r).isPresent()) {
      Inst owner = scopes.ownerOf(r).get();
      asserted(scopes.regionOf(owner), owner, all);
      switch (owner.op()) {
        case ControlOp.If i -> condition(i.condition(), r == i.then(), all);
        // A body that runs has a distance to cover.
        case ControlOp.For f -> all.add(form(f.lo()).minus(form(f.hi())).plus(1));
        default -> { }
      }
      r = scopes.regionOf(owner);
    }
    return all;
  }

  /** What is asserted in a region before one of its instructions. */
  private void asserted(Region region, Inst before, List<Affine> out) {
    for (Inst inst : region.insts()) {
      if (inst == before) {
        return;
      }
      if (inst.op() instanceof ControlOp.Assert a) {
        condition(a.condition(), true, out);
      }
    }
  }

  private void condition(Value c, boolean holds, List<Affine> out) {
    if (c.definition() == null) {
      return;
    }
    switch (c.definition().op()) {
      case Binary b when b.kind() == (holds ? BinaryKind.AND : BinaryKind.OR) -> {
        condition(b.lhs(), holds, out);
        condition(b.rhs(), holds, out);
      }
      case ElementwiseOp.Unary u when u.kind() == ElementwiseOp.UnaryKind.NOT -> condition(u.x(), !holds, out);
      case Compare k when Scalars.isInt(k.lhs()) -> compare(k, holds, out);
      default -> { }
    }
  }

  private void compare(Compare c, boolean holds, List<Affine> out) {
    Affine d = form(c.lhs()).minus(form(c.rhs()));
    Affine opposite = d.times(-1);
    switch (c.kind()) {
      case LT -> out.add(holds ? d.plus(1) : opposite);
      case LE -> out.add(holds ? d : opposite.plus(1));
      case GT -> out.add(holds ? opposite.plus(1) : d);
      case GE -> out.add(holds ? opposite : d.plus(1));
      case EQ, NE -> {
        if (holds == (c.kind() == CompareKind.EQ)) {
          out.add(d);
          out.add(opposite);
        }
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ search

  private boolean prove(Affine e, int depth, Set<Affine> tried) {
    if (e.isConstant()) {
      return e.constant() <= 0;
    }
    if (depth == 0 || --effort < 0 || !tried.add(e)) {
      return false;
    }
    for (Map.Entry<Value, Long> t : e.terms().entrySet()) {
      if (byBound(e, t.getKey(), t.getValue(), depth, tried)) {
        return true;
      }
    }
    for (Affine c : conditions) {
      for (Map.Entry<Value, Long> t : c.terms().entrySet()) {
        long k = e.factor(t.getKey());
        if (k != 0 && k % t.getValue() == 0 && k / t.getValue() > 0
            && prove(e.plus(c, -(k / t.getValue())), depth - 1, tried)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Tries each bound of one value: an upper one where its factor is positive, a lower one where it is negative. */
  private boolean byBound(Affine e, Value v, long factor, int depth, Set<Affine> tried) {
    boolean upper = factor > 0;
    if (!upper && sizes.contains(v) && prove(e.replace(v, Affine.zero()), depth - 1, tried)) {
      return true;
    }
    if (upper && limited && sizes.contains(v)
        && prove(e.replace(v, Affine.of(Integer.MAX_VALUE)), depth - 1, tried)) {
      return true;
    }
    Inst def = v.definition();
    if (def == null) {
      return scopes.binderOf(v).map(b -> byPosition(b, e, v, upper, depth, tried)).orElse(false);
    }
    return switch (def.op()) {
      case Binary b -> byBinary(b, e, v, factor, depth, tried);
      case ElementwiseOp.Select s -> prove(e.replace(v, form(s.then())), depth - 1, tried)
          && prove(e.replace(v, form(s.otherwise())), depth - 1, tried);
      case ControlOp.BlockId _ -> !upper && prove(e.replace(v, Affine.zero()), depth - 1, tried);
      case ControlOp.BlockCount _ -> !upper && prove(e.replace(v, Affine.of(1)), depth - 1, tried);
      default -> false;
    };
  }

  private boolean byPosition(Inst binder, Affine e, Value v, boolean upper, int depth, Set<Affine> tried) {
    return switch (binder.op()) {
      case ControlOp.For f when f.body().params().get(0) == v ->
          prove(e.replace(v, position(f.lo(), f.hi(), f.step(), upper)), depth - 1, tried);
      case ControlOp.Parallel p ->
          prove(e.replace(v, position(p.lo(), p.hi(), p.step(), upper)), depth - 1, tried);
      default -> false;
    };
  }

  private Affine position(Value lo, Value hi, long step, boolean upper) {
    if (!upper) {
      return form(lo);
    }
    return divides(step, form(hi).minus(form(lo))) ? form(hi).plus(-step) : form(hi).plus(-1);
  }

  private boolean byBinary(Binary b, Affine e, Value v, long factor, int depth, Set<Affine> tried) {
    boolean upper = factor > 0;
    Affine x = form(b.lhs());
    Affine y = form(b.rhs());
    return switch (b.kind()) {
      case MIN, MAX -> {
        boolean either = (b.kind() == BinaryKind.MIN) == upper;
        boolean first = prove(e.replace(v, x), depth - 1, tried);
        yield either ? first || prove(e.replace(v, y), depth - 1, tried)
            : first && prove(e.replace(v, y), depth - 1, tried);
      }
      case DIV -> y.isConstant() && y.constant() > 0 && byQuotient(e, v, x, y.constant(), factor, depth, tried);
      case REM -> {
        boolean positive = y.isConstant() ? y.constant() > 0 : prove(Affine.of(1).minus(y), depth - 1, new HashSet<>());
        yield positive && prove(e.replace(v, upper ? y.plus(-1) : Affine.zero()), depth - 1, tried);
      }
      case MUL -> !upper && notNegative(b.lhs(), depth) && notNegative(b.rhs(), depth)
          && prove(e.replace(v, Affine.zero()), depth - 1, tried);
      case ADD, SUB, POW, AND, OR, XOR, SHL, SHR -> false;
    };
  }

  private boolean notNegative(Value v, int depth) {
    return depth > 1 && prove(form(v).times(-1), depth - 2, new HashSet<>());
  }

  /** {@code v = floor(x / c)}: {@code x - c + 1 <= c·v <= x}. */
  private boolean byQuotient(Affine e, Value v, Affine x, long c, long factor, int depth, Set<Affine> tried) {
    if (factor % c == 0) {
      Affine rest = e.replace(v, Affine.zero());
      Affine times = factor > 0 ? x : x.plus(1 - c);
      if (prove(rest.plus(times, factor / c), depth - 1, tried)) {
        return true;
      }
    }
    boolean dividendNotNegative = depth > 1 && prove(x.times(-1), depth - 2, new HashSet<>());
    return dividendNotNegative && prove(e.replace(v, factor > 0 ? x : Affine.zero()), depth - 1, tried);
  }
}
