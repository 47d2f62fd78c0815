package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.Compare;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Affine;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.tile.FoldBounds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Takes one round off the end of a rotated loop where only that round has a mask, so that the others have no branch
 * between a product and what is computed from it.
 *
 * <pre>
 *   for j from hi back to lo [p] {          %p = for j from hi back to max(lo, hi - step) [p] {
 *     s = q @ k[j]                            …as before: at most one round
 *     if full(j) { s } else { mask s }   →  }
 *     …                                     for j from hi - step back to lo [%p] {
 *   }                                         s = q @ k[j]   …
 *                                           }
 * </pre>
 *
 * The first of the rounds is out of the loop already ({@link RotateLoops}); a second one has a mask where the diagonal
 * of causal attention goes through two tiles of keys, as with 192 rows and 128 keys. What is between the rounds is
 * carried as before, so nothing waits that did not; the second loop's masks fold ({@link FoldBounds}). It comes behind
 * {@code overlap-tiles}, which looks for one loop.
 */
public final class SplitRounds {
  private final Bounds bounds;
  private final Inst inst;
  private final ControlOp.For loop;

  private SplitRounds(Bounds bounds, Inst inst) {
    this.bounds = bounds;
    this.inst = inst;
    this.loop = (ControlOp.For) inst.op();
  }

  public static void run(Func func, PassContext context) {
    List<Inst> loops = new ArrayList<>();
    func.body().walk(i -> {
      if (i.flag(RotateLoops.ROTATED) && i.op() instanceof ControlOp.If branch) {
        branch.then().insts().stream().filter(r -> r.op() instanceof ControlOp.For).forEach(loops::add);
      }
    });
    for (Inst inst : loops) {
      Bounds bounds = new Bounds(func);
      SplitRounds split = new SplitRounds(bounds, inst);
      split.end().ifPresent(end -> split.rewrite(bounds.scopes().regionOf(inst), end));
    }
  }

  /** On which side the round with masks is. */
  private enum End { LOWEST, HIGHEST }

  private Optional<End> end() {
    List<Value> conditions = new ArrayList<>();
    for (Inst i : loop.body().insts()) {
      if (i.op() instanceof ControlOp.If branch) {
        conjuncts(branch.condition()).filter(c -> !decided(c, i)).forEach(conditions::add);
      }
    }
    if (conditions.isEmpty()) {
      return Optional.empty();
    }
    return List.of(End.HIGHEST, End.LOWEST).stream()
        .filter(e -> conditions.stream().allMatch(c -> holdsWithout(c, e))).findFirst();
  }

  /** What must all hold for the condition to hold. */
  private static Stream<Value> conjuncts(Value condition) {
    return condition.definition() != null && condition.definition().op() instanceof Binary both
        && both.kind() == BinaryKind.AND
            ? Stream.concat(conjuncts(both.lhs()), conjuncts(both.rhs())) : Stream.of(condition);
  }

  private boolean decided(Value condition, Inst place) {
    return margin(condition).map(m -> bounds.atMostZero(place, m.times(-1))).orElse(false);
  }

  /** What must be 0 or more for the condition to hold. */
  private Optional<Affine> margin(Value condition) {
    return condition.definition() != null && condition.definition().op() instanceof Compare c
        && c.kind() == CompareKind.GE ? Optional.of(bounds.form(c.lhs()).minus(bounds.form(c.rhs())))
        : Optional.empty();
  }

  /** Whether the condition holds in all rounds but the one at an end. */
  private boolean holdsWithout(Value condition, End end) {
    Value position = loop.body().params().getFirst();
    return margin(condition).filter(m -> m.factor(position) != 0 && m.factor(position) < 0 == (end == End.HIGHEST))
        .map(m -> m.replace(position, outermost(end))).map(m -> bounds.atMostZero(inst, m.times(-1))).orElse(false);
  }

  /** The position next to the round at an end. */
  private Affine outermost(End end) {
    Affine lo = bounds.form(loop.lo());
    Affine hi = bounds.form(loop.hi());
    if (end == End.LOWEST) {
      return lo.plus(loop.step());
    }
    return hi.plus(bounds.divides(loop.step(), hi.minus(lo)) ? -2 * loop.step() : -loop.step() - 1);
  }

  private void rewrite(Region region, End end) {
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value step = b.constant(loop.step());
    Value cut = end == End.LOWEST ? b.add(loop.lo(), step) : lastPosition(b, step);
    // Without a round at all the cut lies outside: the loop of many has no rounds then, the other is kept from having
    // one.
    Value within = b.binary(end == End.LOWEST ? BinaryKind.MIN : BinaryKind.MAX, end == End.LOWEST
        ? loop.hi() : loop.lo(), cut);
    boolean lowerFirst = !loop.reversed();
    boolean manyFirst = lowerFirst == (end == End.HIGHEST);
    Value ofFirst = manyFirst ? cut : within;
    Value ofSecond = manyFirst ? within : cut;
    Inst first = part(b, lowerFirst ? loop.lo() : ofFirst, lowerFirst ? ofFirst : loop.hi(), loop.inits());
    inst.setOp(new ControlOp.For(lowerFirst ? ofSecond : loop.lo(), lowerFirst ? loop.hi() : ofSecond, loop.step(),
        first.results(), loop.reversed(), loop.body()));
  }

  /** The highest position, which is a whole number of steps from the lowest. */
  private Value lastPosition(Builder b, Value step) {
    if (bounds.divides(loop.step(), bounds.form(loop.hi()).minus(bounds.form(loop.lo())))) {
      return b.sub(loop.hi(), step);
    }
    Value before = b.sub(b.sub(loop.hi(), loop.lo()), b.constant(1));
    return b.add(loop.lo(), b.mul(b.binary(BinaryKind.DIV, before, step), step));
  }

  private Inst part(Builder b, Value lo, Value hi, List<Value> inits) {
    Inst made = b.loop(lo, hi, loop.step(), loop.reversed(), inits, params -> {
      Map<Value, Value> map = new HashMap<>();
      List<Value> old = loop.body().params();
      for (int n = 0; n < old.size(); n++) {
        map.put(old.get(n), params.get(n));
        params.get(n).setName(old.get(n).name());
      }
      Cloner cloner = new Cloner(map);
      loop.body().insts().forEach(i -> b.insert(cloner.clone(i)));
    });
    made.annotations().putAll(inst.annotations());
    return made;
  }
}
