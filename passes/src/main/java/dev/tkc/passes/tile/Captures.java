package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Divisibility;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Brings values of a kernel's body into a device function that is being built from a part of it. Constants and cheap
 * scalar arithmetic are computed again, so that what is known about sizes stays known; other scalars become parameters;
 * a tensor is made anew from a pointer parameter, one for each memory, and its sizes and strides.
 */
final class Captures {
  private static final int DEEPEST = 24;

  private final Builder host;
  private final Region body;
  private final Divisibility divisibility;
  private final Map<Value, Value> map = new HashMap<>();
  private final Map<Value, Value> pointers = new HashMap<>();
  private final Set<Value> defined = new HashSet<>();
  private final List<Param> params = new ArrayList<>();
  private final List<Value> arguments = new ArrayList<>();

  /** {@code host} appends to the kernel before the launch; what is brought in goes to the end of {@code body}. */
  Captures(Builder host, Region body, Divisibility divisibility) {
    this.host = host;
    this.body = body;
    this.divisibility = divisibility;
  }

  Builder host() {
    return host;
  }

  /** Appends to the end of what there is of the device function's body. */
  Builder device() {
    return new Builder(body).at(host.loc());
  }

  List<Param> params() {
    return params;
  }

  List<Value> arguments() {
    return arguments;
  }

  /** Says what stands for a value of the phase in the device function. */
  void put(Value original, Value copy) {
    map.put(original, copy);
  }

  /** What stands for a value in the device function. */
  Value get(Value v) {
    return get(v, 0);
  }

  private Value get(Value v, int depth) {
    Value found = map.get(v);
    if (found == null) {
      found = bring(v, depth);
      if (found.name().isEmpty()) {
        found.setName(v.name());
      }
      map.put(v, found);
    }
    return found;
  }

  private Value bring(Value v, int depth) {
    if (v.type() instanceof TensorType) {
      return tensor(v, depth);
    }
    if (v.definition() != null && depth < DEEPEST && cheap(v.definition().op())) {
      Op op = OpShape.withOperands(v.definition().op(), o -> get(o, depth + 1));
      return device().append(op, List.of(v.type())).result();
    }
    return parameter(v, v);
  }

  /** Worth computing in each block: what a few uniform instructions do, on scalars. */
  private static boolean cheap(Op op) {
    return switch (op) {
      case ElementwiseOp.Constant _ -> true;
      case Binary b -> b.lhs().tile().isScalar() && switch (b.kind()) {
        case ADD, SUB, MUL, MIN, MAX, AND, OR, XOR, SHL, SHR -> true;
        case DIV, REM -> Regions.integer(b.rhs()).isPresent();
        case POW -> false;
      };
      case ElementwiseOp.Compare c -> c.lhs().tile().isScalar();
      case ElementwiseOp.Select s -> s.then().tile().isScalar();
      case ElementwiseOp.Cast c -> c.x().tile().isScalar();
      case ElementwiseOp.Unary u -> u.kind() == ElementwiseOp.UnaryKind.NEG && u.x().type() instanceof TileType t
          && t.isScalar();
      default -> false;
    };
  }

  private Value parameter(Value key, Value argument) {
    Value p = new Value(argument.type(), argument.name());
    params.add(new Param(p, (int) Math.min(128, divisibility.of(argument))));
    arguments.add(argument);
    map.put(key, p);
    return p;
  }

  private Value tensor(Value v, int depth) {
    MemoryOp op = (MemoryOp) v.definition().op();
    return switch (op) {
      case MemoryOp.MakeTensor m -> make(m.pointer(), v, m.sizes(), m.strides(), m.access(), m.name(), depth);
      case MemoryOp.Temp t -> make(v, v, t.sizes(), null, MemoryOp.Access.TEMP, t.name(), depth);
      case MemoryOp.View w -> {
        Inst base = w.tensor().definition();
        while (base.op() instanceof MemoryOp.View inner) {
          base = inner.tensor().definition();
        }
        yield base.op() instanceof MemoryOp.MakeTensor m
            ? make(m.pointer(), base.result(), w.sizes(), null, m.access(), m.name(), depth)
            : make(base.result(), base.result(), w.sizes(), null, MemoryOp.Access.TEMP, name(base), depth);
      }
      default -> throw new IllegalStateException("no tensor comes from " + op);
    };
  }

  private static String name(Inst tensor) {
    return tensor.op() instanceof MemoryOp.Temp t ? t.name() : "";
  }

  /** {@code memory} identifies the memory, {@code whole} is a tensor at its start. */
  private Value make(
      Value memory, Value whole, List<Value> sizes, List<Value> strides, MemoryOp.Access access, String name,
      int depth) {
    Value pointer = pointers.get(memory);
    if (pointer == null) {
      Value address = host.emit(new MemoryOp.AddressOf(whole));
      address.setName(name);
      pointer = parameter(address, address);
      pointers.put(memory, pointer);
    }
    List<Value> n = sizes.stream().map(s -> get(s, depth + 1)).toList();
    List<Value> s = strides == null ? contiguous(n) : strides.stream().map(x -> get(x, depth + 1)).toList();
    return device().emit(new MemoryOp.MakeTensor(pointer, n, s, access, name));
  }

  private List<Value> contiguous(List<Value> sizes) {
    List<Value> strides = new ArrayList<>();
    Builder device = device();
    Value s = device.constant(1);
    for (int i = sizes.size() - 1; i >= 0; i--) {
      strides.add(0, s);
      if (i > 0) {
        s = i == sizes.size() - 1 ? sizes.get(i) : device.mul(sizes.get(i), s);
      }
    }
    return strides;
  }

  /** Brings in whatever the instructions use from outside them. */
  void prepare(List<Inst> insts) {
    insts.forEach(this::define);
    insts.forEach(this::bringOperands);
  }

  /** Copies instructions, once prepared, to where the builder stands. */
  void copy(List<Inst> insts, Builder to) {
    Cloner cloner = new Cloner(map);
    insts.forEach(i -> to.insert(cloner.clone(i)));
  }

  /** Brings in a bound of the nest unless the nest itself computes it. */
  void bringUnlessDefined(Value v) {
    if (!defined.contains(v)) {
      get(v);
    }
  }

  /** Says that these values will be put, so that they are not brought in. */
  void define(List<Value> own) {
    defined.addAll(own);
  }

  private void define(Inst inst) {
    defined.addAll(inst.results());
    for (Region r : inst.regions()) {
      defined.addAll(r.params());
      r.insts().forEach(this::define);
    }
  }

  private void bringOperands(Inst inst) {
    for (Value v : inst.operands()) {
      if (!defined.contains(v)) {
        get(v);
      }
    }
    inst.regions().forEach(r -> r.insts().forEach(this::bringOperands));
  }
}
