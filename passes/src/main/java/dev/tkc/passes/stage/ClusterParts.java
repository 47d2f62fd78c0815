package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scopes;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.OutlinePhases;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Has the blocks that share a tile's sum run as a cluster, neighbours in the grid, whose last one adds the parts.
 *
 * <pre>
 *   parallel %s in 2 { parallel %i, %j {             parallel %s in 2 #{cluster = 2} { parallel %i, %j {
 *     store %part, [%s, i, j, %whole], %acc            %sends = lt %s, 1
 *     %last = last_arrival %counters, …                if %sends { store %part, [%s, i, j, %whole], %acc }
 *     if %last { …                              →      %last = last_arrival %counters, …
 *       if t == %s { yield %acc }                      if %last { …
 *       else { load %part, [t, i, j, %whole] }
 * </pre>
 *
 * Whoever is last has its own part in registers, so the last block of a cluster, which is last by agreement, leaves
 * none, and the parts of the others go straight to its shared memory ({@code docs/staged.md}): blocks of a cluster run
 * at the same time, meet without memory in between, and write each other's shared memory.
 *
 * <p>Only where merge-phases kept the own part and arrange-sums made a part one stretch of memory, for a power of two
 * of blocks, if the parts take no more than a quarter of a block's shared memory. Programs stay what they were for
 * blocks one after the other, in the order of their numbers.
 */
public final class ClusterParts {
  /** What every device with clusters can run. */
  private static final long MOST_BLOCKS = 8;

  private final Scopes scopes;
  private final TargetInfo target;
  private final List<Inst> stores = new ArrayList<>();
  private final List<Inst> loads = new ArrayList<>();
  private int arrivals;

  private ClusterParts(Func kernel, Inst phase, TargetInfo target) {
    this.scopes = new Scopes(kernel);
    this.target = target;
    Region body = ((ControlOp.Parallel) phase.op()).body();
    body.walk(i -> {
      switch (i.op()) {
        case MemoryOp.Store s when isTemp(s.tensor()) -> stores.add(i);
        case MemoryOp.Load _ -> loads.add(i);
        case MemoryOp.LastArrival _ -> arrivals++;
        default -> { }
      }
    });
  }

  public static void run(Module module, PassContext cx) {
    Func kernel = module.kernel();
    cx.enter(kernel);
    for (Inst inst : kernel.body().insts()) {
      if (inst.op() instanceof ControlOp.Parallel p) {
        new ClusterParts(kernel, inst, cx.target()).cluster(inst, p);
      }
    }
  }

  /** Whether so many blocks can leave parts of so many bytes with the last of them. */
  public static boolean fits(long part, long blocks, TargetInfo target) {
    return blocks >= 2 && blocks <= MOST_BLOCKS && Long.bitCount(blocks) == 1
        && 4 * part * (blocks - 1) <= target.shared().perBlock();
  }

  private static boolean isTemp(Value tensor) {
    return tensor.definition() != null && tensor.definition().op() instanceof MemoryOp.Temp;
  }

  private void cluster(Inst phase, ControlOp.Parallel outer) {
    if (stores.size() != 1 || arrivals != 1) {
      return;
    }
    Inst inst = stores.getFirst();
    MemoryOp.Store store = (MemoryOp.Store) inst.op();
    Value share = outer.body().params().getFirst();
    OptionalLong blocks = Regions.integer(outer.hi());
    if (blocks.isEmpty() || !Regions.isInteger(outer.lo(), 0) || outer.step() != 1 || !isStretch(store, share)
        || loads.stream().anyMatch(l -> reads(l, store.tensor()) && !isAnothers(l, share))) {
      return;
    }
    long n = blocks.getAsLong();
    if (!fits(store.value().tile().element().bytes(store.value().tile().count()), n, target)) {
      return;
    }
    Region region = scopes.regionOf(inst);
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value sends = b.compare(CompareKind.LT, share, b.constant(n - 1));
    sends.setName("sends");
    region.insts().remove(inst);
    b.branch(sends, () -> {
      b.append(store);
      b.yield(List.of());
    }, () -> b.yield(List.of()));
    phase.annotate(OutlinePhases.CLUSTER, n);
  }

  /** Whether a part is all of the last dimension, under the number of its block and those of its tile. */
  private static boolean isStretch(MemoryOp.Store store, Value share) {
    List<Value> indices = store.indices();
    MemoryOp.Temp temp = (MemoryOp.Temp) store.tensor().definition().op();
    return indices.getFirst() == share && store.value().tile().rank() == 1
        && indices.getLast().definition() != null && indices.getLast().definition().op() instanceof MemoryOp.Range r
        && Regions.isInteger(r.start(), 0) && Regions.isInteger(r.stride(), 1) && Regions.isInteger(r.count(), r.size())
        && Regions.isInteger(temp.sizes().getLast(), r.size());
  }

  private static boolean reads(Inst load, Value tensor) {
    return ((MemoryOp.Load) load.op()).tensor() == tensor;
  }

  /** Whether a load stands where the part is not this block's own. */
  private boolean isAnothers(Inst inst, Value share) {
    MemoryOp.Load load = (MemoryOp.Load) inst.op();
    Region region = scopes.regionOf(inst);
    return scopes.ownerOf(region).filter(o -> o.op() instanceof ControlOp.If i
        && region == i.otherwise() && i.condition().definition() != null
        && i.condition().definition().op() instanceof ElementwiseOp.Compare c && c.kind() == CompareKind.EQ
        && c.lhs() == load.indices().getFirst() && c.rhs() == share).isPresent();
  }
}
