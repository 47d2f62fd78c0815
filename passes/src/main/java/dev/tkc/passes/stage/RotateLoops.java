package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Runs a product that needs another product's result one round late, so that both kinds are in flight together, and what
 * lies between them is computed beside a product that doesn't need it.
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
 * {@link LateSlice} says what is late. Every value is computed from the same operands by the same operations as before. The
 * products that need no other one come first in a round; conversions of what crosses to the next round come last, since the
 * value they replace is in use until the late product is done. Loops annotated {@code boundary} stay as they are, and
 * those whose sums and crossing values would not fit the registers.
 */
public final class RotateLoops {
  /** Of a thread's registers, those left for addresses and what is computed in between. */
  private static final int OTHER_REGISTERS = 31;

  private final Inst inst;
  private final ControlOp.For loop;
  private final LateSlice slice;
  private final List<Value> params;
  private final List<Value> yielded;
  /** Crossing values that no carried value holds already. */
  private final List<Value> added;

  private RotateLoops(Inst inst, LateSlice slice) {
    this.inst = inst;
    this.loop = slice.loop();
    this.slice = slice;
    this.params = loop.body().params();
    this.yielded = ((ControlOp.Yield) loop.body().terminator().op()).values();
    this.added = slice.crossing().stream().filter(v -> holder(v) < 0).toList();
  }

  public static void run(Func func, PassContext context) {
    TargetInfo target = context.target();
    Predicate<Inst> asynchronous = i -> i.op() instanceof MatrixOp.Dot
        && i.annotations().get("instruction") instanceof String name && target.asyncMatrix(name).isPresent();
    List<Inst> loops = new ArrayList<>();
    func.body().walk(i -> {
      if (i.op() instanceof ControlOp.For && !i.flag("boundary")) {
        loops.add(i);
      }
    });
    ReadOnly readOnly = new ReadOnly(func);
    long threads = target.lanes() * func.annotation("warps", 8);
    for (Inst inst : loops.reversed()) {
      LateSlice.of((ControlOp.For) inst.op(), readOnly, asynchronous)
          .filter(s -> s.registers(threads) <= target.registers().perThread() - OTHER_REGISTERS)
          .ifPresent(s -> new RotateLoops(inst, s).rotate(new Bounds(func)));
    }
  }

  /** The carried value that becomes {@code v} after a round, and so is what {@code v} was in the round before; or -1. */
  private int holder(Value v) {
    for (int n = 0; n < yielded.size(); n++) {
      if (yielded.get(n) == v && !slice.isLate(n)) {
        return n;
      }
    }
    return -1;
  }

  private void rotate(Bounds bounds) {
    Region outer = bounds.scopes().regionOf(inst);
    Builder b = new Builder(outer, outer.insts().indexOf(inst)).at(inst.loc());
    Value some = b.compare(CompareKind.LT, loop.lo(), loop.hi());
    Region then = new Region();
    b.in(then, () -> rounds(b, last(b, bounds)));
    Region otherwise = new Region();
    b.in(otherwise, () -> b.yield(loop.inits()));
    inst.setOp(new ControlOp.If(some, then, otherwise));
    inst.annotations().clear();
  }

  /** The highest position; there is one. */
  private Value last(Builder b, Bounds bounds) {
    Value step = b.constant(loop.step());
    if (bounds.divides(loop.step(), bounds.form(loop.hi()).minus(bounds.form(loop.lo())))) {
      return b.sub(loop.hi(), step);
    }
    Value before = b.sub(b.sub(loop.hi(), loop.lo()), b.constant(1L));
    return b.add(loop.lo(), b.mul(b.binary(BinaryKind.DIV, before, step), step));
  }

