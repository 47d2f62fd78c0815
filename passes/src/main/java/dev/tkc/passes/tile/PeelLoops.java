package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.Compare;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Affine;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Splits a loop where its ranges become partial and its masks stop being constant, so that the steady part needs no
 * guard.
 *
 * <pre>
 *   %r = for %lo, %hi, [%a] {step = 32} (…) {       %m = (%hi - %lo) / 32 * 32 + %lo
 *     … range %k, 1, %hi - %k {size = 32} …         %0 = for %lo, %m, [%a] {step = 32} #{interior} (…) {…}
 *     yield [%x]                               →    %r = if (%m &lt; %hi) { …the body once at %m… } { yield [%0] }
 *   } : f32[64, 64]
 * </pre>
 *
 * Two things are looked for in the body: ranges that end at a fixed place, mostly the loop's end, which are full until
 * then; and comparisons of positions, such as a causal {@code rows(i) >= cols(j)}, which hold for a whole
 * tile up to some round ({@code a} decreasing margin) or from some round on (an increasing one). The rounds for which
 * everything is full and every such comparison holds are the interior. What remains in front and behind are loops
 * annotated {@code boundary}, or a branch where at most one round remains, which pipelining leaves alone; with
 * asynchronous products that is a loop too, annotated {@code once}.
 *
 * <p>In functions whose products are asynchronous, bulk copies clip by themselves and {@link BranchMasks} has dealt
 * with comparisons; only other accesses count there.
 *
 * <p>Leaves the program as it was in meaning, and {@link FoldBounds} to find that the interior's ranges are full.
 */
public final class PeelLoops {
  /** A body is copied, so it may not be too long. */
  private static final int LARGEST = 400;

  private final Bounds bounds;
  private final Inst inst;
  private final ControlOp.For loop;
  private final Set<Value> inside;
  /** How many rounds from the first on are good. */
  private final List<Affine> upTo = new ArrayList<>();
  /** How many rounds at the start are not. */
  private final List<Affine> after = new ArrayList<>();
  private final boolean asynchronous;
  private boolean masks;

  private PeelLoops(Bounds bounds, Inst inst, ControlOp.For loop, boolean asynchronous) {
    this.asynchronous = asynchronous;
    this.bounds = bounds;
    this.inst = inst;
    this.loop = loop;
    this.inside = Regions.defined(loop.body());
  }

