package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.BulkAccess;
import dev.tkc.passes.analysis.Scopes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * Lets tensors end where the lanes of a load end for all blocks, so that a copy engine, which knows tensors but no
 * ranges, can do the load.
 *
 * <pre>
 *   %t = make_tensor %k, [%S, %D], […]              %t = make_tensor %k, [%S, %D], […]
 *   %e = min %N, %end                               %n = min %S, %N
 *   %hi = min %S, %e                                %u = make_tensor %k, [%n, %D], […]
 *   for %c0, %hi {…} (%j) {                     →   …
 *     %left = sub %hi, %j                             %v = load %u, [%r, %d], _
 *     %r = range %j, %c1, %left {…}
 *     %v = load %t, [%r, %d], _
 * </pre>
 *
 * Only loads that {@link BulkAccess} refuses for nothing but invalid lanes inside the tensor, and for which that helps.
 */
public final class NarrowTensors {
  private record Narrowed(Value tensor, SortedMap<Integer, List<Value>> ends) {}

  private final Scopes scopes;
  private final Map<Narrowed, Value> made = new HashMap<>();

  private NarrowTensors(Func func) {
    this.scopes = new Scopes(func);
  }

  public static void run(Func func, PassContext context) {
    BulkAccess access = new BulkAccess(func);
    Map<Inst, SortedMap<Integer, List<Value>>> loads = new HashMap<>();
    List<Inst> order = new ArrayList<>();
    func.body().walk(inst -> {
      if (inst.op() instanceof MemoryOp.Load && inst.result().tile().rank() > 0) {
        access.narrowing(inst).ifPresent(ends -> {
          loads.put(inst, ends);
          order.add(inst);
        });
      }
    });
    NarrowTensors pass = new NarrowTensors(func);
    order.forEach(inst -> pass.narrow(inst, loads.get(inst)));
  }

  private void narrow(Inst inst, SortedMap<Integer, List<Value>> ends) {
    MemoryOp.Load load = (MemoryOp.Load) inst.op();
    Value tensor = made.computeIfAbsent(new Narrowed(load.tensor(), ends), this::make);
    inst.setOp(new MemoryOp.Load(tensor, load.indices(), load.pad()));
  }

  /** The narrower tensor, behind the one it is made from, with its ends computed once more there. */
  private Value make(Narrowed n) {
    Inst original = n.tensor.definition();
    MemoryOp.MakeTensor tensor = (MemoryOp.MakeTensor) original.op();
    Region region = scopes.regionOf(original);
    Builder b = new Builder(region, region.insts().indexOf(original) + 1).at(original.loc());
    Map<Value, Value> map = new HashMap<>();
    List<Value> sizes = new ArrayList<>(tensor.sizes());
    n.ends.forEach((dimension, ends) -> {
      for (Value end : ends) {
        Value here = compute(end, b, new Cloner(map));
        if (here != sizes.get(dimension)) {
          sizes.set(dimension, b.binary(BinaryKind.MIN, sizes.get(dimension), here));
        }
      }
    });
    Value narrower =
        b.emit(new MemoryOp.MakeTensor(tensor.pointer(), sizes, tensor.strides(), tensor.access(), tensor.name()));
    narrower.setName(n.tensor.name());
    return narrower;
  }

  private static Value compute(Value v, Builder b, Cloner cloner) {
    if (v.definition() != null && cloner.get(v) == v) {
      v.definition().operands().forEach(o -> compute(o, b, cloner));
      b.insert(cloner.clone(v.definition()));
    }
    return cloner.get(v);
  }
}
