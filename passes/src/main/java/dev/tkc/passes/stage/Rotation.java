package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.passes.analysis.Bounds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The pieces of one loop whose second half runs a round late ({@link RotateLoops}): the first round's first half, the
 * rounds in between, the last round's second half. Between pieces goes what is <em>pending</em>: the carried values,
 * late ones as they were a round ago, and what crosses.
 */
final class Rotation {
  private final Inst inst;
  private final boolean once;
  private final ControlOp.For loop;
  private final LateSlice slice;
  private final List<Value> params;
  private final List<Value> yielded;
  /** Crossing values that no carried value holds already. */
  private final List<Value> added;
  private final List<Inst> first;
  private final List<Inst> rest;

  /** The first half of one round: its first products, and everything else. */
  final class FirstHalf {
    private final Cloner cloner;

    private FirstHalf(Value position, List<Value> carried) {
      Map<Value, Value> map = new HashMap<>();
      map.put(params.getFirst(), position);
      for (int n = 0; n < yielded.size(); n++) {
        map.put(params.get(n + 1), carried.get(n));
      }
      cloner = new Cloner(map);
    }

    void products(Builder b) {
      first.forEach(i -> b.insert(cloner.clone(i)));
    }

    void rest(Builder b) {
      rest.forEach(i -> b.insert(cloner.clone(i)));
    }

    /** What is pending after it, where {@code late} holds the late carried values at their places. */
    List<Value> pending(List<Value> late) {
      List<Value> values = new ArrayList<>();
      for (int n = 0; n < yielded.size(); n++) {
        values.add(slice.isLate(n) ? late.get(n) : cloner.get(yielded.get(n)));
      }
      added.forEach(v -> values.add(cloner.get(v)));
      return values;
    }
  }

  /** {@code once}: there is at most one round. */
  Rotation(Inst inst, LateSlice slice, boolean once) {
    this.inst = inst;
    this.once = once;
    this.loop = slice.loop();
    this.slice = slice;
    this.params = loop.body().params();
    this.yielded = ((ControlOp.Yield) loop.body().terminator().op()).values();
    this.added = slice.crossing().stream().filter(v -> holder(v) < 0).toList();
    this.first = slice.first();
    List<Inst> others = new ArrayList<>(slice.early());
    others.removeAll(first);
    List<Inst> sunk = sunk(others);
    others.removeAll(sunk);
    others.addAll(sunk);
    this.rest = others;
  }

  ControlOp.For loop() {
    return loop;
  }

  boolean isOnce() {
    return once;
  }

  boolean isLate(int carried) {
    return slice.isLate(carried);
  }

  /**
   * The carried value that becomes {@code v} after a round, and so is what {@code v} was in the round before; or -1.
   */
  private int holder(Value v) {
    for (int n = 0; n < yielded.size(); n++) {
      if (yielded.get(n) == v && !slice.isLate(n)) {
        return n;
      }
    }
    return -1;
  }

  /** The highest position, if there is one. */
  Value highest(Builder b, Bounds bounds) {
    if (once) {
      return loop.lo();
    }
    Value step = b.constant(loop.step());
    if (bounds.divides(loop.step(), bounds.form(loop.hi()).minus(bounds.form(loop.lo())))) {
      return b.sub(loop.hi(), step);
    }
    Value before = b.sub(b.sub(loop.hi(), loop.lo()), b.constant(1L));
    return b.add(loop.lo(), b.mul(b.binary(BinaryKind.DIV, before, step), step));
  }

  /** The first half at a position; {@code carried} are the carried values, late ones unused. */
  FirstHalf firstHalf(Value position, List<Value> carried) {
    return new FirstHalf(position, carried);
  }

  /** All rounds but the first one's first half and the last one's second; gives what is pending after them. */
  List<Value> between(Builder b, Value highest, List<Value> pending) {
    if (once) {
      return pending;
    }
    Value lo = loop.reversed() ? loop.lo() : b.add(loop.lo(), b.constant(loop.step()));
    Value hi = loop.reversed() ? highest : loop.hi();
    Inst made = b.loop(lo, hi, loop.step(), loop.reversed(), pending, carried -> round(b, carried));
    made.annotations().putAll(inst.annotations());
    nameAs(made.results());
    return made.results();
  }

  private void nameAs(List<Value> values) {
    for (int n = 0; n < values.size(); n++) {
      values.get(n).setName(n < yielded.size() ? params.get(n + 1).name() : added.get(n - yielded.size()).name());
    }
  }

  private void round(Builder b, List<Value> carried) {
    carried.getFirst().setName(params.getFirst().name());
    List<Value> pending = carried.subList(1, carried.size());
    nameAs(pending);
    FirstHalf half = firstHalf(carried.getFirst(), pending);
    half.products(b);
    Value step = b.constant(loop.step());
    Value before = loop.reversed() ? b.add(carried.getFirst(), step) : b.sub(carried.getFirst(), step);
    List<Value> late = secondHalf(b, before, pending);
    half.rest(b);
    b.yield(half.pending(late));
  }

  /** The second half at a position; gives all carried values as they are after that round. */
  List<Value> secondHalf(Builder b, Value position, List<Value> pending) {
    Map<Value, Value> map = new HashMap<>();
    map.put(params.getFirst(), position);
    for (int n = 0; n < yielded.size(); n++) {
      if (slice.isLate(n)) {
        map.put(params.get(n + 1), pending.get(n));
      }
    }
    for (Value v : slice.crossing()) {
      int n = holder(v);
      map.put(v, pending.get(n >= 0 ? n : yielded.size() + added.indexOf(v)));
    }
    Cloner cloner = new Cloner(map);
    slice.again().forEach(i -> b.insert(cloner.clone(i)));
    List<Value> results = new ArrayList<>();
    for (int n = 0; n < yielded.size(); n++) {
      results.add(slice.isLate(n) ? cloner.get(yielded.get(n)) : pending.get(n));
    }
    return results;
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
    return inst.operands().contains(v) || inst.anyInside(i -> i.operands().contains(v));
  }
}
