package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.EliminateDead;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Splits a function with asynchronous products into a producer, which copies, and consumers, which compute.
 *
 * <pre>
 *   for %k … {                                   %a = shared_alloc …  %full = barrier_alloc …  %empty = barrier_alloc …
 *     %x = load %ta, […], _ #{bulk}              barrier
 *     %y = load %tb, […], _ #{bulk}              role {name = "producer", warps = 4} { for %k … { … copy_bulk … } }
 *     %d = dot %x, %y, %c #{instruction = "…"} → role {name = "consumer", warps = 8} {
 *     …                                            for %k { barrier_wait %full  dot_async  dot_wait  barrier_arrive … }
 *   }                                              …
 *   …                                            }
 * </pre>
 *
 * Both roles walk the same loops and branches, so each counts the slots of a ring by itself. Scalars, tensors and
 * ranges that do not depend on memory stay in front of the roles. Products are waited for at once, and slots released
 * right after their last use in the region that copies them; {@link DelayWaits} makes that late. {@link RingRoom} says
 * how many slots each ring has.
 *
 * <p>Needs what {@link ChooseAsync} marks; leaves other functions alone. The block's warps become the {@code warps} of
 * the consumers and {@link #PRODUCER_WARPS} more.
 */
public final class PartitionRoles {
  static final int PRODUCER_WARPS = RoleRegisters.PRODUCER_WARPS;

  /** Up to so many registers of a thread for tiles, left operands may be in registers though they are in memory too. */
  private static final long LAVISH_REGISTERS = 184;

  private final Func func;
  private final TargetInfo target;
  private final RingPlan plan;
  private final int consumers;
  /** Whether consumers need all registers there are. */
  private boolean sparing;

  private PartitionRoles(Func func, TargetInfo target) {
    this.func = func;
    this.target = target;
    this.plan = new RingPlan(func.body(), target);
    this.consumers = (int) func.annotation("warps", 8);
  }

  public static void run(Func func, PassContext context) {
    if (func.body().anyMatch(RingPlan::isBulk)) {
      new PartitionRoles(func, context.target()).partition();
      // What only one role needs is computed where that one needs it, even if equal values are merged later.
      EliminateDead.run(func, context);
    }
  }

  private void partition() {
    new RingRoom(func, plan, target).choose();
    sparing = isTight();
    List<Inst> old = new ArrayList<>(func.body().insts());
    List<Inst> rest = new ArrayList<>();
    func.body().insts().clear();
    Set<Value> inRoles = new HashSet<>();
    for (Inst inst : old.subList(0, old.size() - 1)) {
      boolean prelude = isPrelude(inst) && inst.operands().stream().noneMatch(inRoles::contains);
      (prelude ? func.body().insts() : rest).add(inst);
      if (!prelude) {
        inRoles.addAll(inst.results());
      }
    }
    Builder b = new Builder(func.body()).at(func.loc());
    plan.rings().forEach(r -> allocate(b, r));
    b.at(func.loc()).append(new SharedOp.Barrier());
    RoleRegisters registers = RoleRegisters.of(target, consumers, plan.rings().stream().anyMatch(plan::holds), sparing);
    role(b, "producer", PRODUCER_WARPS, registers.producer(), rest, new ProducerRole(plan));
    role(b, "consumer", consumers, registers.consumer(), rest, new ConsumerRole(plan, target, sparing));
    b.insert(old.getLast());
    func.annotations().put("warps", (long) PRODUCER_WARPS + consumers);
  }

  /** Whether tiles leave few registers to the rest. */
  private boolean isTight() {
    long threads = (long) target.lanes() * consumers;
    Set<Inst> leaving = StoreSlices.onTheWayOut(func, i -> i.flag("bulk"));
    RegisterPressure pressure = new RegisterPressure(func.body(), threads, i -> RotateLoops.isAsynchronous(i, target),
        v -> plan.isInMemory(v) || v.definition() != null && leaving.contains(v.definition()));
    return pressure.most(func.body()) > LAVISH_REGISTERS;
  }

  private static void role(Builder b, String name, int warps, int registers, List<Inst> insts, RoleBody body) {
    Region region = new Region();
    b.in(region, () -> {
      body.build(b, insts);
      b.yield(List.of());
    });
    b.append(new ControlOp.Role(name, warps, registers, region));
  }

  /** What may be computed once for every role, if it depends on nothing else than its like. */
  private static boolean isPrelude(Inst inst) {
    return inst.regions().isEmpty() && Effects.isPure(inst)
        && inst.results().stream().noneMatch(r -> r.type() instanceof TileType t && t.rank() > 0);
  }

  private void allocate(Builder b, Ring ring) {
    List<Value> buffers = new ArrayList<>();
    for (int n = 0; n < ring.members.size(); n++) {
      Ring.Member m = ring.members.get(n);
      SharedType type = SharedType.of(m.type().element(), m.type().shape(), ring.stages());
      Value buffer = b.at(plan.loc(ring, n)).emit(new SharedOp.SharedAlloc(type, m.name()));
      buffer.setName(m.name());
      buffers.add(buffer);
    }
    String name = String.join("_", ring.members.stream().map(Ring.Member::name).toList());
    Value full = b.emit(new AsyncOp.BarrierAlloc(ring.stages(), ring.handed ? consumers : 1, name + "_full"));
    Value empty = b.emit(new AsyncOp.BarrierAlloc(ring.stages(), consumers, name + "_empty"));
    full.setName(name + "_full");
    empty.setName(name + "_empty");
    ring.place(buffers, full, empty);
  }
}
