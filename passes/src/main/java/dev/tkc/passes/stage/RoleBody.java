package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.passes.stage.Ring.Cursor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What one role makes of a function's body: a copy with the same loops and branches, through which it carries the
 * cursor of every ring that is used inside. Subclasses say what becomes of the instructions in between.
 */
abstract class RoleBody {
  final RingPlan plan;
  final Cloner copies = new Cloner();
  private final Map<Ring, Cursor> cursors = new HashMap<>();

  RoleBody(RingPlan plan) {
    this.plan = plan;
  }

  /** Appends this role's version of the instructions. */
  final void build(Builder b, List<Inst> insts) {
    plan.rings().stream().filter(this::walks).forEach(r -> cursors.put(r, r.start(b)));
    all(b, List.of(), insts);
  }

  /** Whether the role fills or empties the ring. */
  abstract boolean walks(Ring ring);

  /** This role's version of an instruction without regions, and of one with regions but no loop or branch. */
  abstract void plain(Builder b, Inst inst);

  /** Before a loop or branch. */
  void beforeRegions(Builder b) {}

  /** After an instruction, regions and all. */
  void after(Builder b, Inst inst) {}

  /** Before the instructions of a region with these parameters. */
  void enter(Builder b, List<Value> params, List<Inst> insts) {}

  /**
   * What else a loop carries, or a branch gives, for these values of the function, which it starts from, or a region
   * yields.
   */
  List<Value> carried(Builder b, Inst inst, List<Value> values) {
    return List.of();
  }

  /** What the loop carries or the branch gives besides is now this, which stands for these values of the function. */
  void take(Builder b, Inst inst, List<Value> values, List<Value> carried) {}

  final Cursor cursor(Ring ring) {
    return cursors.get(ring);
  }

  final void advance(Builder b, Ring ring) {
    cursors.put(ring, ring.next(b, cursors.get(ring)));
  }

  private List<Ring> ringsIn(List<Region> regions) {
    return plan.ringsIn(regions).stream().filter(this::walks).toList();
  }

  private void all(Builder b, List<Value> params, List<Inst> insts) {
    enter(b, params, insts);
    for (Inst inst : insts) {
      b.at(inst.loc());
      switch (inst.op()) {
        case ControlOp.For loop -> {
          beforeRegions(b);
          loop(b, inst, loop);
        }
        case ControlOp.If branch -> {
          beforeRegions(b);
          branch(b, inst, branch);
        }
        case ControlOp.Yield _ -> { }
        default -> plain(b, inst);
      }
      after(b, inst);
    }
  }

  private List<Value> mapped(List<Value> values) {
    return new ArrayList<>(values.stream().map(copies::get).toList());
  }

  private List<Value> flat(List<Ring> rings) {
    List<Value> values = new ArrayList<>();
    rings.forEach(r -> values.add(cursors.get(r).position()));
    return values;
  }

  private void take(Builder b, List<Ring> rings, List<Value> positions) {
    for (int i = 0; i < rings.size(); i++) {
      cursors.put(rings.get(i), rings.get(i).at(b, positions.get(i)));
    }
  }

  private void region(Builder b, Inst inst, Region old, Region made, List<Ring> rings, Runnable begin) {
    b.in(made, () -> {
      begin.run();
      all(b, old.params(), old.insts());
      List<Value> values = ((ControlOp.Yield) old.terminator().op()).values();
      List<Value> yielded = mapped(values);
      yielded.addAll(flat(rings));
      yielded.addAll(carried(b, inst, values));
      b.yield(yielded);
    });
  }

  private void loop(Builder b, Inst inst, ControlOp.For loop) {
    List<Ring> rings = ringsIn(inst.regions());
    List<Value> inits = mapped(loop.inits());
    inits.addAll(flat(rings));
    List<Value> more = carried(b, inst, loop.inits());
    inits.addAll(more);
    List<Value> params = new ArrayList<>();
    for (Value p : loop.body().params()) {
      Value q = new Value(p.type(), p.name());
      copies.define(p, q);
      params.add(q);
    }
    List<Value> cursorParams = new ArrayList<>();
    rings.forEach(r -> cursorParams.add(new Value(cursors.get(r).position().type(), "slot")));
    params.addAll(cursorParams);
    List<Value> moreParams = more.stream().map(v -> new Value(v.type(), "held")).toList();
    params.addAll(moreParams);
    Region body = new Region(params);
    region(b, inst, loop.body(), body, rings, () -> {
      take(b, rings, cursorParams);
      take(b, inst, loop.body().params().subList(1, loop.body().params().size()), moreParams);
    });
    Inst made = b.append(new ControlOp.For(
        copies.get(loop.lo()), copies.get(loop.hi()), loop.step(), inits, loop.reversed(), body));
    finish(b, inst, made, rings);
    take(b, inst, inst.results(), made.results().subList(made.results().size() - more.size(), made.results().size()));
  }

  private void branch(Builder b, Inst inst, ControlOp.If branch) {
    List<Ring> rings = ringsIn(inst.regions());
    Map<Ring, Cursor> before = Map.copyOf(cursors);
    Region then = new Region();
    region(b, inst, branch.then(), then, rings, () -> { });
    cursors.putAll(before);
    Region otherwise = new Region();
    region(b, inst, branch.otherwise(), otherwise, rings, () -> { });
    Inst made = b.append(new ControlOp.If(copies.get(branch.condition()), then, otherwise));
    finish(b, inst, made, rings);
    take(b, inst, inst.results(), made.results().subList(inst.results().size() + rings.size(), made.results().size()));
  }

  private void finish(Builder b, Inst inst, Inst made, List<Ring> rings) {
    made.annotations().putAll(inst.annotations());
    int n = inst.results().size();
    for (int i = 0; i < n; i++) {
      made.results().get(i).setName(inst.results().get(i).name());
      copies.define(inst.results().get(i), made.results().get(i));
    }
    take(b, rings, made.results().subList(n, n + rings.size()));
  }
}