  private void rounds(Builder b, Value last) {
    Map<Value, Value> start = new HashMap<>();
    start.put(params.getFirst(), loop.reversed() ? last : loop.lo());
    for (int n = 0; n < yielded.size(); n++) {
      start.put(params.get(n + 1), loop.inits().get(n));
    }
    Cloner first = new Cloner(start);
    slice.early().forEach(i -> b.insert(first.clone(i)));

    List<Value> inits = new ArrayList<>();
    for (int n = 0; n < yielded.size(); n++) {
      inits.add(slice.isLate(n) ? loop.inits().get(n) : first.get(yielded.get(n)));
    }
    added.forEach(v -> inits.add(first.get(v)));
    Value lo = loop.reversed() ? loop.lo() : b.add(loop.lo(), b.constant(loop.step()));
    Value hi = loop.reversed() ? last : loop.hi();
    Inst made = b.loop(lo, hi, loop.step(), loop.reversed(), inits, carried -> round(b, carried));
    made.annotations().putAll(inst.annotations());
    nameAs(made.results());

    Cloner end = late(b, loop.reversed() ? loop.lo() : last, made.results());
    List<Value> results = new ArrayList<>();
    for (int n = 0; n < yielded.size(); n++) {
      results.add(slice.isLate(n) ? end.get(yielded.get(n)) : made.results().get(n));
    }
    b.yield(results);
  }

  private void nameAs(List<Value> values) {
    for (int n = 0; n < values.size(); n++) {
      values.get(n).setName(n < yielded.size() ? params.get(n + 1).name() : added.get(n - yielded.size()).name());
    }
  }

  /** One round of the new loop; {@code carried} begins with the position. */
  private void round(Builder b, List<Value> carried) {
    carried.getFirst().setName(params.getFirst().name());
    List<Value> held = carried.subList(1, carried.size());
    nameAs(held);
    Map<Value, Value> now = new HashMap<>();
    now.put(params.getFirst(), carried.getFirst());
    for (int n = 0; n < yielded.size(); n++) {
      now.put(params.get(n + 1), held.get(n));
    }
    Cloner early = new Cloner(now);
    List<Inst> first = slice.first();
    first.forEach(i -> b.insert(early.clone(i)));

    Value step = b.constant(loop.step());
    Value before = loop.reversed() ? b.add(carried.getFirst(), step) : b.sub(carried.getFirst(), step);
    Cloner late = late(b, before, held);

    List<Inst> rest = new ArrayList<>(slice.early());
    rest.removeAll(first);
    List<Inst> sunk = sunk(rest);
    rest.removeAll(sunk);
    rest.forEach(i -> b.insert(early.clone(i)));
    sunk.forEach(i -> b.insert(early.clone(i)));

    List<Value> next = new ArrayList<>();
    for (int n = 0; n < yielded.size(); n++) {
      next.add((slice.isLate(n) ? late : early).get(yielded.get(n)));
    }
    added.forEach(v -> next.add(early.get(v)));
    b.yield(next);
  }

  /** The late half for a position; {@code held} is what was carried into the round. */
  private Cloner late(Builder b, Value position, List<Value> held) {
    Map<Value, Value> map = new HashMap<>();
    map.put(params.getFirst(), position);
    for (int n = 0; n < yielded.size(); n++) {
      if (slice.isLate(n)) {
        map.put(params.get(n + 1), held.get(n));
      }
    }
    for (Value v : slice.crossing()) {
      int n = holder(v);
      map.put(v, held.get(n >= 0 ? n : yielded.size() + added.indexOf(v)));
    }
    Cloner late = new Cloner(map);
    slice.again().forEach(i -> b.insert(late.clone(i)));
    return late;
  }

  /** Conversions and moves that only make values for the next round. */
  private List<Inst> sunk(List<Inst> insts) {
    List<Inst> sunk = new ArrayList<>();
    for (Inst i : insts.reversed()) {
      boolean converts = switch (i.op()) {
        case ElementwiseOp.Cast _, ShapeOp _ -> true;
        default -> false;
      };
      boolean last = i.results().stream().allMatch(v -> loop.body().insts().stream()
          .filter(u -> u != loop.body().terminator() && !slice.late().contains(u))
          .allMatch(u -> sunk.contains(u) || !uses(u, v)));
      if (converts && last) {
        sunk.addFirst(i);
      }
    }
    return sunk;
  }

  private static boolean uses(Inst inst, Value v) {
    boolean[] found = {inst.operands().contains(v)};
    inst.regions().forEach(r -> r.walk(i -> found[0] |= i.operands().contains(v)));
    return found[0];
  }
}
