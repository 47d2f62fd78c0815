package dev.tkc.passes.tile;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Scalars;
import dev.tkc.passes.analysis.Uses;
import java.util.List;

/**
 * Lets a product accumulate in place where its sum with something else is all that is wanted: the matrix unit adds for
 * nothing, and a tile of registers is saved.
 *
 * <pre>
 *   %2 = dot %a, %b, %zeros {…} : f32[64, 64]
 *   %3 = add %acc, %2 : f32[64, 64]              →  %3 = dot %a, %b, %acc {…} : f32[64, 64]
 * </pre>
 *
 * The sum is then rounded with the product's terms, as {@code acc += a @ b} is; {@code exact} sums stay. Only where the
 * product has no other use and stands in the same region, so that no loop repeats it.
 */
public final class AccumulateDots {
  private AccumulateDots() {}

  public static void run(Func func, PassContext cx) {
    visit(func.body(), new Uses(func.body()));
  }

  private static void visit(Region region, Uses uses) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(r -> visit(r, uses));
      if (inst.op() instanceof ElementwiseOp.Binary sum && sum.kind() == BinaryKind.ADD && !sum.exact()
          && !inst.result().tile().isScalar()) {
        if (!fuse(inst, sum.lhs(), sum.rhs(), region, uses)) {
          fuse(inst, sum.rhs(), sum.lhs(), region, uses);
        }
      }
    }
  }

  private static boolean fuse(Inst sum, Value product, Value other, Region region, Uses uses) {
    if (product == other || product.definition() == null || !(product.definition().op() instanceof MatrixOp.Dot dot)
        || !region.insts().contains(product.definition()) || uses.of(product).size() != 1
        || !Scalars.isZero(dot.acc())) {
      return false;
    }
    sum.setOp(new MatrixOp.Dot(dot.a(), dot.b(), other, dot.precision()));
    return true;
  }
}
