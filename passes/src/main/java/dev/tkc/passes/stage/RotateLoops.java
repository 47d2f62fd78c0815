package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.PersistGrid;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Runs a product that needs another product's result one round late, so that both kinds are in flight together, and
 * what lies between them is computed beside a product that doesn't need it.
 *
 * <pre>
 *   for j [%o] {                        if any round {
 *     s = q @ k[j]                        s = q @ k[lo]; p, c = f(s)
 *     p, c = f(s)                   →     for j from the second on [%o, %p, %c] {
 *     o = o * c + p @ v[j]                  s = q @ k[j]
 *   }                                       o = o * c + p @ v[j - step]
 *                                           p, c = f(s)
 *                                         }
 *                                         o = o * c + p @ v[last]
 *                                       }
 * </pre>
 *
 * {@link LateSlice} says what is late. Every value is computed from the same operands by the same operations as before.
 * The products that need no other one come first in a round; conversions of what crosses to the next round come last,
 * since the value they replace is in use until the late product is done.
 *
 * <p>The piece in front is the first round in the loop's order. Where only that round has a mask, as the diagonal of
 * causal attention whose keys are walked from the last one back, none is left in the rounds ({@code fold-rounds}).
 *
 * <p>Where {@code peel-loops} left a {@code boundary} loop behind, the last round's second half runs beside the
 * boundary's first products, and the boundary's rounds go on in the same way; with no round before it the boundary loop
 * stays as it was. Loops whose sums and crossing values would not fit the registers stay.
 */
public final class RotateLoops {
  /** On the branch that a loop became, where all its rounds are one loop still. */
  public static final String ROTATED = "rotated";

  private final Func func;
  private final ReadOnly readOnly;
  private final Predicate<Inst> asynchronous;
  private final Predicate<LateSlice> fits;

  private RotateLoops(Func func, TargetInfo target) {
    this.func = func;
    this.readOnly = new ReadOnly(func);
    this.asynchronous = i -> isAsynchronous(i, target);
    int warps = (int) func.annotation("warps", 8);
    long threads = (long) target.lanes() * warps;
    this.fits = s -> s.registers(threads) <= RoleRegisters.forTiles(target, warps);
  }

  public static void run(Func func, PassContext context) {
    RotateLoops pass = new RotateLoops(func, context.target());
    List<Inst> loops = new ArrayList<>();
    func.body().walk(i -> {
      if (i.op() instanceof ControlOp.For && !i.flag("boundary") && !PersistGrid.isDrawn(func, i)) {
        loops.add(i);
      }
    });
    loops.reversed().forEach(pass::visit);
  }

  static boolean isAsynchronous(Inst inst, TargetInfo target) {
    return inst.op() instanceof MatrixOp.Dot
        && inst.annotations().get("instruction") instanceof String name && target.asyncMatrix(name).isPresent();
  }

  private void visit(Inst inst) {
    Bounds bounds = new Bounds(func);
    rotation(inst, bounds).ifPresent(r -> {
      Region region = bounds.scopes().regionOf(inst);
      Optional<Inst> boundary = boundaryOf(region, inst);
      Optional<Rotation> further = boundary.flatMap(i -> rotation(i, bounds)).filter(f -> sameHalves(r, f));
      if (further.isPresent()) {
        chain(region, inst, r, boundary.get(), further.get(), bounds);
      } else if (!r.isOnce()) {
        alone(region, inst, r, bounds);
      }
    });
  }

  private Optional<Rotation> rotation(Inst inst, Bounds bounds) {
    ControlOp.For loop = (ControlOp.For) inst.op();
    return LateSlice.of(loop, readOnly, asynchronous).filter(fits).map(s -> new Rotation(
        inst, s, inst.flag("once") || bounds.atMost(inst, loop.hi(), loop.lo(), loop.step())));
  }

