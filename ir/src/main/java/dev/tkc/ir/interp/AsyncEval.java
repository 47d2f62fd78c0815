package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.AsyncOp;
import java.util.ArrayList;
import java.util.List;

/**
 * Bulk copies, transaction barriers and asynchronous dots, each op by its whole team. What is asynchronous happens as
 * late as what waits for it allows, and {@link Hazards} watches what it touches until then.
 */
final class AsyncEval {
  private final Machine machine;

  AsyncEval(Machine machine) {
    this.machine = machine;
  }

  List<? extends Datum> evaluate(Inst inst, AsyncOp op, Frame frame) {
    Team team = frame.team();
    switch (op) {
      case AsyncOp.BarrierAlloc o -> {
        return List.of(new BarrierRing(frame.block().state(), o.name(), o.slots(), o.arrivals(), team.ordinary(inst)));
      }
      case AsyncOp.BarrierExpect o -> slot(inst, o.barrier(), o.slot(), team.elected, frame)
          .expect(inst, o.bytes(), team.elected);
      case AsyncOp.BarrierArrive o -> arrive(inst, o, frame);
      case AsyncOp.BarrierWait o -> begin(inst, o, frame).forEach(w -> await(w, frame));
      case AsyncOp.CopyBulk o -> copy(inst, o, frame);
      case AsyncOp.PrefetchBulk o -> footprint(inst, o.tensor(), o.indices(), frame);
      case AsyncOp.StoreBulk o -> store(inst, o, frame);
      case AsyncOp.StoreCommit _ -> team.storing.commit();
      case AsyncOp.StoreWait o -> storeWait(o, team);
      case AsyncOp.ProxyFence _ -> team.proxyFence();
      case AsyncOp.NumberDraw o -> {
        return List.of(draw(inst, o, frame));
      }
      case AsyncOp.NumberPost o -> {
        return List.of(post(inst, o, frame));
      }
      case AsyncOp.NumberRead o -> {
        return List.of(read(inst, o, frame));
      }
      case AsyncOp.SharedView o -> {
        SharedSlots buffer = (SharedSlots) frame.get(o.buffer());
        return List.of(new SlotView(buffer, SharedEval.stage(inst, buffer, o.stage(), frame), o));
      }
      case AsyncOp.Undefined _ -> {
        return List.of(new UndefinedTile(inst));
      }
      case AsyncOp.TurnTake _, AsyncOp.TurnPass _ -> {
        // A team runs as one here: its groups are always in step.
      }
      case AsyncOp.DotFence _ -> team.dotFence = frame.block().state().tiles();
      case AsyncOp.DotAsync o -> {
        return List.of(dot(inst, o, frame));
      }
      case AsyncOp.DotCommit _ -> team.products.commit();
      case AsyncOp.DotWait o -> {
        return dotWait(inst, o, frame);
      }
    }
    return List.of();
  }

  // ------------------------------------------------------------------------------------------------ barriers

  private BarrierSlot slot(Inst inst, Value barrier, Value slot, Clock clock, Frame frame) {
    return slot(inst, barrier, frame.integer(slot), clock, frame);
  }

  /** The slots that the team's groups of warps wait or arrive at, or the one of all. */
  private List<BarrierSlot> slots(Inst inst, Value barrier, Value slot, Frame frame) {
    List<BarrierSlot> found = new ArrayList<>();
    for (int n = 0; n < inst.annotation(AsyncOp.EACH, 1); n++) {
      found.add(slot(inst, barrier, frame.integer(slot) + n, frame.team().all, frame));
    }
    return found;
  }

  private BarrierSlot slot(Inst inst, Value barrier, long s, Clock clock, Frame frame) {
    BarrierRing ring = (BarrierRing) frame.get(barrier);
    if (s < 0 || s >= ring.slots.size()) {
      throw Faults.fault(Code.INDEX_OUTSIDE, inst, "slot " + s + " of " + ring.slots.size() + " barriers");
    }
    frame.block().state().hazards.used(inst, ring, clock);
    return ring.slots.get((int) s);
  }

  private void arrive(Inst inst, AsyncOp.BarrierArrive op, Frame frame) {
    Team team = frame.team();
    List<BarrierSlot> slots = slots(inst, op.barrier(), op.slot(), frame);
    if (op.condition().isPresent() && !frame.tile(op.condition().get()).asBool()) {
      return;
    }
    // Where a phase needs fewer arrivals, what the other warps did is not in it.
    for (int w = slots.size(); w < team.warps; w++) {
      slots.get(w % slots.size()).arrive(team.all);
    }
    slots.forEach(s -> s.arrive(team.arrival()));
  }

  /**
   * The waits that an instruction is, of which most are one. It names a parity, and means the phase of that parity next
   * to what the team knows: nobody may be further behind.
   */
  List<Wait> begin(Inst inst, AsyncOp.BarrierWait op, Frame frame) {
    Team team = frame.team();
    long parity = frame.integer(op.parity());
    if (parity != 0 && parity != 1) {
      throw Faults.fault(Code.INDEX_OUTSIDE, inst, "a phase's parity is 0 or 1, not " + parity);
    }
    return slots(inst, op.barrier(), op.slot(), frame).stream().map(slot -> {
      long known = team.all.of(slot.part);
      return new Wait(inst, slot, (known & 1) == parity ? known : known - 1);
    }).toList();
  }

