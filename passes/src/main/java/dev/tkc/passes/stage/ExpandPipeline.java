package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.ReadOnly;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Starts the copies of a staged loop rounds ahead of their use.
 *
 * <pre>
 *   for %lo, %hi [] #{stages = 3} (%k) {        copies for round 0, commit; copies for round 1, commit
 *     copies for %k, commit                      for %lo, %hi [%c0] (%k, %slot) {
 *     wait 0, barrier                       →      wait 1, barrier
 *     … shared_load %b, %c0 …                      copies for %k + 2 steps into the slot before %slot, commit
 *   }                                              … shared_load %b, %slot …
 *                                                }
 * </pre>
 *
 * One barrier a round serves twice: what was waited for is there for every thread, and every thread is done reading the
 * slot that is overwritten next. Copies of rounds past the end are skipped, but their (empty) groups are committed, so
 * that the count in the wait is right to the last round. Loads that pass through registers are started one round ahead,
 * and stored at the start of their round. What copies look up, such as the page that their rows are in, is loaded a
 * round before them and carried, so that nobody waits for it.
 */
public final class ExpandPipeline {
  private final Inst inst;
  private final ControlOp.For loop;
  private final int stages;
  private final List<Inst> copies = new ArrayList<>();
  private final List<Inst> loads = new ArrayList<>();
  private final Ahead ahead;

  private ExpandPipeline(Inst inst, ControlOp.For loop, int stages, ReadOnly readOnly) {
    this.inst = inst;
    this.loop = loop;
    this.stages = stages;
    List<Value> indices = new ArrayList<>();
    for (Inst i : loop.body().insts()) {
      if (i.annotations().containsKey("stage")) {
        (i.op() instanceof SharedOp.CopyAsync ? copies : loads).add(i);
        indices.addAll(i.operands());
      }
    }
    this.ahead = Ahead.of(loop, indices, readOnly).orElseThrow();
  }

  public static void run(Func func, PassContext context) {
    visit(func.body(), new ReadOnly(func));
  }

