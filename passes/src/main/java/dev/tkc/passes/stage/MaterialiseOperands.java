package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Scopes;
import dev.tkc.passes.analysis.Tensors;
import dev.tkc.passes.tile.EliminateDead;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Computes operands of products once, in a phase of its own, that the tiles of the grid would each compute anew.
 *
 * <pre>
 *                                            %n = (%K + 7) &amp; -8
 *                                            %m = temp [%M, %n] #{materialised}
 *                                            parallel %r, %c #{label = "materialise_x"} {
 *                                              store %m, [%r, %c], (cast (sigmoid (load %x, [%r, %c], _)))
 *   parallel … {                             }
 *     %x = load %tx, [%i, %k], _             %u = make_tensor (address_of %m), [%M, %K], [%n, 1]
 *     %s = sigmoid %x                    →   parallel … #{materialised = "x"} {
 *     %a = cast %s                             %a = load %u, [%i, %k], _
 *     dot %a, …                                dot %a, …
 * </pre>
 *
 * The operand is what {@link ComputedOperand} sees to be a piece of a matrix, as it is or transposed; it is rounded
 * where it was, so the products are the same to the bit. Only where it then becomes a bulk copy of an asynchronous
 * product, which is tried on a copy of the kernel. A left operand could be computed in registers beside the products
 * too: whether the matrix is worth its time depends on sizes that only a launch knows, so whoever chooses schedules
 * turns the pass off by the setting {@code materialise = false}.
 */
public final class MaterialiseOperands {
  private final Func kernel;

  private MaterialiseOperands(Func kernel) {
    this.kernel = kernel;
  }

  public static void run(Module module, PassContext cx) {
    Func kernel = module.kernel();
    cx.enter(kernel);
    if (Boolean.FALSE.equals(kernel.annotations().get("materialise"))) {
      return;
    }
    for (int i = 0; i < kernel.body().insts().size(); i++) {
      MaterialiseOperands pass = new MaterialiseOperands(kernel);
      if (!pass.operands(kernel.body().insts().get(i)).isEmpty() && helps(module, i, cx)) {
        i += pass.rewrite(i, cx);
      }
    }
    cx.enter(kernel);
  }

  // ------------------------------------------------------------------------------------------------ finding

  /** The computed operands of a phase's products, each once. */
  private List<ComputedOperand> operands(Inst phase) {
    Map<Value, ComputedOperand> found = new LinkedHashMap<>();
    if (phase.op() instanceof ControlOp.Parallel p && !Boolean.FALSE.equals(phase.annotations().get("materialise"))) {
      Set<Value> written = written(p.body());
      p.body().walk(i -> {
        if (i.op() instanceof MatrixOp.Dot d) {
          for (Value v : List.of(d.a(), d.b())) {
            ComputedOperand.of(straight(v), kernel)
                .filter(c -> c.tensors().stream().noneMatch(written::contains) && isIn(c.tensors()))
                .ifPresent(c -> found.putIfAbsent(c.tile, c));
          }
        }
      });
    }
    return List.copyOf(found.values());
  }

  private static Value straight(Value v) {
    return v.definition() != null && v.definition().op() instanceof ShapeOp.Permute p ? straight(p.x()) : v;
  }

  private static Set<Value> written(Region body) {
    Set<Value> tensors = Collections.newSetFromMap(new IdentityHashMap<>());
    body.walk(i -> {
      if (i.op() instanceof MemoryOp.Store s) {
        tensors.add(s.tensor());
      } else if (i.op() instanceof MemoryOp.Atomic a) {
        tensors.add(a.tensor());
      }
    });
    return tensors;
  }

  /** Arguments that nothing writes, and scratch that an earlier phase wrote. */
  private static boolean isIn(Set<Value> tensors) {
    return tensors.stream().allMatch(t -> t.definition().op() instanceof MemoryOp.Temp
        || t.definition().op() instanceof MemoryOp.MakeTensor m && m.access() == MemoryOp.Access.IN);
  }

  // ------------------------------------------------------------------------------------------------ trying

  /**
   * Whether all of a phase's products are asynchronous, and all its operands bulk copies, once they are materialised.
   */
  private static boolean helps(Module module, int phase, PassContext cx) {
    Module trial = Cloner.clone(module);
    new MaterialiseOperands(trial.kernel()).rewrite(phase, cx);
    Trial.decide(trial, "materialise-operands", cx);
    boolean[] good = {true};
    for (Func f : trial.funcs()) {
      if (f.annotations().get("materialised") instanceof String names) {
        Set<String> left = new TreeSet<>(List.of(names.split(", ")));
        f.body().walk(i -> {
          good[0] &= !(i.op() instanceof MatrixOp.Dot) || i.annotations().containsKey("instruction");
          if (i.op() instanceof MemoryOp.Load l && i.flag("bulk")) {
            left.remove(Tensors.name(l.tensor()));
          }
        });
        good[0] &= left.isEmpty();
      }
    }
    return good[0];
  }

  // ------------------------------------------------------------------------------------------------ rewriting

  /** Puts the phases in front of one; gives how many instructions that took. */
  private int rewrite(int at, PassContext cx) {
    Inst phase = kernel.body().insts().get(at);
    List<ComputedOperand> operands = operands(phase);
    Builder b = new Builder(kernel.body(), at).at(phase.loc());
    Set<String> names = new TreeSet<>();
    for (ComputedOperand operand : operands) {
      names.add(operand.name());
      replace(phase, operand, new OperandPhase(operand, b).build());
    }
    phase.annotate("materialised", String.join(", ", names));
    EliminateDead.run(kernel, cx);
    return kernel.body().insts().indexOf(phase) - at;
  }

  /** Lets the products load the operand. */
  private void replace(Inst phase, ComputedOperand operand, Value matrix) {
    Scopes scopes = new Scopes(kernel);
    Inst old = operand.tile.definition();
    Region region = scopes.regionOf(old);
    Builder b = new Builder(region, region.insts().indexOf(old) + 1).at(old.loc());
    List<Value> indices = new ArrayList<>(operand.numbers());
    indices.add(operand.range(0));
    indices.add(operand.range(1));
    Value loaded = b.emit(new MemoryOp.Load(matrix, indices, Optional.empty()));
    loaded.setName(operand.tile.name());
    List<Inst> dots = new ArrayList<>();
    phase.regions().forEach(r -> r.walk(i -> {
      if (i.op() instanceof MatrixOp.Dot) {
        dots.add(i);
      }
    }));
    for (Inst dot : dots) {
      MatrixOp.Dot d = (MatrixOp.Dot) dot.op();
      dot.setOp(new MatrixOp.Dot(
          instead(d.a(), operand.tile, loaded, b), instead(d.b(), operand.tile, loaded, b), d.acc(), d.precision()));
    }
  }

  /** {@code v} with {@code loaded} in place of {@code old}, itself or below permutations. */
  private static Value instead(Value v, Value old, Value loaded, Builder b) {
    if (v == old) {
      return loaded;
    }
    if (straight(v) != old) {
      return v;
    }
    ShapeOp.Permute p = (ShapeOp.Permute) v.definition().op();
    return b.emit(new ShapeOp.Permute(instead(p.x(), old, loaded, b), p.order()));
  }
}