  /** The team goes on after a wait that is over. */
  void passed(Wait wait, BlockState block, Team team) {
    if (wait.slot().phase() > wait.phase() + 1) {
      throw block.fault(Code.BARRIER_PHASE,
          team.name + " waits for phase " + wait.phase() + " of " + wait.slot().described()
          + ", which is in phase " + wait.slot().phase()).at(wait.inst(), "waits here")
          .note("a wait names a parity only, so it cannot tell the two apart")
          .help("who completes the phases must wait for this one to have seen each").exception();
    }
    team.learn(wait.slot().published());
  }

  /** A wait where nobody else could go on. */
  private void await(Wait wait, Frame frame) {
    BlockState block = frame.block().state();
    while (!wait.isOver()) {
      if (!block.landFor(List.of(wait))) {
        throw Roles.deadlock(block, List.of(frame.team()), List.of(wait));
      }
    }
    passed(wait, block, frame.team());
  }

  // ------------------------------------------------------------------------------------------------ copies and stores

  private Footprint footprint(Inst inst, Value tensor, List<Value> indices, Frame frame) {
    List<Datum> data = new ArrayList<>();
    for (Value v : indices) {
      // A copy engine knows the tensor's bounds and no others.
      data.add(frame.get(v) instanceof LaneRange r ? new LaneRange(r.start(), r.stride(), r.size(), r.size())
          : frame.get(v));
    }
    return Footprint.of(inst, (TensorView) frame.get(tensor), data);
  }

  private void copy(Inst inst, AsyncOp.CopyBulk op, Frame frame) {
    BlockState block = frame.block().state();
    Team team = frame.team();
    SharedSlots buffer = (SharedSlots) frame.get(op.buffer());
    int stage = SharedEval.stage(inst, buffer, op.stage(), frame);
    BarrierSlot barrier = slot(inst, op.barrier(), op.slot(), team.elected, frame);
    Footprint f = footprint(inst, op.tensor(), op.indices(), frame);
    block.hazards.write(buffer, stage,
        new Access(Access.Kind.BULK_COPY, team, inst, barrier.part, barrier.phase() + 1), team.elected);
    BulkCopy copy = new BulkCopy(inst, f, buffer, stage, barrier);
    barrier.copies.add(copy);
    block.landing.add(copy);
  }

  private void store(Inst inst, AsyncOp.StoreBulk op, Frame frame) {
    Team team = frame.team();
    SharedSlots buffer = (SharedSlots) frame.get(op.buffer());
    int stage = SharedEval.stage(inst, buffer, op.stage(), frame);
    Footprint f = footprint(inst, op.tensor(), op.indices(), frame);
    long group = team.storing.add(new Team.Storing(inst, f, buffer, stage));
    frame.block().state().hazards.read(buffer, stage,
        new Access(Access.Kind.BULK_STORE, team, inst, team.stores, group), team.elected);
  }

  private void storeWait(AsyncOp.StoreWait op, Team team) {
    if (op.read()) {
      team.storing.await(op.pending()).forEach(s -> {
        s.read = s.buffer.slots[s.stage].tile;
        team.writing.add(s);
      });
    } else {
      write(team.writing);
      team.writing.clear();
      List<Team.Storing> done = team.storing.await(op.pending());
      done.forEach(s -> s.read = s.buffer.slots[s.stage].tile);
      write(done);
    }
    team.elected.raise(team.stores, team.storing.done());
  }

  /** Writes what bulk stores have read. */
  void write(List<Team.Storing> stores) {
    stores.forEach(s -> machine.memory().write(s.inst, s.footprint, s.read));
  }

  // ------------------------------------------------------------------------------------------------ numbers of tiles

  private Tile draw(Inst inst, AsyncOp.NumberDraw op, Frame frame) {
    Team team = frame.team();
    team.drawn = frame.block().state().draws.draw(inst, frame.block().state(), frame.block().id().asLong(), team.drawn,
        (Buffer) frame.get(op.counter()), frame.integer(op.tiles()));
    return Tile.integer(team.drawn);
  }

  private Tile post(Inst inst, AsyncOp.NumberPost op, Frame frame) {
    Team team = frame.team();
    SharedSlots buffer = (SharedSlots) frame.get(op.buffer());
    int stage = SharedEval.stage(inst, buffer, op.stage(), frame);
    BarrierSlot barrier = slot(inst, op.barrier(), op.slot(), team.elected, frame);
    frame.block().state().hazards.write(buffer, stage, team.alone(inst), team.elected);
    buffer.slots[stage].tile = frame.tile(op.number());
    barrier.arrive(team.elected);
    return frame.tile(op.number());
  }

