package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.stage.Ring.Cursor;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The consumers: wait for a slot to be full, use it where it is or read it into registers, release it after the last
 * use in the region that the load stood in. Asynchronous products are started and waited for. A tile that is kept is
 * released where it was found again.
 *
 * <p>What is handed over is written to a slot where it is computed, and each product that reads it waits for all warps'
 * parts:
 *
 * <pre>
 *   %x = …                    %x = …  barrier_wait %empty, %slot, …  shared_store %buffer, %slot, %x  proxy_fence
 *                             barrier_arrive %full, %slot
 *   %d = dot %a, %x, %c   →   …
 *                             barrier_wait %full, %slot, %parity  %v = shared_view %buffer, %slot  dot_async %a, %v, …
 *                             dot_wait   barrier_arrive %empty, %slot
 * </pre>
 *
 * Where a loop carries a tile in a slot, it carries the slot, and whoever uses it last in the next round, or behind the
 * loop, releases it.
 */
final class ConsumerRole extends RoleBody {
  private final TargetInfo target;
  private final boolean sparing;
  /** The slot that a tile is in, and which of the ring's buffers. */
  private final Map<Value, Place> places = new HashMap<>();
  /** Tiles whose slots are to be released behind an instruction. */
  private final Map<Inst, List<Value>> releases = new HashMap<>();

  /** Rows that are read into registers only when somebody uses them. */
  private final Set<Value> unread = new HashSet<>();

  /** Tiles that are written to a slot, of which nobody has been told. */
  private final Set<Value> unpublished = new LinkedHashSet<>();

  private record Place(Ring ring, int member, Value slot, Cursor at) {
    static Place at(Ring ring, int member, Cursor cursor) {
      return new Place(ring, member, cursor.slot(), cursor);
    }

    Value buffer() {
      return ring.buffer(member);
    }
  }

  /** {@code sparing}: left operands that are in registers, and handed over too, are read from memory all the same. */
  ConsumerRole(RingPlan plan, TargetInfo target, boolean sparing) {
    super(plan);
    this.target = target;
    this.sparing = sparing;
  }

  @Override
  boolean walks(Ring ring) {
    return true;
  }

  // ------------------------------------------------------------------------------------------------ who releases

  /** Finds behind which instruction of the region each slot is free, unless the region passes it on. */
  @Override
  void enter(Builder b, List<Value> params, List<Inst> insts) {
    for (Value p : params) {
      if (places.containsKey(p)) {
        release(b, insts, null, List.of(p));
      }
    }
    for (Inst inst : insts) {
      RingPlan.Site site = plan.site(inst);
      if (site != null && site.last() == inst && !site.isKept()) {
        release(b, insts, inst, site.sources().stream().map(Inst::result).toList());
      }
      for (int n : plan.shared().carried(inst)) {
        release(b, insts, inst, List.of(inst.results().get(n)));
      }
    }
  }

  private void release(Builder b, List<Inst> insts, Inst from, List<Value> together) {
    Set<Value> tiles = Collections.newSetFromMap(new IdentityHashMap<>());
    tiles.addAll(together);
    Inst last = from;
    for (Inst user : insts) {
      if (uses(user, tiles)) {
        if (passesOn(user, tiles)) {
          return;
        }
        last = user;
        if (user.op() instanceof ShapeOp.Permute) {
          tiles.add(user.result());
        }
      }
    }
    if (last == null) {
      release(b, together.getFirst());
    } else if (together.size() > 1 && !isAsync(last)) {
      // Behind the product that follows, whose wait tells that those before it are done too.
      int at = insts.indexOf(last);
      Inst next = insts.subList(at, insts.size()).stream().filter(this::isAsync).findFirst().orElse(last);
      releases.computeIfAbsent(next, _ -> new ArrayList<>()).add(together.getFirst());
    } else {
      releases.computeIfAbsent(last, _ -> new ArrayList<>()).add(together.getFirst());
    }
  }

