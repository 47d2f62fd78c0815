package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.stage.Ring.Cursor;
import java.util.Optional;

/**
 * The producer: waits for a slot to be empty, says what will arrive, starts the copies. Nothing it computes may depend
 * on a tile, so tiles of loads and products are left undefined here, and whatever used them is dead.
 */
final class ProducerRole extends RoleBody {
  ProducerRole(RingPlan plan) {
    super(plan);
  }

  @Override
  boolean walks(Ring ring) {
    return !ring.handed;
  }

  @Override
  void plain(Builder b, Inst inst) {
    RingPlan.Site site = plan.copy(inst);
    if (site != null || inst.op() instanceof MatrixOp) {
      TileType t = inst.result().tile();
      copies.define(inst.result(), b.emit(new AsyncOp.Undefined(t.element(), t.shape())));
      if (site != null && site.last() == inst && !site.isAgain()) {
        copy(b, site);
      }
    } else if (inst.op() instanceof MemoryOp.LastArrival) {
      // Consumers arrive; whoever is last copies nothing more.
      copies.define(inst.result(), b.constant(Literal.of(false)));
    } else if (!(inst.op() instanceof MemoryOp.Store || inst.op() instanceof MemoryOp.Atomic)) {
      b.insert(copies.clone(inst));
    }
  }

  private void copy(Builder b, RingPlan.Site site) {
    Ring ring = site.ring();
    Cursor at = cursor(ring);
    b.append(new AsyncOp.BarrierWait(ring.empty(), at.slot(), at.emptied(b)));
    b.append(new AsyncOp.BarrierExpect(ring.full(), at.slot(), ring.bytes()));
    for (int i = 0; i < site.sources().size(); i++) {
      MemoryOp.Load load = (MemoryOp.Load) site.sources().get(i).op();
      b.append(new AsyncOp.CopyBulk(copies.get(load.tensor()), load.indices().stream().map(copies::get).toList(),
          Optional.empty(), ring.buffer(i), at.slot(), ring.full(), at.slot()));
    }
    advance(b, ring);
  }
}