  private Tile read(Inst inst, AsyncOp.NumberRead op, Frame frame) {
    SharedSlots buffer = (SharedSlots) frame.get(op.buffer());
    int stage = SharedEval.stage(inst, buffer, op.stage(), frame);
    frame.block().state().hazards.read(buffer, stage, frame.team().ordinary(inst), frame.team().all);
    return buffer.slots[stage].tile;
  }

  // ------------------------------------------------------------------------------------------------ dots

  private Product dot(Inst inst, AsyncOp.DotAsync op, Frame frame) {
    Team team = frame.team();
    BlockState block = frame.block().state();
    boolean keep = op.keep().map(k -> frame.tile(k).asBool()).orElse(true);
    Datum a = frame.get(op.a());
    Datum b = frame.get(op.b());
    if (team.dotFence < 0) {
      throw unfenced(block, inst, inst);
    }
    if (!(a instanceof SlotView)) {
      written(block, inst, op.a(), frame.tile(op.a()), team);
    }
    Datum acc = accumulator(block, inst, op, frame.get(op.acc()), keep, team);
    Product product = new Product(inst, op, team, a, b, keep ? acc : null);
    Access access = new Access(Access.Kind.DOT, team, inst, team.dots, product.group);
    if (a instanceof SlotView v) {
      // The rows of a left operand are those of the product, of which each warp has its own.
      block.hazards.read(v.buffer(), v.stage(), access, v.isTransposed() ? team.all : team.own());
    }
    if (b instanceof SlotView v) {
      block.hazards.read(v.buffer(), v.stage(), access, team.all);
    }
    return product;
  }

  /** Checks that the registers that a product adds to are ready for it. */
  private Datum accumulator(BlockState block, Inst inst, AsyncOp.DotAsync op, Datum acc, boolean keep, Team team) {
    switch (acc) {
      case Product p -> {
        if (p.continued != null) {
          throw block.fault(Code.IN_FLIGHT, "two products add to one accumulator in flight").at(inst, "added to here")
              .at(p.continued, "and already here").at(p.inst, "the accumulator's product started here").exception();
        }
        p.continued = inst;
      }
      case UndefinedTile u -> {
        if (keep) {
          throw block.fault(Code.UNINITIALISED, "a product adds to an undefined accumulator").at(inst, "added to here")
              .at(u.inst(), "undefined since here").exception();
        }
      }
      case Tile t -> written(block, inst, op.acc(), t, team);
      default -> throw new IllegalStateException("an accumulator " + acc);
    }
    return acc;
  }

  /** Checks that a tile in registers was written before the last fence. */
  private void written(BlockState block, Inst inst, Value value, Tile tile, Team team) {
    if (tile.written() > team.dotFence) {
      throw unfenced(block, inst, value.definition() == null ? inst : value.definition());
    }
  }

  private static DiagnosticException unfenced(BlockState block, Inst inst, Inst writer) {
    Fault fault = block.fault(Code.DOT_FENCE,
        "an asynchronous product uses registers with no `dot_fence` after they were written")
        .at(inst, "used here");
    return (writer == inst ? fault : fault.at(writer, "written here"))
        .help("a `dot_fence` must come before the product").exception();
  }

  private List<Datum> dotWait(Inst inst, AsyncOp.DotWait op, Frame frame) {
    Team team = frame.team();
    team.products.await(op.pending()).forEach(p -> p.compute(machine.matrix()));
    team.dotsDone(team.products.done());
    List<Datum> out = new ArrayList<>();
    for (Value v : op.values()) {
      Datum d = frame.get(v);
      out.add(d instanceof Product p ? finished(frame.block().state(), inst, p) : d);
    }
    return out;
  }

  private static Tile finished(BlockState block, Inst inst, Product p) {
    if (p.result() == null) {
      throw block.fault(Code.IN_FLIGHT, "a `dot_wait` gives back a product that it does not cover")
          .at(inst, "waited for here")
          .at(p.inst, "started here").help("commit the product's group, and let fewer groups be pending").exception();
    }
    if (p.continued != null) {
      throw block.fault(Code.IN_FLIGHT, "a `dot_wait` gives back an accumulator that another product adds to")
          .at(inst, "waited for here").at(p.continued, "added to here").exception();
    }
    return p.result();
  }

  /** An instruction asked for a tile that is not there. */
  static DiagnosticException notReady(Frame frame, Inst inst, Datum datum) {
    BlockState block = frame.block().state();
    return switch (datum) {
      case Product p ->
          block.fault(Code.IN_FLIGHT, "the result of an asynchronous product is used while it is in flight")
          .at(inst, "used here").at(p.inst, "started here")
              .help("use what a `dot_wait` that covers it gives back").exception();
      case UndefinedTile u -> block.fault(Code.UNINITIALISED, "an undefined tile is read").at(inst, "read here")
          .at(u.inst(), "undefined since here").exception();
      case Tile _, TensorView _, LaneRange _, Buffer _, SharedSlots _, TensorMap _, BarrierRing _, SlotView _ ->
          throw new IllegalStateException(inst + " takes a tile, not " + datum);
    };
  }
}