  private boolean passesOn(Inst user, Set<Value> tiles) {
    return switch (user.op()) {
      case ControlOp.For loop -> plan.shared().carried(user).stream()
          .anyMatch(n -> tiles.contains(loop.inits().get(n)));
      case ControlOp.If _ -> user.regions().stream()
          .anyMatch(r -> r.insts().stream().anyMatch(i -> passesOn(i, tiles)));
      case ControlOp.Yield y -> y.values().stream().anyMatch(v -> tiles.contains(v) && plan.shared().flows(v));
      default -> false;
    };
  }

  private static boolean uses(Inst inst, Set<Value> values) {
    return inst.operands().stream().anyMatch(values::contains)
        || inst.regions().stream().anyMatch(r -> Regions.freeValues(r).stream().anyMatch(values::contains));
  }

  private void release(Builder b, Value tile) {
    Place place = places.get(tile);
    b.append(new AsyncOp.BarrierArrive(place.ring.empty(), place.slot, Optional.empty()));
  }

  // ------------------------------------------------------------------------------------------------ instructions

  @Override
  void plain(Builder b, Inst inst) {
    inst.operands().stream().filter(unread::remove).forEach(v -> read(b, v));
    RingPlan.Site site = plan.copy(inst);
    if (site != null) {
      if (site.last() == inst) {
        receive(b, site);
      }
    } else if (inst.op() instanceof MatrixOp.Dot dot && isAsync(inst)) {
      dot(b, inst, dot);
    } else if (!(inst.op() instanceof ShapeOp.Permute p && isReceived(p.x()) && plan.onlyProducts(p.x()))) {
      b.insert(copies.clone(inst));
    }
  }

  /** Whether the value is copied by the producer: received here already, or with what is copied after it. */
  private boolean isReceived(Value v) {
    return v.definition() != null && plan.copy(v.definition()) != null
        || places.containsKey(v) && !places.get(v).ring.handed;
  }

  private boolean isAsync(Inst inst) {
    return inst.annotations().get("instruction") instanceof String name && target.asyncMatrix(name).isPresent();
  }

  @Override
  void after(Builder b, Inst inst) {
    RingPlan.Site site = plan.site(inst);
    if (site != null && site.ring().handed) {
      hand(b, site);
    }
    for (Value tile : releases.getOrDefault(inst, List.of())) {
      release(b, tile);
    }
  }

  private void receive(Builder b, RingPlan.Site site) {
    Cursor at = cursor(site.ring());
    // What a kept load waited for is there already.
    Value slot = site.isAgain() ? site.ring().before(b, at) : at.slot();
    if (!site.isAgain()) {
      b.append(new AsyncOp.BarrierWait(site.ring().full(), at.slot(), at.parity()));
    }
    for (int i = 0; i < site.sources().size(); i++) {
      Value tile = site.sources().get(i).result();
      Place place = new Place(site.ring(), i, slot, at);
      places.put(tile, place);
      TileType t = tile.tile();
      if (!plan.onlyProducts(tile) && t.rank() == 1 && plan.isUsedBeside(tile)) {
        unread.add(tile);
      } else if (!plan.onlyProducts(tile)) {
        read(b, tile);
      } else if (plan.shared().flows(tile)) {
        copies.define(tile, b.emit(new AsyncOp.Undefined(t.element(), t.shape())));
      }
    }
    if (!site.isAgain()) {
      advance(b, site.ring());
    }
  }

  private void read(Builder b, Value tile) {
    Place place = places.get(tile);
    List<Integer> shape = tile.tile().shape();
    copies.define(tile,
        b.emit(new SharedOp.SharedLoad(place.buffer(), place.slot, StageLoads.zeros(shape.size()), shape)));
  }

  private void hand(Builder b, RingPlan.Site site) {
    Ring ring = site.ring();
    Cursor at = cursor(ring);
    Value tile = site.last().result();
    Place place = Place.at(ring, 0, at);
    places.put(tile, place);
    b.append(new AsyncOp.BarrierWait(ring.empty(), at.slot(), at.emptied(b)));
    b.append(new SharedOp.SharedStore(place.buffer(), at.slot(), copies.get(tile))).annotate("ordered", true);
    b.append(new AsyncOp.ProxyFence());
    if (sparing && plan.isLeft(tile)) {
      unpublished.add(tile);
      if (!plan.isLeftBeside(tile)) {
        publish(b, tile);
      }
    } else {
      b.append(new AsyncOp.BarrierArrive(ring.full(), at.slot(), Optional.empty()));
    }
    advance(b, ring);
  }

