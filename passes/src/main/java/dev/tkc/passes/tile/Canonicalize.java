package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Rewrites what is known beforehand into its plainest form, so that later passes meet one form of each thing: constants
 * are computed, operations that do nothing go, splats move behind what is done to them, branches and loops whose course
 * is known are inlined.
 *
 * <pre>
 *   %1 = mul %n, %c1 : i64                         →  uses of %1 become %n
 *   %3 = splat %s {shape = [64]} : f32[64]
 *   %4 = cast %3 {to = bf16, …} : bf16[64]         →  a cast of the scalar, then the splat
 * </pre>
 *
 * The rules are in {@link Folding}; this class applies them in program order. Bits of results never change.
 */
public final class Canonicalize {
  private final Map<Value, Value> replaced = new IdentityHashMap<>();

  private Canonicalize() {}

  public static void run(Module module, PassContext context) {
    module.funcs().forEach(Canonicalize::run);
  }

  static void run(Func func) {
    new Canonicalize().visit(func.body());
    EliminateDead.run(func);
  }

  private void visit(Region region) {
    List<Inst> todo = new ArrayList<>(region.insts());
    region.insts().clear();
    Builder builder = new Builder(region);
    for (Inst inst : todo) {
      rewrite(inst, builder);
    }
  }

  private void rewrite(Inst inst, Builder builder) {
    inst.mapOperands(replaced);
    builder.at(inst.loc());
    if (inst.op() instanceof ControlOp.If branch && Regions.literal(branch.condition()).isPresent()) {
      inline(inst, Regions.literal(branch.condition()).get().asBool() ? branch.then() : branch.otherwise(), builder);
      return;
    }
    if (inst.op() instanceof ControlOp.For loop && rounds(loop).orElse(2) < 2) {
      boolean once = rounds(loop).getAsLong() == 1;
      if (once) {
        replaced.put(loop.body().params().getFirst(), loop.lo());
        for (int i = 0; i < loop.inits().size(); i++) {
          replaced.put(loop.body().params().get(i + 1), loop.inits().get(i));
        }
        inline(inst, loop.body(), builder);
      } else {
        replaceResults(inst, loop.inits());
      }
      return;
    }
    Optional<Value> folded = inst.results().size() == 1 && inst.regions().isEmpty() && inst.annotations().isEmpty()
        ? Folding.fold(inst, builder) : Optional.empty();
    if (folded.isPresent()) {
      replaced.put(inst.result(), folded.get());
      return;
    }
    builder.insert(inst);
    inst.regions().forEach(this::visit);
  }

  /** How often the loop runs, if both bounds are constants. */
  private static OptionalLong rounds(ControlOp.For loop) {
    OptionalLong lo = Regions.integer(loop.lo());
    OptionalLong hi = Regions.integer(loop.hi());
    if (lo.isEmpty() || hi.isEmpty()) {
      return OptionalLong.empty();
    }
    long span = Math.max(0, hi.getAsLong() - lo.getAsLong());
    return OptionalLong.of((span + loop.step() - 1) / loop.step());
  }

  private void inline(Inst inst, Region body, Builder builder) {
    for (Inst inner : body.insts()) {
      if (inner.op() instanceof ControlOp.Yield) {
        inner.mapOperands(replaced);
        replaceResults(inst, ((ControlOp.Yield) inner.op()).values());
      } else {
        rewrite(inner, builder);
      }
    }
  }

  private void replaceResults(Inst inst, List<Value> values) {
    for (int i = 0; i < values.size(); i++) {
      replaced.put(inst.results().get(i), values.get(i));
    }
  }
}