  /**
   * The boundary loop that takes a loop's results, and nobody else does, with nothing in between that they depend on.
   */
  private Optional<Inst> boundaryOf(Region region, Inst inst) {
    Uses uses = new Uses(func.body());
    List<Inst> after = region.insts().subList(region.insts().indexOf(inst) + 1, region.insts().size());
    for (Inst next : after) {
      if (next.op() instanceof ControlOp.For f) {
        boolean follows = next.flag("boundary") && f.inits().equals(inst.results()) && !f.reversed()
            && !((ControlOp.For) inst.op()).reversed() && f.lo().definition() != inst && f.hi().definition() != inst
            && inst.results().stream().allMatch(v -> uses.of(v).equals(List.of(next)));
        return follows ? Optional.of(next) : Optional.empty();
      }
      if (!Effects.isPure(next)) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private static boolean sameHalves(Rotation a, Rotation b) {
    return IntStream.range(0, a.loop().inits().size()).allMatch(n -> a.isLate(n) == b.isLate(n));
  }

  // ------------------------------------------------------------------------------------------------ building

  private static void alone(Region region, Inst inst, Rotation r, Bounds bounds) {
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value some = b.compare(CompareKind.LT, r.loop().lo(), r.loop().hi());
    Region then = new Region();
    b.in(then, () -> {
      Value highest = r.highest(b, bounds);
      List<Value> pending = toLast(b, r, highest, r.loop().inits());
      b.yield(r.secondHalf(b, r.loop().reversed() ? r.loop().lo() : highest, pending));
    });
    Region otherwise = new Region();
    b.in(otherwise, () -> b.yield(r.loop().inits()));
    become(inst, some, then, otherwise);
    inst.annotate(ROTATED, true);
  }

  private static void become(Inst inst, Value condition, Region then, Region otherwise) {
    inst.setOp(new ControlOp.If(condition, then, otherwise));
    inst.annotations().clear();
  }

  /** All of a loop but the last round's second half; gives what is pending. */
  private static List<Value> toLast(Builder b, Rotation r, Value highest, List<Value> inits) {
    Rotation.FirstHalf half = r.firstHalf(r.loop().reversed() ? highest : r.loop().lo(), inits);
    half.products(b);
    half.rest(b);
    return r.between(b, highest, half.pending(inits));
  }

  private static void chain(Region region, Inst inst, Rotation r, Inst boundary, Rotation further, Bounds bounds) {
    region.insts().remove(inst);
    Builder b = new Builder(region, region.insts().indexOf(boundary)).at(inst.loc());
    Value some = b.compare(CompareKind.LT, r.loop().lo(), r.loop().hi());
    Region then = new Region();
    b.in(then, () -> {
      Value highest = r.highest(b, bounds);
      List<Value> pending = toLast(b, r, highest, r.loop().inits());
      Value more = b.compare(CompareKind.LT, further.loop().lo(), further.loop().hi());
      Inst rest = b.branch(more, () -> goOn(b, r, highest, pending, further, bounds),
          () -> b.yield(r.secondHalf(b, highest, pending)));
      b.yield(rest.results());
    });
    Region otherwise = new Region();
    b.in(otherwise, () -> {
      Map<Value, Value> map = new HashMap<>();
      for (int n = 0; n < inst.results().size(); n++) {
        map.put(inst.results().get(n), r.loop().inits().get(n));
      }
      Inst copy = new Cloner(map).clone(boundary);
      b.insert(copy);
      b.yield(copy.results());
    });
    become(boundary, some, then, otherwise);
  }

  /** The boundary's rounds, the second half of the last round before beside the first one's products. */
  private static void goOn(Builder b, Rotation before, Value position, List<Value> pending, Rotation r, Bounds bounds) {
    Value highest = r.highest(b, bounds);
    Rotation.FirstHalf half = r.firstHalf(r.loop().lo(), pending);
    half.products(b);
    List<Value> late = before.secondHalf(b, position, pending);
    half.rest(b);
    List<Value> last = r.between(b, highest, half.pending(late));
    b.yield(r.secondHalf(b, highest, last));
  }
}
