package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import java.util.List;
import java.util.Optional;

/**
 * Takes a positive factor out of a maximum or minimum.
 *
 * <pre>
 *   %s = mul %x, %c                              %s = mul %x, %c
 *   %m = reduce %s {kind = max, axes = [1]}  →   %n = reduce %x {kind = max, axes = [1]}   %m = mul %n, %c1
 *   %d = sub %s, %b                              %d = sub %s, %b
 * </pre>
 *
 * The result is the same to the bit, since rounding keeps the order of numbers. What is left of the product's uses are
 * often sums, of which the backend makes one instruction with it; in softmax in base 2 that is one instruction less for
 * each score.
 *
 * <p>After masks are gone from the steady part of loops: a masked score is no product.
 */
public final class FactorMaxima {
  private FactorMaxima() {}

  public static void run(Func func, PassContext context) {
    factor(func.body());
  }

  private static void factor(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(FactorMaxima::factor);
      if (inst.op() instanceof ReductionOp.Reduce r && (r.kind() == ReduceKind.MAX || r.kind() == ReduceKind.MIN)
          && r.x().definition() != null && r.x().definition().op() instanceof ElementwiseOp.Binary product
          && product.kind() == BinaryKind.MUL && r.x().tile().element().isFloat()) {
        positive(product.rhs()).ifPresent(c -> rewrite(region, inst, r, product.lhs(), c));
        if (inst.op() == r) {
          positive(product.lhs()).ifPresent(c -> rewrite(region, inst, r, product.rhs(), c));
        }
      }
    }
  }

  /** The number that all elements are, if it is positive and finite. */
  private static Optional<Literal> positive(Value factor) {
    if (factor.definition() == null || !(factor.definition().op() instanceof ShapeOp.Splat splat)) {
      return Optional.empty();
    }
    return Regions.literal(splat.scalar()).filter(l -> l.asDouble() > 0 && l.asDouble() < Double.POSITIVE_INFINITY);
  }

  private static void rewrite(Region region, Inst inst, ReductionOp.Reduce reduce, Value x, Literal factor) {
    TileType type = inst.result().tile();
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value most = b.emit(new ReductionOp.Reduce(reduce.kind(), x, reduce.axes()));
    inst.setOp(new ElementwiseOp.Binary(BinaryKind.MUL, most, b.full(type, factor)));
  }
}
