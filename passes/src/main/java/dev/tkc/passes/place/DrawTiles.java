package dev.tkc.passes.place;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.OneThread;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scalars;
import dev.tkc.passes.tile.PersistGrid;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lets the blocks of a function whose tiles take different times draw their tiles from a counter, instead of taking
 * every so many numbers: who has had short tiles has more of them.
 *
 * <pre>
 *   role {name = "producer"} {                          role {name = "producer"} {
 *     for %b, %tiles [] (%tile) #{tiles} {                while %b, %tiles [%0] (%tile, %parity) {
 *       …copies…                                            %n = number_draw %counter, %tiles
 *     }                                                     …copies…
 *   }                                                       barrier_wait %taken, %0, (1 - %parity)
 *                                                           %next = number_post %n, %numbers, %0, %drawn, %0
 *                                                →          yield [%next, (1 - %parity)]
 *   role {name = "consumer"} {                          } }
 *     for %b, %tiles [] (%tile) #{tiles} {              role {name = "consumer"} {
 *       …products…                                        while %b, %tiles [%0] (%tile, %parity) {
 *     }                                                     …products…
 *   }                                                       barrier_wait %drawn, %0, %parity
 *                                                           %next = number_read %numbers, %0
 *                                                           barrier_arrive %taken, %0
 *                                                           yield [%next, (1 - %parity)]
 *                                                       } }
 * </pre>
 *
 * Every block's first tile is still its own number. The producer draws at the start of a tile, whose copies take longer
 * than the answer; it needs the number first, and hands it on when it has used it. Where the body says what its next
 * tile is ({@link PersistGrid#NEXT_TILE}), it is said there instead of at the end. One slot is enough: the producer
 * waits for it only when a whole tile ahead.
 *
 * <p>The counter is a parameter that the host gives each launch: numbers wrap around to 0 by themselves, when every
 * block has been given one that is no tile's, so nothing is to be done between launches. Those that may run side by
 * side have counters of their own, as they have scratch memory.
 *
 * <p>At the end, since the trip count of a loop over tiles is unknown from here on. Needs the loops that
 * {@link PersistGrid} marks, one role that {@link OneThread} can do to draw, and in every other role the same loop
 * under the same conditions; leaves alone what has no such loop, and a loop that no role draws for.
 */
public final class DrawTiles {
  /** A branch around a loop: its condition and side. */
  private record Turn(Value condition, boolean then) {}

  /** A loop over tiles, where it stands. */
  private record Found(Region region, Inst inst, ControlOp.For loop) {}

  private final Func func;
  private final Value counter = new Value(new PointerType(Element.I32), "counter");
  private Value numbers;
  private Value drawn;
  private Value taken;

  private DrawTiles(Func func) {
    this.func = func;
  }

  public static void run(Module module, PassContext context) {
    for (Func f : module.funcs()) {
      if (f.kind() == Func.Kind.DEVICE && Boolean.TRUE.equals(f.annotations().get("uneven"))) {
        context.enter(f);
        if (new DrawTiles(f).draw()) {
          give(module.kernel().body(), f);
        }
      }
    }
  }

  /** The launches of the function get a counter each. */
  private static void give(Region host, Func func) {
    for (Inst inst : List.copyOf(host.insts())) {
      if (inst.op() instanceof ControlOp.Launch launch && launch.callee().equals(func.name())) {
        Builder b = new Builder(host, host.insts().indexOf(inst)).at(inst.loc());
        Value counter = b.emit(new MemoryOp.Counter(b.constant(1)));
        counter.setName("counter");
        List<Value> arguments = new ArrayList<>(launch.arguments());
        arguments.add(counter);
        inst.setOp(new ControlOp.Launch(launch.callee(), launch.grid(), arguments));
      }
    }
  }

  private boolean draw() {
    List<Inst> roles = func.body().insts().stream().filter(i -> i.op() instanceof ControlOp.Role).toList();
    Map<Inst, Map<List<Turn>, Found>> loops = new LinkedHashMap<>();
    for (Inst role : roles) {
      Optional<Map<List<Turn>, Found>> found = loops(((ControlOp.Role) role.op()).body());
      if (found.isEmpty()) {
        return false;
      }
      loops.put(role, found.get());
    }
    Optional<Inst> drawer = roles.stream()
        .filter(r -> OneThread.suffices(((ControlOp.Role) r.op()).body())).findFirst();
    if (drawer.isEmpty() || roles.size() < 2) {
      return false;
    }
    List<List<Turn>> common = loops.get(drawer.get()).keySet().stream()
        .filter(path -> loops.values().stream().allMatch(l -> l.containsKey(path))).toList();
    if (common.isEmpty()) {
      return false;
    }
    int readers = roles.stream().filter(r -> r != drawer.get()).mapToInt(r -> ((ControlOp.Role) r.op()).warps()).sum();
    allocate(readers);
    for (Inst role : roles) {
      common.forEach(path -> open(loops.get(role).get(path), role == drawer.get()));
    }
    return true;
  }

  /** The loops over tiles in a role by the branches around them; none if two of them may run one after the other. */
  private static Optional<Map<List<Turn>, Found>> loops(Region role) {
    Map<List<Turn>, Found> found = new LinkedHashMap<>();
    return collect(role, List.of(), found) && !found.isEmpty() ? Optional.of(found) : Optional.empty();
  }

  private static boolean collect(Region region, List<Turn> path, Map<List<Turn>, Found> into) {
    int before = into.size();
    for (Inst inst : region.insts()) {
      int already = into.size();
      if (inst.op() instanceof ControlOp.For loop && inst.flag(PersistGrid.TILES)) {
        if (loop.reversed() || inLoop(loop.body()) || into.put(path, new Found(region, inst, loop)) != null) {
          return false;
        }
      } else if (inst.op() instanceof ControlOp.If branch) {
        if (!collect(branch.then(), with(path, branch.condition(), true), into)
            || !collect(branch.otherwise(), with(path, branch.condition(), false), into)) {
          return false;
        }
      } else if (inst.regions().stream().anyMatch(r -> has(r, PersistGrid.TILES))) {
        return false;
      }
      if (into.size() > already && already > before) {
        return false;
      }
    }
    return true;
  }

  private static boolean has(Region region, String flag) {
    return region.anyMatch(i -> i.flag(flag));
  }

  /** Whether a loop, which has any number of rounds, says what is the next tile. */
  private static boolean inLoop(Region body) {
    return body.anyMatch(i -> i.op() instanceof ControlOp.For f && has(f.body(), PersistGrid.NEXT_TILE));
  }

  private static List<Turn> with(List<Turn> path, Value condition, boolean then) {
    List<Turn> longer = new ArrayList<>(path);
    longer.add(new Turn(condition, then));
    return longer;
  }

  /** The slot for the number, its barriers, and the counter, in front of the barrier that makes barriers known. */
  private void allocate(int readers) {
    List<Inst> insts = func.body().insts();
    int place = 0;
    for (int i = 0; i < insts.size(); i++) {
      place = insts.get(i).op() instanceof SharedOp.Barrier ? i : place;
    }
    Builder b = new Builder(func.body(), place).at(func.loc());
    SharedType slot = SharedBuffers.placed(SharedType.of(Element.I32, List.of(1), 1));
    numbers = b.append(new SharedOp.SharedAlloc(slot, "numbers"), List.of(slot)).result();
    numbers.setName("numbers");
    drawn = b.emit(new AsyncOp.BarrierAlloc(1, 1, "drawn"));
    drawn.setName("drawn");
    taken = b.emit(new AsyncOp.BarrierAlloc(1, readers, "taken"));
    taken.setName("taken");
    func.params().add(new Param(counter, 1));
  }

  /** Makes the loop one whose body says which tile is next. */
  private void open(Found found, boolean draws) {
    Inst inst = found.inst;
    Region body = found.loop.body();
    Value parity = alternating(found.loop).orElseGet(() -> alternate(found));
    ControlOp.For loop = (ControlOp.For) inst.op();
    Optional<Value> own = draws
        ? Optional.of(new Builder(body, 0).at(inst.loc()).emit(new AsyncOp.NumberDraw(counter, loop.hi()))) : Optional
            .empty();
    Value next = next(body, own, parity);
    List<Value> yielded = new ArrayList<>(List.of(next));
    yielded.addAll(((ControlOp.Yield) body.terminator().op()).values());
    body.terminator().setOp(new ControlOp.Yield(yielded));
    inst.setOp(new ControlOp.While(loop.lo(), loop.hi(), loop.inits(), body));
  }

  /**
   * The number of the next tile, said where the region says it, in a branch perhaps, or else at its end: on every way
   * through the region once.
   */
  private Value next(Region region, Optional<Value> own, Value parity) {
    for (Inst inst : region.insts()) {
      if (inst.flag(PersistGrid.NEXT_TILE)) {
        Value next = handOver(new Builder(region, region.insts().indexOf(inst)).at(inst.loc()), own, parity);
        region.insts().remove(inst);
        region.replaceUses(Map.of(inst.result(), next));
        return next;
      }
      if (inst.op() instanceof ControlOp.If branch
          && inst.regions().stream().anyMatch(r -> has(r, PersistGrid.NEXT_TILE))) {
        for (Region side : List.of(branch.then(), branch.otherwise())) {
          Value there = next(side, own, parity);
          List<Value> yielded = new ArrayList<>(((ControlOp.Yield) side.terminator().op()).values());
          yielded.add(there);
          side.terminator().setOp(new ControlOp.Yield(yielded));
        }
        inst.addResult(new Value(TileType.integer(), "next"));
        return inst.results().getLast();
      }
    }
    return handOver(end(region), own, parity);
  }

  private Value handOver(Builder b, Optional<Value> own, Value parity) {
    Value next = own.isPresent() ? post(b, own.get(), parity) : take(b, parity);
    next.setName("next");
    return next;
  }

  /**
   * What the loop carries already that is 0 in the first round, 1 in the next, and so on: the parity of a ring of one
   * slot.
   */
  private static Optional<Value> alternating(ControlOp.For loop) {
    List<Value> yielded = ((ControlOp.Yield) loop.body().terminator().op()).values();
    for (int i = 0; i < yielded.size(); i++) {
      Value carried = loop.body().params().get(i + 1);
      if (carried.type().equals(TileType.scalar(Element.I32)) && Scalars.isZero(loop.inits().get(i))
          && alternates(yielded.get(i), carried)) {
        return Optional.of(carried);
      }
    }
    return Optional.empty();
  }

  /** Whether the value is {@code (x + 1) & 1}, as the cursor of a ring goes on. */
  private static boolean alternates(Value value, Value x) {
    return value.definition() != null && value.definition().op() instanceof ElementwiseOp.Binary b
        && b.kind() == BinaryKind.AND && Regions.isInteger(b.rhs(), 1) && b.lhs().definition() != null
        && b.lhs().definition().op() instanceof ElementwiseOp.Binary sum && sum.kind() == BinaryKind.ADD
        && sum.lhs() == x && Regions.isInteger(sum.rhs(), 1);
  }

  private static Value one(Builder b) {
    return b.constant(Literal.of(Element.I32, 1));
  }

  /** Lets the loop carry such a value. */
  private static Value alternate(Found found) {
    ControlOp.For loop = found.loop;
    Region body = loop.body();
    Value start = new Builder(found.region, found.region.insts().indexOf(found.inst)).at(found.inst.loc())
        .constant(Literal.of(Element.I32, 0));
    Value parity = new Value(start.type(), "parity");
    body.params().add(parity);
    List<Value> yielded = new ArrayList<>(((ControlOp.Yield) body.terminator().op()).values());
    Builder last = end(body);
    yielded.add(last.sub(one(last), parity));
    body.terminator().setOp(new ControlOp.Yield(yielded));
    List<Value> inits = new ArrayList<>(loop.inits());
    inits.add(start);
    found.inst.setOp(new ControlOp.For(loop.lo(), loop.hi(), loop.step(), inits, false, body));
    found.inst.addResult(new Value(start.type()));
    return parity;
  }

  private static Builder end(Region body) {
    return new Builder(body, body.insts().size() - 1).at(body.terminator().loc());
  }

  /** Hands on the number that was drawn at the start of the round. */
  private Value post(Builder b, Value number, Value parity) {
    Value slot = b.constant(0);
    b.append(new AsyncOp.BarrierWait(taken, slot, b.sub(one(b), parity)));
    return b.emit(new AsyncOp.NumberPost(number, numbers, slot, drawn, slot));
  }

  private Value take(Builder b, Value parity) {
    Value slot = b.constant(0);
    b.append(new AsyncOp.BarrierWait(drawn, slot, parity));
    Value next = b.emit(new AsyncOp.NumberRead(numbers, slot));
    b.append(new AsyncOp.BarrierArrive(taken, slot, Optional.empty()));
    return next;
  }
}
