package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Gives the blocks whose tiles are full code without guards, beside the code for those at the boundary.
 *
 * <pre>
 *   %left = sub %N, %i : i64                       %left = sub %N, %i : i64
 *   %r = range %i, %c1, %left {size = 64}          %full = ge %left, %c64 : bool
 *   %t = load %x, [%r], _                    →     if %full {
 *   …                                                %r = range %i, %c1, %left {size = 64}   // full in here
 *                                                    …
 *                                                  } { …the same… }
 * </pre>
 *
 * For short bodies without matrix products only: there guards are a good part of the work, and two copies cost little.
 * {@link FoldBounds} then finds the first copy's ranges full.
 */
public final class VersionInterior {
  private static final int LARGEST = 150;

  private VersionInterior() {}

  public static void run(Func func, PassContext cx) {
    int[] size = {0};
    boolean[] multiplies = {false};
    func.body().walk(i -> {
      size[0]++;
      multiplies[0] |= i.op() instanceof MatrixOp.Dot;
    });
    List<Inst> partial = func.body().insts().stream().filter(VersionInterior::isPartial).toList();
    if (size[0] > LARGEST || multiplies[0] || partial.isEmpty()) {
      return;
    }
    split(func, partial);
  }

  private static boolean isPartial(Inst inst) {
    return inst.op() instanceof MemoryOp.Range r && Regions.integer(r.count()).isEmpty();
  }

  private static void split(Func func, List<Inst> partial) {
    Region body = func.body();
    List<Inst> rest = new ArrayList<>();
    List<Inst> before = new ArrayList<>();
    Set<Value> known = new HashSet<>();
    func.params().forEach(p -> known.add(p.value()));
    for (Inst inst : body.insts().subList(0, body.insts().size() - 1)) {
      boolean stays = uniform(inst) && known.containsAll(inst.operands());
      (stays ? before : rest).add(inst);
      if (stays) {
        known.addAll(inst.results());
      }
    }
    if (!partial.stream().allMatch(r -> known.contains(((MemoryOp.Range) r.op()).count()))) {
      return;
    }
    Inst end = body.terminator();
    body.insts().clear();
    body.insts().addAll(before);
    Builder b = new Builder(body).at(partial.get(0).loc());
    Value full = null;
    for (Inst r : partial) {
      Value count = ((MemoryOp.Range) r.op()).count();
      Value one = b.compare(CompareKind.GE, count, b.constant(((RangeType) r.result().type()).size()));
      full = full == null ? one : b.binary(BinaryKind.AND, full, one);
    }
    Region then = new Region();
    Cloner cloner = new Cloner();
    rest.forEach(i -> then.insts().add(cloner.clone(i)));
    new Builder(then).at(end.loc()).yield(List.of());
    Region otherwise = new Region();
    otherwise.insts().addAll(rest);
    new Builder(otherwise).at(end.loc()).yield(List.of());
    b.append(new ControlOp.If(full, then, otherwise), List.of());
    b.insert(end);
  }

  /** Scalars and tensors: computed once for both copies. */
  private static boolean uniform(Inst inst) {
    return inst.regions().isEmpty() && !inst.results().isEmpty() && Effects.isPure(inst)
        && (inst.op() instanceof MemoryOp.MakeTensor
            || inst.results().stream().allMatch(r -> r.type() instanceof TileType t && t.isScalar()));
  }
}
