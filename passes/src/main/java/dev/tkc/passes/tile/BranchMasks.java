package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.RangeType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Affine;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Scopes;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Masks only the tiles that a mask's edge crosses, in loops whose products run beside the warps.
 *
 * <pre>
 *   %m = ge %rows, %cols                       %d = … the least row less the greatest column
 *   %s = select %m, %x, %y              →      %full = ge %d, 0
 *                                              %s = if %full { yield [%x] } { %m = ge %rows, %cols … yield [%t] }
 * </pre>
 *
 * {@link PeelLoops} splits the loop instead, which ends what is under way between its parts; where products of one
 * round run under the work of the next, a branch that goes one way nearly always costs less. Masks are conjunctions of
 * comparisons of positions and of ranges' validity.
 */
public final class BranchMasks {
  private final Bounds bounds;

  private BranchMasks(Bounds bounds) {
    this.bounds = bounds;
  }

  public static void run(Func func, PassContext context) {
    if (!Boolean.TRUE.equals(func.annotations().get("asynchronous"))) {
      return;
    }
    Bounds bounds = new Bounds(func);
    Scopes scopes = bounds.scopes();
    List<Inst> selects = new ArrayList<>();
    func.body().walk(i -> {
      if (i.op() instanceof ElementwiseOp.Select s && !s.condition().tile().isScalar()
          && scopes.around(i).anyMatch(o -> o.op() instanceof ControlOp.For)) {
        selects.add(i);
      }
    });
    // What to do is found before anything changes: the bounds are those of the function as it is.
    List<Runnable> changes = new ArrayList<>();
    BranchMasks masks = new BranchMasks(bounds);
    for (Inst inst : selects) {
      Set<Affine> margins = new LinkedHashSet<>();
      ElementwiseOp.Select select = (ElementwiseOp.Select) inst.op();
      if (masks.margins(inst, select.condition(), margins) && !margins.isEmpty()) {
        Region region = scopes.regionOf(inst);
        changes.add(() -> branch(region, inst, select, margins));
      }
    }
    changes.forEach(Runnable::run);
    // What was copied under a branch is dead outside; merging equal values would bring it back.
    EliminateDead.run(func, context);
  }

  /** Adds what must be 0 or more for the mask to hold everywhere; false if that is not known. */
  private boolean margins(Inst place, Value mask, Set<Affine> into) {
    if (mask.definition() == null) {
      return false;
    }
    return switch (mask.definition().op()) {
      case ElementwiseOp.Binary b when b.kind() == BinaryKind.AND ->
          margins(place, b.lhs(), into) && margins(place, b.rhs(), into);
      case ShapeOp.Broadcast b -> margins(place, b.x(), into);
      case ShapeOp.Reshape r -> margins(place, r.x(), into);
      case ShapeOp.Permute p -> margins(place, p.x(), into);
      case MemoryOp.Valid v -> v.range().definition() != null && v.range().definition().op() instanceof MemoryOp.Range r
          && add(place, bounds.form(r.count()).plus(-((RangeType) v.range().type()).size()), into);
      case ElementwiseOp.Compare c -> LanePositions.margin(c, bounds)
          .map(m -> add(place, m.base().plus(m.least()), into)).orElse(false);
      default -> false;
    };
  }

  private boolean add(Inst place, Affine margin, Set<Affine> into) {
    if (!bounds.atMostZero(place, margin.times(-1))) {
      into.add(margin);
    }
    return true;
  }

  private static void branch(Region region, Inst inst, ElementwiseOp.Select select, Set<Affine> margins) {
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value full = null;
    for (Affine margin : margins) {
      Value holds = b.compare(CompareKind.GE, margin.emit(b), b.constant(0));
      full = full == null ? holds : b.binary(BinaryKind.AND, full, holds);
    }
    Region then = new Region();
    new Builder(then).at(inst.loc()).yield(List.of(select.then()));
    Region otherwise = new Region();
    Cloner cloner = new Cloner();
    for (Inst part : parts(region, select.condition())) {
      otherwise.insts().add(cloner.clone(part));
    }
    Builder o = new Builder(otherwise).at(inst.loc());
    o.yield(List.of(o.emit(new ElementwiseOp.Select(
        cloner.get(select.condition()), select.then(), select.otherwise()))));
    inst.setOp(new ControlOp.If(full, then, otherwise));
  }

  /** The instructions of the region that compute the mask's tiles. */
  private static List<Inst> parts(Region region, Value mask) {
    Set<Inst> needed = new LinkedHashSet<>();
    collect(mask, needed);
    return region.insts().stream().filter(needed::contains).toList();
  }

  private static void collect(Value v, Set<Inst> into) {
    Inst def = v.definition();
    boolean tile = def != null && def.regions().isEmpty() && Effects.isPure(def)
        && def.results().stream().allMatch(r -> r.type() instanceof dev.tkc.ir.type.TileType t && !t.isScalar());
    if (tile && into.add(def)) {
      def.operands().forEach(o -> collect(o, into));
    }
  }
}
