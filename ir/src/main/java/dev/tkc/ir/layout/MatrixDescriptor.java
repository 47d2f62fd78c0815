package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;

/**
 * How an asynchronous matrix instruction is told where an operand lies in shared memory (PTX ISA, "Matrix descriptor
 * format" of {@code wgmma}). The operand is a view of a tile in {@link Panels}: a block of it, its dimensions in an
 * order. All but the last two dimensions of the view have size 1.
 *
 * <p>Along {@code k} the operand may be contiguous (k-major) or not (then its rows, for A, or columns, for B, are: only
 * for 16-bit elements). Eight rows of a panel are the unit in which the hardware walks: k-major it goes on to further
 * units of M or N at {@code strideBytes}, and k stays within a panel; otherwise further units of k are at
 * {@code strideBytes}, and further panels of M or N at {@code leadingBytes}.
 *
 * @param kMajor whether k is contiguous; the instruction's transpose flag otherwise
 * @param leadingBytes between panels, of no meaning where {@code kMajor}
 * @param strideBytes between units of eight rows
 */
public record MatrixDescriptor(
    Panels panels, List<Integer> origin, List<Integer> order, Operand operand, boolean kMajor, long leadingBytes,
    long strideBytes) {

  /** Which operand of the product: A is [M, K], B is [K, N]. */
  public enum Operand {
    A,
    B
  }

  public MatrixDescriptor {
    origin = List.copyOf(origin);
    order = List.copyOf(order);
  }

  /**
   * The descriptor of the view at {@code origin} of the tile whose dimension {@code i} is the tile's
   * {@code order.get(i)}.
   */
  public static MatrixDescriptor of(Panels panels, List<Integer> origin, List<Integer> order, Operand operand) {
    if (panels.swizzle() == 0) {
      throw new IllegalStateException("an operand of fewer than eight rows: " + panels.shape());
    }
    boolean kMajor = order.get(kDimension(order, operand)) == order.size() - 1;
    if (!kMajor && panels.elementBits() != 16) {
      throw new IllegalStateException("an operand of " + panels.elementBits()
          + "-bit elements that is not contiguous along k");
    }
    return new MatrixDescriptor(
        panels, origin, order, operand, kMajor, kMajor ? 16 : panels.stride(), 8L * panels.swizzle());
  }

  private static int kDimension(List<Integer> order, Operand operand) {
    return operand == Operand.A ? order.size() - 1 : order.size() - 2;
  }

  /** Whether an operand lies so that k is contiguous, which some element types demand. */
  public static boolean isKMajor(List<Integer> order, Operand operand) {
    return order.get(kDimension(order, operand)) == order.size() - 1;
  }

  /** The byte in the slot where the instruction that starts at {@code k} and at this row of A or column of B begins. */
  public long offset(int k, int other) {
    List<Integer> at = new ArrayList<>(origin);
    int kDimension = kDimension(order, operand);
    int otherDimension = 2 * order.size() - 3 - kDimension;
    at.set(order.get(kDimension), at.get(order.get(kDimension)) + k);
    at.set(order.get(otherDimension), at.get(order.get(otherDimension)) + other);
    return panels.offset(at);
  }

  /** The lower half of the descriptor, to which the address's bits 4 to 17 are added. */
  public int low() {
    return (int) (leadingBytes >> 4) << 16;
  }

  /** The upper half: the stride between units and how pieces are exchanged. */
  public int high() {
    int mode = switch (panels.swizzle()) {
      case 128 -> 1;
      case 64 -> 2;
      case 32 -> 3;
      default -> throw new IllegalStateException("no descriptor for rows of " + panels.swizzle() + " bytes");
    };
    return mode << 30 | (int) (strideBytes >> 4);
  }
}
