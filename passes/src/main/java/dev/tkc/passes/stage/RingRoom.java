package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.OutlinePhases;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How many slots rings have. Those of the innermost loops get as many as the schedule's {@code stages} say, or as fit;
 * others one, or two where a tile stays in its slot while the next is copied and the innermost rings have two all the
 * same. Where shared memory is short, rings whose tiles are read into registers have one: those leave their slot long
 * before the next one is due. A function that turned out to need more scratch than is set aside here has less room.
 */
final class RingRoom {
  /** More slots than this hide nothing more. */
  private static final int MOST_STAGES = 6;

  /** Alignment of buffers and barriers takes no more than this. */
  private static final long SLACK = 2048;

  private final Func func;
  private final RingPlan plan;
  private final TargetInfo target;
  private final List<Ring> inner;
  private final List<Ring> outer;
  /** Bytes of the slots for tiles that are handed over. */
  private final long handed;

  RingRoom(Func func, RingPlan plan, TargetInfo target) {
    this.func = func;
    this.plan = plan;
    this.target = target;
    List<Ring> copied = plan.rings().stream().filter(r -> !r.handed).toList();
    int deepest = copied.stream().mapToInt(plan::depth).max().orElse(0);
    this.inner = copied.stream().filter(r -> plan.depth(r) == deepest).toList();
    this.outer = copied.stream().filter(r -> plan.depth(r) < deepest).toList();
    this.handed = plan.rings().stream().filter(r -> r.handed).mapToLong(r -> r.slotBytes() * r.stages()).sum();
  }

  void choose() {
    long held = outer.stream().filter(plan::holds).mapToLong(Ring::slotBytes).sum();
    boolean two = fits(held);
    outer.stream().filter(plan::holds).forEach(r -> r.setStages(two ? 2 : 1));
    inner.forEach(r -> r.setStages((int) stages(two ? held : 0)));
    if (isShort(two ? held : 0)) {
      inner.stream().filter(plan::isRead).forEach(r -> r.setStages(1));
    }
    if (inner.stream().allMatch(r -> r.stages() == 1) && func.annotation("stages", MOST_STAGES) > 1) {
      shareSlots();
    }
  }

  /**
   * Where no ring but those whose tiles are read can have two slots, tiles of one shape come into one ring, if that has
   * a slot more than tiles of a round: each slot is filled anew for whatever comes next.
   */
  private void shareSlots() {
    List<Ring> together = new ArrayList<>();
    for (Ring ring : inner) {
      if (together.stream().allMatch(r -> plan.mayShare(r, ring)) && plan.mayShare(ring, ring)) {
        together.add(ring);
      }
    }
    long left = target.shared().perBlock() - SLACK - bytes(outer) - handed - reserved(1)
        - func.annotation(PassDriver.SHORTAGE, 0)
        - inner.stream().mapToLong(r -> plan.isRead(r) ? r.bytes() : r.slotBytes()).sum();
    if (together.size() > 1 && left >= together.getFirst().slotBytes()) {
      int slots = together.size() + (int) (left / together.getFirst().slotBytes());
      plan.share(together).setStages(slots);
    }
  }

  /** Whether inner rings in which a tile stays have room for the one that follows. */
  boolean keepsInner() {
    return inner.stream().noneMatch(plan::holds) || stages(0) >= 2;
  }

  /** Whether tiles of these loads can stay while the next ones are copied. */
  boolean fitsTwice(Collection<Inst> loads) {
    return loads.stream().noneMatch(i -> inner.contains(plan.site(i).ring()))
        && fits(loads.stream().mapToLong(i -> i.result().tile().element().bytes(i.result().tile().count())).sum());
  }

  private boolean fits(long more) {
    return stages(more) >= Math.min(2, stages(0));
  }

  /** Slots of the inner rings, but those with one, beside one for each outer one and so many bytes. */
  private long stages(long more) {
    List<Ring> read = inner.stream().filter(plan::isRead).toList();
    long once = isShort(more) ? bytes(read) : 0;
    long each = bytes(inner) - once;
    long wanted = func.annotation("stages", MOST_STAGES);
    return each == 0 ? 1 : Math.max(1, Math.min(wanted, (room(more) - once) / each));
  }

  /** Whether not all inner rings can have two slots. */
  private boolean isShort(long more) {
    return room(more) < 2 * bytes(inner);
  }

  private long room(long more) {
    return target.shared().perBlock() - SLACK - bytes(outer) - more - handed - reserved(StoreSlices.BUFFERS)
        - func.annotation(PassDriver.SHORTAGE, 0);
  }

  private static long bytes(List<Ring> rings) {
    return rings.stream().mapToLong(Ring::slotBytes).sum();
  }

  /**
   * For the way of the results to memory, slices of bulk stores, which tiles of one kind have in common, and scratch to
   * exchange them among threads, for operands that threads load, and for sums over the rows of a tile, of which each
   * warp has some.
   */
  private long reserved(int buffers) {
    Map<List<Object>, Long> slices = new HashMap<>();
    long[] reduced = {0};
    long warps = func.annotation("warps", 8);
    func.body().walk(i -> {
      if (i.op() instanceof ReductionOp.Reduce r && r.axes().contains(0) && r.x().tile().rank() >= 2) {
        reduced[0] += warps * i.result().tile().element().bytes(i.result().tile().count());
      }
      if (i.op() instanceof MemoryOp.Store s && s.value().tile().rank() == 1) {
        // Parts that other blocks of the cluster leave here.
        long part = s.value().tile().element().bytes(s.value().tile().count());
        reduced[0] += (func.annotation(OutlinePhases.CLUSTER, 1) - 1) * part;
      }
      if (i.op() instanceof MemoryOp.Store s && s.value().tile().rank() >= 2) {
        TileType tile = s.value().tile();
        slices.merge(List.of(tile.element(), tile.shape()),
            i.flag("bulk") ? StoreSlices.bytes(i, buffers) + StoreSlices.turningBytes(i) : 0, Math::max);
      }
    });
    return slices.values().stream().mapToLong(n -> n).sum() + StoreSlices.scratch(func.body()) + reduced[0]
        + ChooseAsync.exchanged(func.body(), new Uses(func.body()), RingPlan::isBulk);
  }
}
