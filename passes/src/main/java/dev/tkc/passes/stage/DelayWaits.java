package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scalars;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Waits for asynchronous products as late as their results and operands allow, and releases the slots they read behind
 * the wait.
 *
 * <pre>
 *   for … (%acc, …) {                                   for … (%acc, …, %before) {
 *     barrier_wait %full, %slot, %parity                  barrier_wait %full, %slot, %parity
 *     %x = dot_async …, %acc                              %x = dot_async …, %acc, %first?
 *     dot_commit                                          dot_commit
 *     %y = dot_wait {pending = 0} %x              →       dot_wait {pending = 1}
 *     barrier_arrive %empty, %slot                        barrier_arrive %empty, %before, %first?
 *     yield [%y, …]                                       yield [%x, …, %slot]
 *   }                                                   }  dot_wait {pending = 0} …  barrier_arrive …
 * </pre>
 *
 * Two ways. Products that add to what their loop carries, and whose sums nothing else in the loop reads, stay in flight
 * over the back edge, if the loop has no others: the product of the round before is waited for, and its slots are
 * released a round late. Any other wait moves down to the first use of the result, or to where the next round's left
 * operand is about to take the registers of this one's. A slot is held at most as many waits on its ring as the ring
 * has other slots. Rows that are read for the result are read behind the wait.
 *
 * <p>A product whose accumulator is zero does not read it.
 */
public final class DelayWaits {
  private final Func func;

  private DelayWaits(Func func) {
    this.func = func;
  }

  public static void run(Func func, PassContext context) {
    DelayWaits d = new DelayWaits(func);
    d.carry(func.body());
    d.sink(func.body());
    startFresh(func.body());
  }

  // ------------------------------------------------------------------------------------------------ over the back edge

