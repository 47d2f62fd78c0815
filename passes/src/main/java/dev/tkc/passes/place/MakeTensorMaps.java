package dev.tkc.passes.place;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TensorMapType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.BulkAccess;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Has the host describe to the copy engine each tensor that is copied in bulk.
 *
 * <pre>
 *   launch %grid, [%pa, %M, %K] {callee = "f"}       %t = make_tensor %pa, [%M, %K], […] {…}
 *                                                    %m = make_tensor_map %t {box = [128, 64], swizzle = 128}
 *                                                →   launch %grid, [%pa, %M, %K, %m] {callee = "f"}
 *   copy_bulk %ta, […], _, %x, …                     copy_bulk %ta, […], %a_map, %x, …
 * </pre>
 *
 * The device function gets a parameter for each tensor, box and exchange of pieces; copies that agree in these share
 * it. The tensor's sizes and strides are computed again on the host from the launch's arguments, of which
 * {@link BulkAccess} has made sure.
 *
 * <p>Needs the layouts of shared buffers. Guarantees that every bulk copy has its map.
 */
public final class MakeTensorMaps {
  /** What a map says. Tensors are equal where they are made from the same values. */
  private record Description(MemoryOp.MakeTensor tensor, boolean wraps, List<Integer> box, int swizzle) {}

  private final Module module;
  private final Func func;
  private final Map<Description, Value> maps = new LinkedHashMap<>();

  private MakeTensorMaps(Module module, Func func) {
    this.module = module;
    this.func = func;
  }

  public static void run(Module module, PassContext context) {
    for (Func f : module.funcs()) {
      if (f.kind() == Func.Kind.DEVICE) {
        context.enter(f);
        new MakeTensorMaps(module, f).make();
      }
    }
  }

  private void make() {
    func.body().walk(inst -> {
      switch (inst.op()) {
        case AsyncOp.CopyBulk o when o.map().isEmpty() -> inst.setOp(new AsyncOp.CopyBulk(o.tensor(), o.indices(),
            Optional.of(map(o.tensor(), o.indices(), o.buffer(), 1)), o.buffer(), o.stage(), o.barrier(), o.slot()));
        case AsyncOp.StoreBulk o when o.map().isEmpty() -> inst.setOp(new AsyncOp.StoreBulk(
            o.tensor(), o.indices(), Optional.of(map(o.tensor(), o.indices(), o.buffer(), groups(inst))), o.buffer(),
            o.stage()));
        default -> { }
      }
    });
    if (!maps.isEmpty()) {
      maps.values().forEach(v -> func.params().add(new Param(v, 1)));
      module.funcs().stream().filter(f -> f.kind() == Func.Kind.KERNEL).forEach(this::describe);
    }
  }

  /** Into how many parts by rows a store is divided among groups of warps. */
  private int groups(Inst store) {
    long group = store.annotation("group", 0);
    for (Inst inst : func.body().insts()) {
      if (group > 0 && inst.op() instanceof ControlOp.Role role && role.body().anyMatch(i -> i == store)) {
        return role.warps() / (int) group;
      }
    }
    return 1;
  }

  private Value map(Value tensor, List<Value> indices, Value buffer, int groups) {
    SharedType type = (SharedType) buffer.type();
    Panels panels = Panels.of(type.shape(), type.element().bits(), type.layout())
        .orElseThrow(() ->
            new IllegalStateException("a copy engine works on " + buffer + ", which does not lie in panels"));
    MemoryOp.MakeTensor made = (MemoryOp.MakeTensor) tensor.definition().op();
    Description described = new Description(made, tensor.definition().flag(MemoryOp.WRAPS),
        BulkAccess.box(indices, panels, groups), panels.swizzle());
    return maps.computeIfAbsent(described, d -> new Value(new TensorMapType(), d.tensor.name() + "_map"));
  }

  private void describe(Func kernel) {
    for (Inst inst : List.copyOf(kernel.body().insts())) {
      if (inst.op() instanceof ControlOp.Launch launch && launch.callee().equals(func.name())) {
        Builder host = new Builder(kernel.body(), kernel.body().insts().indexOf(inst)).at(inst.loc());
        Map<Value, Value> arguments = new HashMap<>();
        for (int i = 0; i < launch.arguments().size(); i++) {
          arguments.put(func.params().get(i).value(), launch.arguments().get(i));
        }
        Cloner cloner = new Cloner(arguments);
        List<Value> all = new ArrayList<>(launch.arguments());
        maps.keySet().forEach(d -> all.add(describe(d, host, cloner, arguments)));
        inst.setOp(new ControlOp.Launch(launch.callee(), launch.grid(), all));
      }
    }
  }

  private static Value describe(Description d, Builder host, Cloner cloner, Map<Value, Value> known) {
    MemoryOp.MakeTensor t = d.tensor;
    List<Value> sizes = t.sizes().stream().map(v -> compute(v, host, cloner, known)).toList();
    List<Value> strides = t.strides().stream().map(v -> compute(v, host, cloner, known)).toList();
    Inst tensor = host.append(
        new MemoryOp.MakeTensor(compute(t.pointer(), host, cloner, known), sizes, strides, t.access(), t.name()));
    if (d.wraps) {
      tensor.annotate(MemoryOp.WRAPS, true);
    }
    Value map = host.emit(new MemoryOp.MakeTensorMap(tensor.result(), d.box, d.swizzle));
    map.setName(t.name() + "_map");
    return map;
  }

  /** The value on the host; what it is computed from in the device function is computed there too. */
  private static Value compute(Value v, Builder host, Cloner cloner, Map<Value, Value> known) {
    if (!known.containsKey(v)) {
      if (v.definition() == null) {
        throw new IllegalStateException(v + " is no argument of the launch");
      }
      v.definition().operands().forEach(o -> compute(o, host, cloner, known));
      host.insert(cloner.clone(v.definition()));
    }
    return known.get(v);
  }
}
