package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.Compare;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
 * each score. A mask between the product and its maximum comes in front of the product, where it puts the infinity that
 * the maximum passes over:
 *
 * <pre>
 *   %t = select %mask, %s, −∞      →      %y = select %mask, %x, −∞   %t = mul %y, %c
 * </pre>
 *
 * A factor is positive if it is a positive number, if the program asserts that before, or if it is such a number times
 * one of 1 or more (which is not 0 then; where it overflows, nothing is worth anything either way).
 *
 * <p>After masks are gone from the steady part of loops.
 */
public final class FactorMaxima {
  /** Numbers that are asserted to be positive before the place where the pass is. */
  private final Set<Value> positive = new HashSet<>();

  private FactorMaxima() {}

  public static void run(Func func, PassContext context) {
    new FactorMaxima().factor(func.body());
  }

  private void factor(Region region) {
    Set<Value> before = Set.copyOf(positive);
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(this::factor);
      if (inst.op() instanceof ControlOp.Assert a) {
        asserted(a.condition());
      } else if (inst.op() instanceof ReductionOp.Reduce r && (r.kind() == ReduceKind.MAX || r.kind() == ReduceKind.MIN)
          && r.x().tile().element().isFloat()) {
        product(region, r).ifPresent(p -> rewrite(region, inst, r, p));
      }
    }
    positive.retainAll(before);
  }

  private void asserted(Value condition) {
    if (condition.definition() != null && condition.definition().op() instanceof Compare c) {
      boolean above = c.kind() == CompareKind.GT && isAtLeast(c.rhs(), 0);
      boolean below = c.kind() == CompareKind.LT && isAtLeast(c.lhs(), 0);
      if (above || below) {
        positive.add(above ? c.lhs() : c.rhs());
      }
    }
  }

  private static boolean isAtLeast(Value v, double least) {
    return Regions.literal(v)
        .filter(l -> l.element().isFloat() && l.asDouble() >= least && l.asDouble() < Double.POSITIVE_INFINITY)
        .isPresent();
  }

  /** Something times a positive number, the same for all elements. */
  private record Product(Value x, Value factor) {}

  /** What is reduced, as a product; its mask is moved if there is one. */
  private Optional<Product> product(Region region, ReductionOp.Reduce r) {
    if (r.x().definition() != null && r.x().definition().op() instanceof ElementwiseOp.Select s
        && region.insts().contains(r.x().definition()) && isPassedOver(s.otherwise(), r.kind())) {
      return product(s.then()).map(p -> masked(region, r.x().definition(), s, p));
    }
    return product(r.x());
  }

  private Optional<Product> product(Value v) {
    if (v.definition() == null || !(v.definition().op() instanceof ElementwiseOp.Binary m)
        || m.kind() != BinaryKind.MUL) {
      return Optional.empty();
    }
    return factor(m.rhs()).map(c -> new Product(m.lhs(), c))
        .or(() -> factor(m.lhs()).map(c -> new Product(m.rhs(), c)));
  }

  /** Whether a tile is the infinity that every number comes before. */
  private static boolean isPassedOver(Value v, ReduceKind kind) {
    double worst = kind == ReduceKind.MAX ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    return v.definition() != null && v.definition().op() instanceof ShapeOp.Splat s
        && Regions.literal(s.scalar()).filter(l -> l.asDouble() == worst).isPresent();
  }

  /** The scalar that all elements are, if it is positive. */
  private Optional<Value> factor(Value tile) {
    return tile.definition() != null && tile.definition().op() instanceof ShapeOp.Splat splat
        && isPositive(splat.scalar())
        ? Optional.of(splat.scalar()) : Optional.empty();
  }

  private boolean isPositive(Value v) {
    if (positive.contains(v) || isAtLeast(v, Double.MIN_VALUE)) {
      return true;
    }
    return v.definition() != null && v.definition().op() instanceof ElementwiseOp.Binary m && m.kind() == BinaryKind.MUL
        && (isPositive(m.lhs()) && isAtLeast(m.rhs(), 1) || isPositive(m.rhs()) && isAtLeast(m.lhs(), 1));
  }

  private static Product masked(Region region, Inst select, ElementwiseOp.Select s, Product p) {
    Builder b = new Builder(region, region.insts().indexOf(select)).at(select.loc());
    Value x = b.emit(new ElementwiseOp.Select(s.condition(), p.x, s.otherwise()));
    Value all = b.emit(new ShapeOp.Splat(p.factor, x.tile().shape()));
    select.setOp(new ElementwiseOp.Binary(BinaryKind.MUL, x, all));
    return new Product(x, p.factor);
  }

  private static void rewrite(Region region, Inst inst, ReductionOp.Reduce reduce, Product p) {
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value most = b.emit(new ReductionOp.Reduce(reduce.kind(), p.x, reduce.axes()));
    inst.setOp(new ElementwiseOp.Binary(BinaryKind.MUL, most,
        b.emit(new ShapeOp.Splat(p.factor, inst.result().tile().shape()))));
  }
}
