package dev.tkc.passes.target;

import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import java.util.Objects;

/**
 * One matrix instruction of a warp: {@code c += a @ b} on the tiles that the fragments describe.
 *
 * @param name the target's name for it, which the annotation {@code instruction} of a dot carries to the lowering
 * @param a element type of the left operand's registers
 * @param b element type of the right operand's registers
 * @param accumulator element type of the sum
 * @param precision the precision asked for by the dots it serves
 * @param fragments how the three operands lie over registers and lanes; their sizes are m, n and k
 */
public record MatrixInstruction(
    String name, Element a, Element b, Element accumulator, Precision precision, MatrixFragments.Fragments fragments) {
  public MatrixInstruction {
    Objects.requireNonNull(name);
    Objects.requireNonNull(fragments);
  }

  public int m() {
    return fragments.m();
  }

  public int n() {
    return fragments.n();
  }

  public int k() {
    return fragments.k();
  }

  public boolean computes(Element left, Element right, Element sum, Precision wanted) {
    return a == left && b == right && accumulator == sum && precision == wanted;
  }
}