  private static void visit(Region region, ReadOnly readOnly) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(r -> visit(r, readOnly));
      if (inst.op() instanceof ControlOp.For loop && inst.annotation("stages", 0) >= 2) {
        new ExpandPipeline(inst, loop, (int) inst.annotation("stages", 2), readOnly).expand(region);
        inst.annotations().remove("stages");
      }
    }
  }

  private void expand(Region region) {
    Builder before = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value slotZero = before.constant(0L);
    if (!copies.isEmpty()) {
      for (int round = 0; round < stages - 1; round++) {
        Value position = before.add(loop.lo(), before.constant(round * loop.step()));
        copyRound(position, Optional.empty(), before.constant((long) round), before);
      }
    }
    List<Value> carried = new ArrayList<>(loads.isEmpty() ? List.of() : loadRound(loop.lo(), before));
    if (looksUp()) {
      carried.addAll(lookRound(before.add(loop.lo(), before.constant((stages - 1L) * loop.step())), before));
    }

    List<Value> inits = new ArrayList<>(loop.inits());
    inits.add(slotZero);
    inits.addAll(carried);
    Region old = loop.body();
    Region body = new Region(old.params());
    Value slot = new Value(TileType.integer(), "slot");
    body.params().add(slot);
    List<Value> held = new ArrayList<>();
    carried.forEach(v -> held.add(new Value(v.type(), v.name())));
    body.params().addAll(held);
    fill(old, body, slot, held);

    inst.setOp(new ControlOp.For(loop.lo(), loop.hi(), loop.step(), inits, false, body));
    inst.addResult(new Value(TileType.integer()));
    carried.forEach(v -> inst.addResult(new Value(v.type())));
  }

  /** Whether copies need values from memory, which are carried behind the loads' own. */
  private boolean looksUp() {
    return !copies.isEmpty() && !ahead.lookups().isEmpty();
  }

  private void fill(Region old, Region body, Value slot, List<Value> held) {
    Builder b = new Builder(body).at(inst.loc());
    Value position = body.params().getFirst();
    Value one = b.constant(1L);
    Value zero = b.constant(0L);
    Value last = b.constant(stages - 1L);
    Value wrapped = b.emit(new ElementwiseOp.Select(b.compare(CompareKind.EQ, slot, last), zero, b.add(slot, one)));
    if (!copies.isEmpty()) {
      b.append(new SharedOp.CopyWait(stages - 2));
    }
    b.append(new SharedOp.Barrier());
    if (!copies.isEmpty()) {
      Value next = b.add(position, b.constant((stages - 1L) * loop.step()));
      Value free = b.emit(new ElementwiseOp.Select(b.compare(CompareKind.EQ, slot, zero), last, b.sub(slot, one)));
      copyRound(next, Optional.of(held.subList(loads.size(), held.size())), free, b);
    }
    List<Value> found = looksUp() ? lookRound(b.add(position, b.constant((long) stages * loop.step())), b) : List.of();
    Map<Value, Value> replaced = new HashMap<>();
    for (int i = 0; i < loads.size(); i++) {
      replaced.put(loads.get(i).result(), held.get(i));
    }
    List<Value> following = List.of();
    List<Inst> rest = new ArrayList<>(old.insts());
    rest.removeIf(i -> copies.contains(i) || loads.contains(i) || isProtocol(i));
    boolean stored = loads.isEmpty();
    for (Inst i : rest) {
      i.mapOperands(replaced);
      if (i.op() instanceof SharedOp.SharedLoad load) {
        i.setOp(inSlot(load, slot));
      }
      if (i.op() instanceof ControlOp.Yield yield) {
        List<Value> values = new ArrayList<>(yield.values());
        values.add(wrapped);
        values.addAll(following);
        values.addAll(found);
        i.setOp(new ControlOp.Yield(values));
      } else if (!stored && i.op() instanceof SharedOp.SharedLoad) {
        b.append(new SharedOp.Barrier());
        following = loadRound(b.add(position, b.constant(loop.step())), b);
        stored = true;
      }
      b.insert(i);
    }
  }

  /** What kept a staged round in order and is replaced by the pipeline's own. */
  private boolean isProtocol(Inst i) {
    return i.op() instanceof SharedOp.CopyCommit || i.op() instanceof SharedOp.CopyWait
        || i.op() instanceof SharedOp.Barrier;
  }

  /** The read in a slot, if it is of a ring that this pipeline's copies fill. */
  private Op inSlot(SharedOp.SharedLoad load, Value slot) {
    boolean ring = copies.stream().anyMatch(c -> ((SharedOp.CopyAsync) c.op()).buffer() == load.buffer());
    return ring ? new SharedOp.SharedLoad(load.buffer(), slot, load.offsets(), load.shape()) : load;
  }

  /** The copies for one position into one slot, if it is before the end, and their group's end. */
  private void copyRound(Value position, Optional<List<Value>> found, Value slot, Builder b) {
    Value inside = b.compare(CompareKind.LT, position, loop.hi());
    b.branch(inside, () -> {
      Cloner cloner = found.map(f -> ahead.at(position, f, b)).orElseGet(() -> ahead.at(position, b));
      for (Inst c : copies) {
        SharedOp.CopyAsync copy = (SharedOp.CopyAsync) c.op();
        List<Value> indices = copy.indices().stream().map(cloner::get).toList();
        b.append(new SharedOp.CopyAsync(copy.tensor(), indices, copy.buffer(), slot))
            .annotate("inbounds", c.annotations().get("inbounds"));
      }
      b.yield(List.of());
    }, () -> b.yield(List.of()));
    b.append(new SharedOp.CopyCommit());
  }

  /** The loads for one position, zeros past the end. */
  private List<Value> loadRound(Value position, Builder b) {
    return inside(position, loads, b, () -> {
      Cloner cloner = ahead.at(position, b);
      List<Value> values = new ArrayList<>();
      for (Inst l : loads) {
        MemoryOp.Load load = (MemoryOp.Load) l.op();
        List<Value> indices = load.indices().stream().map(cloner::get).toList();
        values.add(b.append(new MemoryOp.Load(load.tensor(), indices, load.pad()))
            .annotate("inbounds", l.annotations().get("inbounds")).result());
      }
      return values;
    });
  }

  /** What the copies for one position look up, zeros past the end. */
  private List<Value> lookRound(Value position, Builder b) {
    return inside(position, ahead.lookups(), b, () -> ahead.look(position, b));
  }

  private List<Value> inside(Value position, List<Inst> like, Builder b, Supplier<List<Value>> values) {
    Value inside = b.compare(CompareKind.LT, position, loop.hi());
    return b.branch(inside, () -> b.yield(values.get()),
        () -> b.yield(like.stream().map(l -> zero(l.result().tile(), b)).toList())).results();
  }

  private static Value zero(TileType tile, Builder b) {
    Value zero = b.constant(Literal.of(tile.element(), 0));
    return tile.isScalar() ? zero : b.emit(new ShapeOp.Splat(zero, tile.shape()));
  }
}
