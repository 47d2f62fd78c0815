package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.stage.Ring.Cursor;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The consumers: wait for a slot to be full, use it where it is or read it into registers, release it after the last use in the region that the
 * load stood in. Asynchronous products are started and waited for. A tile that is kept is released where it was found again.
 */
final class ConsumerRole extends RoleBody {
  private final TargetInfo target;
  /** The slot that a bulk load's tile is in, and which of the ring's buffers. */
  private final Map<Value, Place> places = new HashMap<>();
  /** Sites to be released behind an instruction. */
  private final Map<Inst, List<RingPlan.Site>> releases = new HashMap<>();
  private final Map<RingPlan.Site, Value> slots = new HashMap<>();

  private record Place(Value buffer, Value slot) {}

  ConsumerRole(RingPlan plan, TargetInfo target) {
    super(plan);
    this.target = target;
  }

  /** Finds behind which instruction of the region each site's slot is free. */
  @Override
  void enter(List<Inst> insts) {
    for (Inst inst : insts) {
      RingPlan.Site site = plan.site(inst);
      if (site != null && site.last() == inst && !site.isKept()) {
        Set<Value> tiles = Collections.newSetFromMap(new java.util.IdentityHashMap<>());
        site.loads().forEach(l -> tiles.add(l.result()));
        Inst last = inst;
        for (Inst user : insts) {
          if (uses(user, tiles)) {
            last = user;
            if (user.op() instanceof ShapeOp.Permute) {
              tiles.add(user.result());
            }
          }
        }
        releases.computeIfAbsent(last, _ -> new ArrayList<>()).add(site);
      }
    }
  }

  private static boolean uses(Inst inst, Set<Value> values) {
    return inst.operands().stream().anyMatch(values::contains)
        || inst.regions().stream().anyMatch(r -> Regions.freeValues(r).stream().anyMatch(values::contains));
  }

  @Override
  void plain(Builder b, Inst inst) {
    RingPlan.Site site = plan.site(inst);
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
    return v.definition() != null && plan.site(v.definition()) != null;
  }

  private boolean isAsync(Inst inst) {
    return inst.annotations().get("instruction") instanceof String name && target.asyncMatrix(name).isPresent();
  }

  @Override
  void after(Builder b, Inst inst) {
    for (RingPlan.Site site : releases.getOrDefault(inst, List.of())) {
      b.append(new AsyncOp.BarrierArrive(site.ring().empty(), slots.get(site), Optional.empty()));
    }
  }

  private void receive(Builder b, RingPlan.Site site) {
    Cursor at = cursor(site.ring());
    // What a kept load waited for is there already.
    Value slot = site.isAgain() ? site.ring().before(b, at) : at.slot();
    if (!site.isAgain()) {
      b.append(new AsyncOp.BarrierWait(site.ring().full(), at.slot(), at.parity()));
    }
    slots.put(site, slot);
    for (int i = 0; i < site.loads().size(); i++) {
      Value tile = site.loads().get(i).result();
      Value buffer = site.ring().buffer(i);
      places.put(tile, new Place(buffer, slot));
      if (!plan.onlyProducts(tile)) {
        List<Integer> shape = tile.tile().shape();
        copies.define(tile, b.emit(new SharedOp.SharedLoad(buffer, slot, StageLoads.zeros(shape.size()), shape)));
      }
    }
    if (!site.isAgain()) {
      advance(b, site.ring());
    }
  }

  private void dot(Builder b, Inst inst, MatrixOp.Dot dot) {
    Value x = view(b, dot.a()).orElseGet(() -> copies.get(dot.a()));
    Value y = view(b, dot.b()).orElseThrow();
    b.append(new AsyncOp.DotFence());
    Inst made = b.append(new AsyncOp.DotAsync(x, y, copies.get(dot.acc()), Optional.empty(), dot.precision()));
    made.annotations().putAll(inst.annotations());
    b.append(new AsyncOp.DotCommit());
    Inst done = b.append(new AsyncOp.DotWait(0, List.of(made.result())));
    done.result().setName(inst.result().name());
    copies.define(inst.result(), done.result());
  }

  /** The operand where it lies in shared memory, if it does. */
  private Optional<Value> view(Builder b, Value v) {
    Place place = places.get(v);
    if (place != null) {
      SharedType t = (SharedType) place.buffer.type();
      int rank = t.shape().size();
      return Optional.of(b.emit(new AsyncOp.SharedView(place.buffer, place.slot, StageLoads.zeros(rank), t.shape(),
          IntStream.range(0, rank).boxed().toList())));
    }
    if (v.definition() != null && v.definition().op() instanceof ShapeOp.Permute p && places.containsKey(p.x())) {
      Place from = places.get(p.x());
      SharedType t = (SharedType) from.buffer.type();
      return Optional.of(b.emit(new AsyncOp.SharedView(
          from.buffer, from.slot, StageLoads.zeros(t.shape().size()), t.shape(), p.order())));
    }
    return Optional.empty();
  }
}