  public static void run(Func func, PassContext cx) {
    List<Inst> loops = new ArrayList<>();
    func.body().walk(i -> {
      if (i.op() instanceof ControlOp.For && !i.flag("boundary") && !i.flag("interior")) {
        loops.add(i);
      }
    });
    // Inner loops first: a copy of an outer body then holds them split already.
    for (Inst inst : loops.reversed()) {
      Bounds bounds = new Bounds(func);
      PeelLoops p = new PeelLoops(
          bounds, inst, (ControlOp.For) inst.op(), Boolean.TRUE.equals(func.annotations().get("asynchronous")));
      if (p.worthwhile()) {
        p.split(bounds.scopes().regionOf(inst));
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ finding

  private boolean worthwhile() {
    int[] size = {0};
    loop.body().walk(i -> {
      size[0]++;
      switch (i.op()) {
        case MemoryOp.Range r when !asynchronous || guards(i.result()) -> range(i, r);
        case Compare c when !asynchronous && !i.result().tile().isScalar() -> mask(i, c);
        default -> { }
      }
    });
    return size[0] <= LARGEST && !(upTo.isEmpty() && after.isEmpty());
  }

  /** Whether an access that is no bulk copy depends on the range. */
  private boolean guards(Value range) {
    return loop.body().anyMatch(i -> i.operands().contains(range) && !i.flag("bulk")
        && !(i.op() instanceof MemoryOp.Valid) && !(i.op() instanceof MemoryOp.Lanes));
  }

  private Value position() {
    return loop.body().params().get(0);
  }

  private void range(Inst i, MemoryOp.Range r) {
    int size = ((RangeType) i.result().type()).size();
    Affine end = bounds.form(r.count()).plus(Affine.of(position()));
    if (end.terms().keySet().stream().anyMatch(inside::contains) || bounds.atLeast(i, r.count(), size)) {
      return;
    }
    Affine distance = end.minus(bounds.form(loop.lo()));
    if (end.equals(bounds.form(loop.hi())) && size <= loop.step()) {
      // The number of whole steps, which may come out negative for an empty loop; one round at most is left.
      add(upTo, distance);
    } else {
      // Full up to another end than the loop's own: any number of rounds may be left.
      masks = true;
      add(upTo, distance.plus(loop.step() - size));
    }
  }

  /** Where the least margin is 0 or more the comparison holds for the whole tile. */
  private void mask(Inst i, Compare c) {
    LanePositions margin = LanePositions.margin(c, bounds).orElse(null);
    if (margin == null) {
      return;
    }
    long k = margin.base().factor(position());
    Affine rest = margin.base().plus(margin.least()).replace(position(), bounds.form(loop.lo()));
    boolean known = rest.terms().keySet().stream().noneMatch(inside::contains);
    if (Math.abs(k) != 1 || !known || bounds.atMostZero(i, margin.base().plus(margin.least()).times(-1))) {
      return;
    }
    masks = true;
    // Round n has margin rest + k·n·step: for k = -1 rounds 0 … rest / step are good, for k = 1 those from -rest / step
    // up.
    if (k < 0) {
      add(upTo, rest.plus(loop.step()));
    } else {
      add(after, rest.times(-1).plus(loop.step() - 1));
    }
  }

  private static void add(List<Affine> to, Affine rounds) {
    if (!to.contains(rounds)) {
      to.add(rounds);
    }
  }

  // ------------------------------------------------------------------------------------------------ splitting

  private void split(Region region) {
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value good = null;
    if (masks) {
      // Whole steps of the loop bound the interior whether or not a range asks for it, so that it ends on one.
      add(upTo, bounds.form(loop.hi()).minus(bounds.form(loop.lo())));
    }
    for (Affine a : upTo) {
      Value n = rounds(b, a);
      good = good == null ? n : b.binary(BinaryKind.MIN, good, n);
    }
    Value end = at(b, good);
    if (loop.reversed()) {
      if (after.isEmpty()) {
        splitReversed(b, end);
      }
      return;
    }
    List<Value> carried = loop.inits();
    Value start = loop.lo();
    if (!after.isEmpty()) {
      Value bad = null;
      for (Affine a : after) {
        Value n = rounds(b, a);
        bad = bad == null ? n : b.binary(BinaryKind.MAX, bad, n);
      }
      start = at(b, b.binary(BinaryKind.MAX, bad, b.constant(0)));
      Value stop = b.binary(BinaryKind.MIN, start, loop.hi());
      carried = copy(b, loop.lo(), stop, carried, "boundary");
    }
    List<Value> steady = copy(b, start, end, carried, "interior");
    remainder(b, start, end, steady);
  }

  private Value rounds(Builder b, Affine distance) {
    return b.binary(BinaryKind.DIV, distance.emit(b), b.constant(loop.step()));
  }

  private Value at(Builder b, Value round) {
    return b.add(loop.lo(), b.mul(round, b.constant(loop.step())));
  }

  /** A copy of the loop over other bounds. */
  private List<Value> copy(Builder b, Value lo, Value hi, List<Value> inits, String mark) {
    Region body = new Cloner().clone(loop.body());
    Inst made = b.append(new ControlOp.For(lo, hi, loop.step(), inits, loop.reversed(), body),
        inits.stream().map(Value::type).toList());
    made.annotations().putAll(inst.annotations());
    made.annotate(mark, true);
    return made.results();
  }

  /** Makes the loop itself the part behind {@code end}, so that its results stay what others use. */
  private void remainder(Builder b, Value start, Value end, List<Value> carried) {
    boolean startsBelow = bounds.atMost(inst, loop.lo(), loop.hi(), 0);
    Value from = startsBelow && !masks ? end : b.binary(BinaryKind.MAX, end, start);
    if (masks || isAsynchronous()) {
      inst.setOp(new ControlOp.For(from, loop.hi(), loop.step(), carried, false, loop.body()));
      inst.annotate("boundary", true);
      if (!masks) {
        inst.annotate("once", true);
      }
      return;
    }
    Value some = b.compare(CompareKind.LT, from, loop.hi());
    once(inst, some, from, carried);
  }

  /**
   * Whether products of the body run beside the warps: a round that is left may then overlap with those before, as a
   * loop's do.
   */
  private boolean isAsynchronous() {
    return loop.body().insts().stream()
        .anyMatch(i -> i.op() instanceof MatrixOp.Dot && i.annotations().containsKey("instruction"));
  }

  private void once(Inst branch, Value condition, Value position, List<Value> carried) {
    Map<Value, Value> map = new HashMap<>();
    map.put(position(), position);
    for (int i = 0; i < carried.size(); i++) {
      map.put(loop.body().params().get(i + 1), carried.get(i));
    }
    Region then = new Region();
    Cloner cloner = new Cloner(map);
    loop.body().insts().forEach(i -> then.insts().add(cloner.clone(i)));
    Region otherwise = new Region();
    new Builder(otherwise).at(branch.loc()).yield(carried);
    branch.setOp(new ControlOp.If(condition, then, otherwise));
    branch.annotations().clear();
  }

  /** The last round comes first; only ranges are split here. */
  private void splitReversed(Builder b, Value end) {
    if (masks) {
      return;
    }
    Value from = b.binary(BinaryKind.MAX, end, loop.lo());
    Value some = b.compare(CompareKind.LT, from, loop.hi());
    List<dev.tkc.ir.type.Type> types = loop.inits().stream().map(Value::type).toList();
    Region none = new Region();
    new Builder(none).at(inst.loc()).yield(loop.inits());
    Region first = new Region();
    new Builder(first).yield(loop.inits());
    Inst branch = b.append(new ControlOp.If(some, first, none), types);
    once(branch, some, from, loop.inits());
    inst.setOp(new ControlOp.For(loop.lo(), end, loop.step(), branch.results(), true, loop.body()));
    inst.annotate("interior", true);
  }
}
