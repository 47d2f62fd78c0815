package dev.tkc.passes.target;

import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import java.util.Objects;

/**
 * A matrix instruction that a group of warps starts together and that reads shared memory: {@code c += a @ b}. Its
 * right operand is in shared memory, the left one there or in registers.
 *
 * @param name the target's name for it, which the annotation {@code instruction} of an asynchronous dot carries to the
 *     lowering
 * @param a element type of the left operand
 * @param b element type of the right operand
 * @param accumulator element type of the sum
 * @param precision the precision asked for by the dots it serves
 * @param fragments how one warp's part of the accumulator and of a left operand in registers lie; warps follow each
 *     other along the rows
 * @param groupWarps how many warps start it together
 * @param mostColumns the widest accumulator of one instruction
 * @param columnStep widths are multiples of this
 * @param transposes whether operands whose k is not contiguous in shared memory are read as well
 */
public record AsyncMatrix(
    String name,
    Element a,
    Element b,
    Element accumulator,
    Precision precision,
    MatrixFragments.Fragments fragments,
    int groupWarps,
    int mostColumns,
    int columnStep,
    boolean transposes) {
  public AsyncMatrix {
    Objects.requireNonNull(name);
    Objects.requireNonNull(fragments);
  }

  /** Rows of the accumulator of one instruction. */
  public int rows() {
    return fragments.m() * groupWarps;
  }

  public int k() {
    return fragments.k();
  }

  public boolean computes(Element left, Element right, Element sum, Precision wanted) {
    return a == left && b == right && accumulator == sum && precision == wanted;
  }
}
