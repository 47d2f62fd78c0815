package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.BulkAccess;
import dev.tkc.passes.analysis.Divisibility;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Copies operands of products whose rows start where no copy engine can address them into rows that start at multiples
 * of {@link BulkAccess#ALIGNMENT} bytes, in a phase of its own, so that the products can run beside the warps.
 *
 * <pre>
 *                                              %n = (%K + 7) &amp; -8
 *                                              %m = temp [%M, %n] #{repack}
 *                                              %u = make_tensor (address_of %m), [%M, %K], [%n, 1]
 *                                              parallel %r, %c #{label = "repack_a"} {
 *                                                store %m, [%r, %c], (load %t, [%r, %c], 0)
 *   %t = make_tensor %a, [%M, %K], [%K, 1]     }
 *   parallel … {                           →   parallel … #{repacked = "a"} {
 *     dot (load %t, [%i, %k], _), …              dot (load %u, [%i, %k], _), …
 * </pre>
 *
 * Only tensors that nothing writes, and only where that is all that stands in the way: the passes up to
 * {@code choose-async} are tried on a copy of the kernel, and what does not become a bulk copy of an asynchronous
 * product there stays as it is. Several phases share a copy. The tensor keeps its sizes, so whoever loads beyond them
 * sees zeros, and the ends of the rows are read by nobody.
 *
 * <p>Whether the copy is worth its time depends on sizes that only a launch knows: who chooses schedules asks
 * {@link dev.tkc.passes.cost.RepackingCost} and turns the pass off by the setting {@code repack = false}.
 */
public final class RepackOperands {
  /** A block copies so many rows and columns at a time. */
  private static final int ROWS = 16;

  private static final int COLUMNS = 256;

  private final Func kernel;
  private final Divisibility divisibility;
  private final Map<Value, Value> repacked = new IdentityHashMap<>();

  private RepackOperands(Func kernel) {
    this.kernel = kernel;
    this.divisibility = new Divisibility(kernel);
  }

  public static void run(Module module, PassContext cx) {
    Func kernel = module.kernel();
    cx.enter(kernel);
    if (Boolean.FALSE.equals(kernel.annotations().get("repack"))) {
      return;
    }
    List<Set<String>> phases = new ArrayList<>();
    boolean any = false;
    for (int i = 0; i < kernel.body().insts().size(); i++) {
      Set<String> names = new RepackOperands(kernel).candidates(kernel.body().insts().get(i));
      phases.add(names.isEmpty() ? names : helped(module, i, names, cx));
      any |= !phases.getLast().isEmpty();
    }
    cx.enter(kernel);
    if (any) {
      new RepackOperands(kernel).rewrite(phases);
    }
  }

  // ------------------------------------------------------------------------------------------------ finding

  /** The names of the tensors whose rows stand in the way of a phase's products. */
  private Set<String> candidates(Inst phase) {
    Set<String> names = new TreeSet<>();
    loads(phase).forEach(l -> names.add(made(l).orElseThrow().name()));
    return names;
  }

  private List<Inst> loads(Inst phase) {
    List<Inst> found = new ArrayList<>();
    if (phase.op() instanceof ControlOp.Parallel p && !Boolean.FALSE.equals(phase.annotations().get("repack"))) {
      Uses uses = new Uses(p.body());
      p.body().walk(i -> {
        if (i.op() instanceof MemoryOp.Load l && made(i).filter(t -> inTheWay(l.tensor(), t)).isPresent()
            && feedsProduct(i.result(), uses, Collections.newSetFromMap(new IdentityHashMap<>()))) {
          found.add(i);
        }
      });
    }
    return found;
  }

  /** What makes the tensor that is loaded from, where that is an argument that nothing writes. */
  private Optional<MemoryOp.MakeTensor> made(Inst load) {
    Inst def = ((MemoryOp.Load) load.op()).tensor().definition();
    return def != null && def.op() instanceof MemoryOp.MakeTensor t && t.access() == MemoryOp.Access.IN
        && kernel.body().insts().contains(def) ? Optional.of(t) : Optional.empty();
  }

  private boolean inTheWay(Value tensor, MemoryOp.MakeTensor t) {
    int rank = t.sizes().size();
    int bits = ((TensorType) tensor.type()).element().bits();
    if (rank < 2 || bits < 8 || !Regions.isInteger(t.strides().getLast(), 1)) {
      return false;
    }
    boolean rows = t.strides().subList(0, rank - 1).stream()
        .anyMatch(s -> divisibility.of(s) * bits / 8 < BulkAccess.ALIGNMENT);
    return rows || divisibility.ofAddress(tensor) < BulkAccess.ALIGNMENT;
  }

  private static boolean feedsProduct(Value v, Uses uses, Set<Value> seen) {
    return seen.add(v) && uses.of(v).stream().anyMatch(user -> switch (user.op()) {
      case MatrixOp.Dot d -> d.a() == v || d.b() == v;
      case ElementwiseOp _ -> feedsProduct(user.result(), uses, seen);
      case ShapeOp _ -> feedsProduct(user.result(), uses, seen);
      default -> false;
    });
  }

  // ------------------------------------------------------------------------------------------------ trying

  /** Which of a phase's tensors become bulk copies of asynchronous products if they are repacked. */
  private static Set<String> helped(Module module, int phase, Set<String> names, PassContext cx) {
    Module trial = Cloner.clone(module);
    List<Set<String>> only = new ArrayList<>(Collections.nCopies(trial.kernel().body().insts().size(), Set.of()));
    only.set(phase, names);
    new RepackOperands(trial.kernel()).rewrite(only);
    Trial.decide(trial, "repack-operands", cx);
    Set<String> bulk = new TreeSet<>();
    boolean[] synchronous = {false};
    trial.funcs().stream().filter(f -> f.annotations().containsKey("repacked")).forEach(f -> f.body().walk(i -> {
      synchronous[0] |= i.op() instanceof MatrixOp.Dot && !i.annotations().containsKey("instruction");
      if (i.op() instanceof MemoryOp.Load l && i.flag("bulk")
          && l.tensor().definition().op() instanceof MemoryOp.MakeTensor t) {
        bulk.add(t.name());
      }
    }));
    bulk.retainAll(names);
    return synchronous[0] ? Set.of() : bulk;
  }

  // ------------------------------------------------------------------------------------------------ rewriting

  /** Each top-level instruction with the names of the tensors to be repacked for it. */
  private void rewrite(List<Set<String>> phases) {
    List<Inst> old = new ArrayList<>(kernel.body().insts());
    List<List<Inst>> loads = new ArrayList<>();
    for (int i = 0; i < old.size(); i++) {
      Set<String> names = phases.get(i);
      loads.add(names.isEmpty() ? List.of()
          : loads(old.get(i)).stream().filter(l -> names.contains(made(l).orElseThrow().name())).toList());
    }
    kernel.body().insts().clear();
    for (int i = 0; i < old.size(); i++) {
      Inst phase = old.get(i);
      Builder b = new Builder(kernel.body()).at(phase.loc());
      for (Inst inst : loads.get(i)) {
        MemoryOp.Load load = (MemoryOp.Load) inst.op();
        inst.setOp(new MemoryOp.Load(repack(load.tensor(), b), load.indices(), load.pad()));
      }
      if (!loads.get(i).isEmpty()) {
        phase.annotate("repacked", String.join(", ", phases.get(i)));
      }
      kernel.body().insts().add(phase);
    }
  }

  private Value repack(Value tensor, Builder b) {
    Value found = repacked.get(tensor);
    if (found == null) {
      found = copy(tensor, (MemoryOp.MakeTensor) tensor.definition().op(), b);
      repacked.put(tensor, found);
    }
    return found;
  }

  private static Value copy(Value tensor, MemoryOp.MakeTensor t, Builder b) {
    Element element = ((TensorType) tensor.type()).element();
    AddressableRows longer = AddressableRows.allocate(b, t.sizes(), element, t.name());
    longer.memory().annotate("repack", true);
    Inst phase = level(tensor, longer.memory().result(), longer.sizes(), new ArrayList<>(), b);
    phase.annotate("label", "repack_" + t.name());
    Value rows = longer.tensor(b, t.sizes(), t.name());
    rows.setName(tensor.name());
    return rows;
  }

  /** The domain of the next dimension; the last two go by tiles. */
  private static Inst level(Value from, Value to, List<Value> sizes, List<Value> indices, Builder b) {
    int d = indices.size();
    int left = sizes.size() - d;
    int step = left == 1 ? COLUMNS : left == 2 ? ROWS : 1;
    Value position = new Value(TileType.integer(), left == 1 ? "c" : left == 2 ? "r" : "d" + d);
    Region body = new Region(List.of(position));
    b.in(body, () -> {
      indices.add(left > 2 ? position
          : b.emit(new MemoryOp.Range(position, b.constant(1), b.sub(sizes.get(d), position), step)));
      if (left == 1) {
        // Said, since a load without it must not be relied on to give zeros to whoever stores them.
        Value zero = b.constant(Literal.of(((TensorType) from.type()).element(), 0));
        Value tile = b.emit(new MemoryOp.Load(from, indices, Optional.of(zero)));
        b.append(new MemoryOp.Store(to, indices, tile));
      } else {
        level(from, to, sizes, indices, b);
      }
      b.yield(List.of());
    });
    return b.append(new ControlOp.Parallel(b.constant(0), sizes.get(d), step, body));
  }
}