  /**
   * Says that a group's rows are written. Its rows are those of the products that take the tile as it is, so that who
   * wrote them is who reads them: see group-stores. Only before the first such product, so that those in between start
   * sooner.
   */
  private void publish(Builder b, Value tile) {
    if (unpublished.remove(tile)) {
      Place place = places.get(tile);
      b.append(new SharedOp.Barrier()).annotate("own", true);
      b.append(new AsyncOp.BarrierArrive(place.ring.full(), place.slot, Optional.empty()));
    }
  }

  @Override
  void beforeRegions(Builder b) {
    List.copyOf(unpublished).forEach(v -> publish(b, v));
  }

  private void dot(Builder b, Inst inst, MatrixOp.Dot dot) {
    Value x = isComputed(dot.a()) && !(sparing && isHere(dot.a())) ? copies.get(dot.a())
        : view(b, dot.a(), isHere(dot.a())).orElseGet(() -> copies.get(dot.a()));
    Value y = view(b, dot.b(), false).orElseThrow();
    b.append(new AsyncOp.DotFence());
    Inst made = b.append(new AsyncOp.DotAsync(x, y, copies.get(dot.acc()), Optional.empty(), dot.precision()));
    made.annotations().putAll(inst.annotations());
    b.append(new AsyncOp.DotCommit());
    Inst done = b.append(new AsyncOp.DotWait(0, List.of(made.result())));
    done.result().setName(inst.result().name());
    copies.define(inst.result(), done.result());
  }

  /** Whether a left operand is computed and not transposed: it is in registers, even if others read it from memory. */
  private boolean isComputed(Value left) {
    return places.containsKey(left) && places.get(left).ring.handed;
  }

  /** Whether a tile was handed over in this round, in the order of the program, so that a barrier has made it known. */
  private boolean isHere(Value left) {
    return left.definition() != null && plan.site(left.definition()) != null
        && plan.site(left.definition()).ring().handed;
  }

  /**
   * The operand where it lies in shared memory, if it does; one that was handed over is there when all have written it,
   * but for rows of the warps' own.
   */
  private Optional<Value> view(Builder b, Value v, boolean own) {
    Value source = places.containsKey(v) ? v : SharedOperands.source(v);
    Place place = places.get(source);
    if (place == null) {
      return Optional.empty();
    }
    publish(b, source);
    if (place.ring.handed && !own) {
      b.append(new AsyncOp.BarrierWait(place.ring.full(), place.slot, place.at.parity()));
    }
    SharedType t = (SharedType) place.buffer().type();
    int rank = t.shape().size();
    List<Integer> order = source == v ? IntStream.range(0, rank).boxed().toList()
        : ((ShapeOp.Permute) v.definition().op()).order();
    return Optional.of(b.emit(
        new AsyncOp.SharedView(place.buffer(), place.slot, StageLoads.zeros(rank), t.shape(), order)));
  }

  // ------------------------------------------------------------------------------------------------ carried slots

  @Override
  List<Value> carried(Builder b, Inst inst, List<Value> values) {
    List<Value> held = new ArrayList<>();
    for (int n : plan.shared().carried(inst)) {
      Place place = places.get(values.get(n));
      held.add(place.at.position());
    }
    return held;
  }

  @Override
  void take(Builder b, Inst inst, List<Value> values, List<Value> held) {
    int next = 0;
    for (int n : plan.shared().carried(inst)) {
      Value init = inst.op() instanceof ControlOp.For loop ? loop.inits().get(n)
          : inst.regions().getFirst().terminator().operands().get(n);
      Place first = places.get(init);
      places.put(values.get(n), Place.at(first.ring, first.member, first.ring.at(b, held.get(next++))));
    }
  }
}
