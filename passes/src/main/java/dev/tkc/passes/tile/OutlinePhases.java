package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Divisibility;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes each phase a device function of its own and launches it: what remains of the kernel is the host's part.
 *
 * <pre>
 *   parallel %c0, %M {step = 128} (%i: i64) {      %n = …⌈M / 128⌉…
 *     …                                        →   %p = address_of %a
 *   }                                              launch %n, [%p, %M] {callee = "k_0"}
 *                                                  device @k_0(%a: ptr&lt;bf16&gt;, %M: i64) {
 *                                                    %b = block_id … %i = mul %b, %c128 …
 * </pre>
 *
 * Parameters are the scalars that the phase uses and the address of each tensor it uses; the device function begins
 * with its own {@code make_tensor}s, and constants are repeated in it. Divisibility travels on the parameters. How
 * blocks are numbered is {@link BlockOrder}'s. Annotations of the kernel and the nest ({@code warps}, {@code stages})
 * pass to the function.
 */
public final class OutlinePhases {
  private final Module module;
  private final Func kernel;
  private final Divisibility divisibility;

  private OutlinePhases(Module module, Func kernel) {
    this.module = module;
    this.kernel = kernel;
    this.divisibility = new Divisibility(kernel);
  }

  public static void run(Module module, PassContext context) {
    for (Func f : List.copyOf(module.funcs())) {
      if (f.kind() == Func.Kind.KERNEL) {
        new OutlinePhases(module, f).run();
      }
    }
  }

  private void run() {
    int phases = 0;
    List<Inst> todo = List.copyOf(kernel.body().insts());
    kernel.body().insts().clear();
    Builder host = new Builder(kernel.body());
    for (Inst inst : todo) {
      if (inst.op() instanceof ControlOp.Parallel nest) {
        outline(inst, nest, kernel.name() + "_" + phases++, host.at(inst.loc()));
      } else {
        host.insert(inst);
      }
    }
    EliminateDead.run(kernel);
  }

  private void outline(Inst inst, ControlOp.Parallel nest, String name, Builder host) {
    BlockOrder order = BlockOrder.of(inst, nest, kernel, module);
    Value grid = order.grid(host);
    Region holder = new Region();
    holder.insts().add(inst);

    List<Param> params = new ArrayList<>();
    List<Value> arguments = new ArrayList<>();
    Region body = new Region();
    Builder device = new Builder(body).at(inst.loc());
    Map<Value, Value> map = new HashMap<>();
    List<Value> needed = new ArrayList<>(Regions.freeValues(holder));
    order.counts().stream().filter(c -> !needed.contains(c)).forEach(needed::add);
    Arguments pass = new Arguments(params, arguments, host, device, map);
    needed.forEach(pass::take);
    order.distribute(new Cloner(map), device);
    device.yield(List.of());
    Func func = new Func(Func.Kind.DEVICE, name, params, body, kernel.deterministic(), inst.loc());
    func.annotations().putAll(module.annotations());
    func.annotations().putAll(kernel.annotations());
    func.annotations().putAll(inst.annotations());
    module.funcs().add(func);
    host.append(new ControlOp.Launch(name, grid, arguments));
  }

  /** Brings values of the kernel into the device function, each once. */
  private final class Arguments {
    private final List<Param> params;
    private final List<Value> arguments;
    private final Builder host;
    private final Builder device;
    private final Map<Value, Value> map;

    Arguments(List<Param> params, List<Value> arguments, Builder host, Builder device, Map<Value, Value> map) {
      this.params = params;
      this.arguments = arguments;
      this.host = host;
      this.device = device;
      this.map = map;
    }

    Value take(Value value) {
      Value known = map.get(value);
      if (known != null) {
        return known;
      }
      Value made;
      if (value.definition() != null && value.definition().op() instanceof ElementwiseOp.Constant c) {
        made = device.constant(c.value());
      } else if (value.type() instanceof TensorType type) {
        made = tensor(value, type);
      } else {
        made = parameter(value, divisibility.of(value));
      }
      map.put(value, made);
      return made;
    }

    private Value parameter(Value argument, long divisor) {
      Value param = new Value(argument.type(), argument.name());
      params.add(new Param(param, (int) Math.min(128, divisor)));
      arguments.add(argument);
      return param;
    }

    private Value tensor(Value value, TensorType type) {
      Value address = host.emit(new MemoryOp.AddressOf(value));
      address.setName(name(value));
      Value pointer = new Value(new PointerType(type.element()), name(value));
      params.add(new Param(pointer, (int) Math.min(128, divisibility.ofAddress(value))));
      arguments.add(address);
      List<Value> sizes = sizes(value).stream().map(this::take).toList();
      List<Value> strides = value.definition().op() instanceof MemoryOp.MakeTensor t
          ? t.strides().stream().map(this::take).toList() : contiguous(sizes);
      Value made = device.emit(new MemoryOp.MakeTensor(pointer, sizes, strides, access(value), name(value)));
      made.setName(value.name());
      return made;
    }

    private List<Value> contiguous(List<Value> sizes) {
      List<Value> strides = new ArrayList<>();
      Value stride = device.constant(1L);
      for (int i = sizes.size() - 1; i >= 0; i--) {
        strides.addFirst(stride);
        stride = i == 0 ? stride : i == sizes.size() - 1 ? sizes.get(i) : device.mul(stride, sizes.get(i));
      }
      return strides;
    }
  }

  private static List<Value> sizes(Value tensor) {
    return switch ((MemoryOp) tensor.definition().op()) {
      case MemoryOp.MakeTensor t -> t.sizes();
      case MemoryOp.Temp t -> t.sizes();
      case MemoryOp.View v -> v.sizes();
      case MemoryOp.AddressOf _, MemoryOp.Range _, MemoryOp.Lanes _, MemoryOp.Valid _, MemoryOp.Load _,
          MemoryOp.Store _, MemoryOp.Atomic _ -> throw new IllegalStateException("no tensor: " + tensor);
    };
  }

  private static MemoryOp.Access access(Value tensor) {
    return switch ((MemoryOp) tensor.definition().op()) {
      case MemoryOp.MakeTensor t -> t.access();
      case MemoryOp.Temp _ -> MemoryOp.Access.TEMP;
      case MemoryOp.View v -> access(v.tensor());
      case MemoryOp.AddressOf _, MemoryOp.Range _, MemoryOp.Lanes _, MemoryOp.Valid _, MemoryOp.Load _,
          MemoryOp.Store _, MemoryOp.Atomic _ -> throw new IllegalStateException("no tensor: " + tensor);
    };
  }

  private static String name(Value tensor) {
    return switch ((MemoryOp) tensor.definition().op()) {
      case MemoryOp.MakeTensor t -> t.name();
      case MemoryOp.Temp t -> t.name();
      case MemoryOp.View v -> name(v.tensor());
      case MemoryOp.AddressOf _, MemoryOp.Range _, MemoryOp.Lanes _, MemoryOp.Valid _, MemoryOp.Load _,
          MemoryOp.Store _, MemoryOp.Atomic _ -> throw new IllegalStateException("no tensor: " + tensor);
    };
  }
}
