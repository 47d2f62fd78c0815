package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Tensors;
import dev.tkc.passes.place.CopyWidth;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Sends the scheduled loads of a loop through shared buffers, still one round at a time: asynchronous copies where the
 * target has them and the access is aligned enough for one, else a load into registers and a store.
 *
 * <pre>
 *   for … #{stages = 3} {                               %b = shared_alloc {…} : shared&lt;bf16[128, 32], 3&gt;
 *     %x = load %a, [%ri, %rk], _ #{stage = 0}      →   for … #{stages = 3} {
 *     …                                                   copy_async %a, [%ri, %rk], %b, %c0 #{stage = 0}
 *                                                         copy_commit  copy_wait {pending = 0}  barrier
 *                                                         %x = shared_load %b, %c0 {…}
 * </pre>
 *
 * {@link ExpandPipeline} then moves the copies rounds ahead.
 */
public final class StageLoads {
  private final AccessPattern.Finder patterns;
  private final ReadOnly readOnly;
  private final TargetInfo target;

  private StageLoads(Func func, TargetInfo target) {
    this.patterns = new AccessPattern.Finder(func);
    this.readOnly = new ReadOnly(func);
    this.target = target;
  }

  public static void run(Func func, PassContext context) {
    new StageLoads(func, context.target()).visit(func.body());
  }

  private void visit(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(this::visit);
      if (inst.op() instanceof ControlOp.For loop && inst.annotation("stages", 0) >= 2) {
        stage(region, inst, loop);
      }
    }
  }

  private void stage(Region region, Inst inst, ControlOp.For loop) {
    List<Inst> loads = loop.body().insts().stream()
        .filter(i -> i.op() instanceof MemoryOp.Load && i.annotations().containsKey("stage")).toList();
    Builder before = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value zero = before.constant(0L);
    List<Inst> front = new ArrayList<>();
    List<Inst> reads = new ArrayList<>();
    boolean async = false;
    for (Inst load : loads) {
      MemoryOp.Load op = (MemoryOp.Load) load.op();
      TileType tile = load.result().tile();
      boolean copied = CopyWidth.isAsync(load, patterns, target);
      // Registers hold the next round, so one slot does for what passes through them.
      SharedType type = SharedType.of(
          tile.element(), tile.shape(), copied ? (int) inst.annotation("stages", 2) : 1);
      Value buffer = before.at(load.loc()).emit(new SharedOp.SharedAlloc(type, Tensors.name(op.tensor())));
      buffer.setName(Tensors.name(op.tensor()));
      if (copied) {
        async = true;
        front.add(new Inst(new SharedOp.CopyAsync(op.tensor(), op.indices(), buffer, zero), List.of(), load.loc())
            .annotate("stage", 0L).annotate("inbounds", load.annotations().get("inbounds")));
      } else {
        Value held = new Value(tile, load.result().name());
        front.add(new Inst(op, List.of(held), load.loc())
            .annotate("stage", 0L).annotate("inbounds", load.annotations().get("inbounds")));
        reads.add(new Inst(new SharedOp.SharedStore(buffer, zero, held), List.of(), load.loc()));
      }
      load.annotations().clear();
      load.setOp(new SharedOp.SharedLoad(buffer, zero, zeros(tile.rank()), tile.shape()));
    }
    rebuild(loop, inst, loads, front, reads, async);
  }

  /** Copies where the first of the loads stood (their indices moved in front), then the meeting, then the rest. */
  private void rebuild(
      ControlOp.For loop, Inst inst, List<Inst> loads, List<Inst> front, List<Inst> stores, boolean async) {
    List<Value> indices = new ArrayList<>();
    front.forEach(i -> indices.addAll(i.operands()));
    // Buffers and tensors come from outside; everything else was seen to follow from the position.
    List<Inst> needed = Ahead.of(loop, indices, readOnly).orElseThrow().insts();
    List<Inst> rest = new ArrayList<>(loop.body().insts());
    rest.removeAll(needed);
    List<Inst> body = new ArrayList<>(needed);
    boolean registers = !stores.isEmpty();
    body.addAll(front);
    if (async) {
      body.add(new Inst(new SharedOp.CopyCommit(), List.of(), inst.loc()));
      body.add(new Inst(new SharedOp.CopyWait(0), List.of(), inst.loc()));
    }
    if (registers) {
      body.add(new Inst(new SharedOp.Barrier(), List.of(), inst.loc()));
      body.addAll(stores);
    }
    body.add(new Inst(new SharedOp.Barrier(), List.of(), inst.loc()));
    body.addAll(rest);
    if (async) {
      // The next round's copies overwrite the only slot in use.
      body.add(body.size() - 1, new Inst(new SharedOp.Barrier(), List.of(), inst.loc()));
    }
    loop.body().insts().clear();
    loop.body().insts().addAll(body);
  }

  static List<Integer> zeros(int rank) {
    return Collections.nCopies(rank, 0);
  }
}