  private void carry(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(this::carry);
      if (inst.op() instanceof ControlOp.For loop && !loop.reversed()) {
        List<Waited> sums = sums(loop);
        // Beside others of a round, which are waited for in it, such a product would only take their place.
        if (!sums.isEmpty() && sums.size() == waited(loop.body()).size()) {
          keepInFlight(region, inst, loop, sums);
        }
      }
    }
  }

  /** A product, its wait and what is released behind the wait. */
  private record Waited(Inst dot, Inst end, List<Inst> releases) {
    AsyncOp.DotAsync op() {
      return (AsyncOp.DotAsync) dot.op();
    }
  }

  private static List<Waited> waited(Region region) {
    List<Waited> found = new ArrayList<>();
    List<Inst> insts = region.insts();
    for (int i = 0; i < insts.size(); i++) {
      if (insts.get(i).op() instanceof AsyncOp.DotWait w && w.pending() == 0 && w.values().size() == 1
          && w.values().getFirst().definition() != null && insts.contains(w.values().getFirst().definition())
          && w.values().getFirst().definition().op() instanceof AsyncOp.DotAsync) {
        List<Inst> releases = new ArrayList<>();
        while (insts.get(i + 1 + releases.size()).op() instanceof AsyncOp.BarrierArrive) {
          releases.add(insts.get(i + 1 + releases.size()));
        }
        found.add(new Waited(w.values().getFirst().definition(), insts.get(i), releases));
      }
    }
    return found;
  }

  /** Products whose sum only goes around the loop, if the slots they read can be held for a round more. */
  private List<Waited> sums(ControlOp.For loop) {
    Uses uses = new Uses(func.body());
    ControlOp.Yield yield = (ControlOp.Yield) loop.body().terminator().op();
    List<Waited> found = new ArrayList<>();
    for (Waited w : waited(loop.body())) {
      int at = loop.body().params().indexOf(w.op().acc());
      boolean around = at > 0 && uses.of(w.op().acc()).equals(List.of(w.dot))
          && yield.values().get(at - 1) == w.end.result()
          && uses.of(w.end.result()).equals(List.of(loop.body().terminator()));
      boolean slots = w.releases.stream().allMatch(r -> slots(r) >= 2)
          && w.releases.stream().allMatch(r -> ((AsyncOp.BarrierArrive) r.op()).condition().isEmpty());
      if (around && slots && w.op().a().definition() != null && !(w.op().a().type() instanceof TileType)) {
        found.add(w);
      }
    }
    return found;
  }

  private static int slots(Inst arrive) {
    return ((BarrierType) ((AsyncOp.BarrierArrive) arrive.op()).barrier().type()).slots();
  }

  private void keepInFlight(Region region, Inst inst, ControlOp.For loop, List<Waited> sums) {
    Region body = loop.body();
    ControlOp.Yield yield = (ControlOp.Yield) body.terminator().op();
    List<Value> inits = new ArrayList<>(loop.inits());
    List<Value> yielded = new ArrayList<>(yield.values());
    int groups = (int) body.insts().stream().filter(i -> i.op() instanceof AsyncOp.DotCommit).count();
    Builder before = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Builder top = new Builder(body, 0).at(inst.loc());
    Value later = top.compare(CompareKind.NE, body.params().getFirst(), loop.lo());
    List<Inst> behind = new ArrayList<>();
    Map<Value, Value> sumOf = new HashMap<>();
    Map<Integer, Inst> lastRelease = new HashMap<>();
    for (Waited w : sums) {
      int at = body.params().indexOf(w.op().acc()) - 1;
      yielded.set(at, w.dot.result());
      int place = body.insts().indexOf(w.end);
      body.insts().remove(w.end);
      Builder b = new Builder(body, place).at(w.end.loc());
      b.append(new AsyncOp.DotWait(groups, List.of()));
      for (Inst release : w.releases) {
        AsyncOp.BarrierArrive arrive = (AsyncOp.BarrierArrive) release.op();
        Value held = new Value(arrive.slot().type(), "before");
        body.params().add(held);
        inits.add(before.constant(Literal.of(arrive.slot().tile().element(), 0L)));
        yielded.add(arrive.slot());
        inst.addResult(new Value(held.type()));
        release.setOp(new AsyncOp.BarrierArrive(arrive.barrier(), held, Optional.of(later)));
        behind.add(new Inst(new AsyncOp.BarrierArrive(arrive.barrier(), inst.results().getLast(), Optional.empty()),
            List.of(), w.end.loc()));
      }
      if (Scalars.isZero(loop.inits().get(at))) {
        TileType t = loop.inits().get(at).tile();
        inits.set(at, before.emit(new AsyncOp.Undefined(t.element(), t.shape())));
        AsyncOp.DotAsync d = w.op();
        w.dot.setOp(new AsyncOp.DotAsync(d.a(), d.b(), d.acc(), Optional.of(later), d.precision()));
      }
    }
    body.terminator().setOp(new ControlOp.Yield(yielded));
    guard(region, inst, loop, inits, sums, behind);
  }

  /**
   * Runs the loop, the last wait and the last releases only where there is a round; else the sums are what they started
   * from.
   */
  private void guard(
      Region region, Inst inst, ControlOp.For loop, List<Value> inits, List<Waited> sums, List<Inst> behind) {
    List<Value> outs = new ArrayList<>(inst.results().subList(0, loop.inits().size()));
    int place = region.insts().indexOf(inst);
    region.insts().remove(place);
    Builder b = new Builder(region, place).at(inst.loc());
    Value some = b.compare(CompareKind.LT, loop.lo(), loop.hi());
    Region then = new Region();
    List<Value> inner = new ArrayList<>();
    inits.forEach(v -> inner.add(new Value(v.type())));
    Inst made = new Inst(new ControlOp.For(loop.lo(), loop.hi(), loop.step(), inits, false, loop.body()), inner,
        inst.loc());
    made.annotations().putAll(inst.annotations());
    then.insts().add(made);
    Builder t = new Builder(then).at(inst.loc());
    List<Value> results = new ArrayList<>(inner.subList(0, outs.size()));
    List<Integer> places = sums.stream().map(w -> loop.body().params().indexOf(w.op().acc()) - 1).toList();
    Inst wait = t.append(new AsyncOp.DotWait(0, places.stream().map(inner::get).toList()));
    for (int i = 0; i < places.size(); i++) {
      results.set(places.get(i), wait.results().get(i));
    }
    int extra = outs.size();
    for (Inst arrive : behind) {
      AsyncOp.BarrierArrive a = (AsyncOp.BarrierArrive) arrive.op();
      arrive.setOp(new AsyncOp.BarrierArrive(a.barrier(), inner.get(extra++), Optional.empty()));
      t.insert(arrive);
    }
    t.yield(results);
    Region otherwise = new Region();
    new Builder(otherwise).at(inst.loc()).yield(loop.inits());
    Inst branch = new Inst(new ControlOp.If(some, then, otherwise), outs, inst.loc());
    branch.annotate("seldom", true);
    b.insert(branch);
  }

  // ---------------------------------------------------------------------------------------------- no sum to start from

  private static void startFresh(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(DelayWaits::startFresh);
      if (inst.op() instanceof AsyncOp.DotAsync d && d.keep().isEmpty() && Scalars.isZero(d.acc())) {
        Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
        TileType t = d.acc().tile();
        Value none = b.emit(new AsyncOp.Undefined(t.element(), t.shape()));
        inst.setOp(new AsyncOp.DotAsync(
            d.a(), d.b(), none, Optional.of(b.constant(Literal.of(false))), d.precision()));
      }
    }
  }

  // --------------------------------------------------------------------------------------------- down to the first use

  private void sink(Region region) {
    region.insts().forEach(i -> i.regions().forEach(this::sink));
    // The last one first: where it ends up tells the others how late they need be.
    for (Waited w : waited(region).reversed()) {
      List<Inst> insts = region.insts();
      int from = insts.indexOf(w.end) + w.releases.size() + 1;
      int to = from;
      int groups = 0;
      while (!isEnd(region, w, insts.get(to)) && !isDoneBy(w, insts, from, insts.get(to), groups)) {
        if (insts.get(to).op() instanceof AsyncOp.DotCommit) {
          groups++;
        }
        to++;
      }
      while (to > from && readsRow(insts.get(to - 1))) {
        to--;
      }
      if (to > from) {
        List<Inst> moved = new ArrayList<>(List.of(w.end));
        moved.addAll(w.releases);
        Inst mark = insts.get(to);
        insts.removeAll(moved);
        insts.addAll(insts.indexOf(mark), moved);
        AsyncOp.DotWait op = (AsyncOp.DotWait) w.end.op();
        List<Value> values = new ArrayList<>(op.values());
        if (w.op().a().type() instanceof TileType) {
          // Its registers stay taken until here.
          values.add(w.op().a());
          w.end.addResult(new Value(w.op().a().type()));
        }
        w.end.setOp(new AsyncOp.DotWait(groups, values));
      }
    }
  }

  /**
   * Whether the instruction reads what is the same for all rows: registers that need not be taken beside the product's
   * operands.
   */
  private static boolean readsRow(Inst inst) {
    return switch (inst.op()) {
      case SharedOp.SharedLoad l -> l.shape().size() == 1;
      case ShapeOp.Reshape r -> r.x().definition() != null && readsRow(r.x().definition());
      case ShapeOp.Broadcast b -> b.x().definition() != null && readsRow(b.x().definition());
      default -> false;
    };
  }

  /** Whether the wait must stand before this instruction. */
  private static boolean isEnd(Region region, Waited w, Inst inst) {
    if (inst == region.terminator() || !inst.regions().isEmpty()
        && inst.regions().stream().anyMatch(DelayWaits::isAsynchronous)) {
      return true;
    }
    Value sum = w.end.result();
    boolean uses = inst.operands().contains(sum)
        || inst.regions().stream().anyMatch(r -> Regions.freeValues(r).contains(sum));
    return uses || takesRegistersOf(region, w.op().a(), inst) || needsSlot(region, w, inst);
  }

  /**
   * Whether somebody waits here for a product that was started later, so that this one is done; or the next product but
   * one is started, while this one's operand still takes registers.
   */
  private static boolean isDoneBy(Waited w, List<Inst> insts, int from, Inst inst, int groups) {
    return switch (inst.op()) {
      case AsyncOp.DotWait wait -> insts.subList(from, insts.indexOf(inst)).stream()
          .anyMatch(i -> i.op() instanceof AsyncOp.DotAsync && wait.values().contains(i.result()));
      case AsyncOp.DotFence _ -> groups > 0 && w.op().a().type() instanceof TileType;
      default -> false;
    };
  }

  private static boolean isAsynchronous(Region region) {
    return region.anyMatch(i -> i.op() instanceof AsyncOp);
  }

  /**
   * Whether the instruction computes what the region yields where the left operand is now: as the value the loop
   * carries in its place, or as a branch's value of the same type, where the operand comes from before the branch.
   */
  private static boolean takesRegistersOf(Region region, Value a, Inst inst) {
    if (!(a.type() instanceof TileType) || !(region.terminator().op() instanceof ControlOp.Yield yield)) {
      return false;
    }
    int at = region.params().indexOf(a) - 1;
    if (at >= 0) {
      return inst.results().contains(yield.values().get(at));
    }
    boolean inside = a.definition() != null && region.insts().contains(a.definition());
    return !inside && inst.results().stream().anyMatch(v -> v.type().equals(a.type()) && yield.values().contains(v));
  }

  /** Whether the instruction waits for a slot that the producer may only fill after the release. */
  private static boolean needsSlot(Region region, Waited w, Inst inst) {
    if (!(inst.op() instanceof AsyncOp.BarrierWait wait)) {
      return false;
    }
    int slots = ((BarrierType) wait.barrier().type()).slots();
    return slots < 2 && w.releases.stream().anyMatch(r -> slots(r) < 2);
  }
}
