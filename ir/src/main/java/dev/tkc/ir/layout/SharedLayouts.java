package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Layouts of tiles in shared memory: maps from an element's offset (in elements) to its coordinates, one to one. Also
 * which register layouts a matrix load (eight rows of 16 bytes, spread over a warp) can fill from them.
 */
public final class SharedLayouts {
  private SharedLayouts() {}

  /**
   * How rows are permuted: in row {@code r} of the two fastest dimensions, groups of {@code vec} elements are exchanged
   * by the exclusive or with {@code (r / perPhase) % maxPhase}. {@code maxPhase = 1} permutes nothing.
   */
  public record Swizzle(int vec, int perPhase, int maxPhase) {
    public static final Swizzle NONE = new Swizzle(1, 1, 1);

    /**
     * The permutation under which eight lanes reading 16 bytes each down a column, or along a row, touch all banks:
     * rows of 128 bytes or more take eight phases of one row, shorter rows share a phase.
     */
    public static Swizzle forRows(int rowElements, int elementBits) {
      int rowBytes = Math.max(1, rowElements * elementBits / 8);
      int vec = Math.max(1, 128 / elementBits);
      if (rowBytes < 32) {
        return NONE;
      }
      int perPhase = Math.max(1, 128 / rowBytes);
      return new Swizzle(vec, perPhase, Math.min(8 / perPhase, rowBytes / 16));
    }
  }

  /** A tile with {@code order}'s dimensions from fastest to slowest, its two fastest under the swizzle. */
  public static LinearLayout swizzled(List<Integer> shape, List<Integer> order, Swizzle swizzle) {
    List<Integer> sizes = LinearLayout.cover(shape);
    List<Long> vectors = new ArrayList<>();
    for (int place = 0; place < order.size(); place++) {
      int axis = order.get(place);
      for (int bit = 1; bit < sizes.get(axis); bit *= 2) {
        long vector = unit(sizes, axis) * bit;
        if (place == 1) {
          int fastest = order.getFirst();
          int moved = bit / swizzle.perPhase % swizzle.maxPhase * swizzle.vec;
          vector ^= unit(sizes, fastest) * (moved & (sizes.get(fastest) - 1));
        }
        vectors.add(vector);
      }
    }
    return LinearLayout.ofFlat(sizes, Map.of(InDim.OFFSET, vectors));
  }

  /** A tile as copy engines and asynchronous matrix instructions have it ({@link Panels}); its sizes must fit. */
  public static LinearLayout panels(List<Integer> shape, int elementBits) {
    return Panels.of(shape, elementBits)
        .orElseThrow(() -> new IllegalStateException("no panels: " + Panels.obstacle(shape, elementBits).orElseThrow()))
        .layout();
  }

  private static long unit(List<Integer> sizes, int axis) {
    long unit = 1;
    for (int i = axis + 1; i < sizes.size(); i++) {
      unit *= sizes.get(i);
    }
    return unit;
  }

  /** Where each (register, lane, warp) finds its element: the offset in elements. */
  public static Gf2 offsets(LinearLayout shared, LinearLayout registers) {
    return registers.invertAndCompose(shared);
  }

  /** A matrix load that fills a register layout: whether it transposes, and how many 8-row matrices at most at once. */
  public record MatrixLoad(boolean transposed, int matrices) {}

  /**
   * Whether {@code ldmatrix} can fill the layout: each thread's 32-bit registers then hold, for matrix after matrix,
   * row {@code lane / 4} (or column, transposed; 16-bit elements only) at place {@code lane % 4}. The address that lane
   * {@code i} supplies is the offset of register {@code 32-bit number i / 8}, lane {@code i % 8 * 4} (not transposed),
   * or that of lane {@code i / 2 % 4} and element {@code i % 2} (transposed).
   */
  public static Optional<MatrixLoad> matrixLoad(LinearLayout shared, LinearLayout registers, int elementBits) {
    if (elementBits > 32 || registers.count(InDim.LANE) != 32) {
      return Optional.empty();
    }
    Gf2 offsets = offsets(shared, registers);
    int registerBits = registers.bits(InDim.REGISTER);
    int pack = LinearLayout.log2(32 / elementBits);
    int row = LinearLayout.log2(128 / elementBits);
    if (registerBits < pack) {
      return Optional.empty();
    }
    for (boolean transposed : new boolean[] {false, true}) {
      if (transposed && elementBits != 16) {
        continue;
      }
      List<Integer> along = new ArrayList<>();
      for (int i = 0; i < pack && !transposed; i++) {
        along.add(i);
      }
      for (int i = 0; along.size() < row; i++) {
        along.add(registerBits + (transposed ? 2 : 0) + i);
      }
      if (rowsAreWhole(offsets, along, row)) {
        return Optional.of(new MatrixLoad(transposed, 1 << Math.min(2, registerBits - pack)));
      }
    }
    return Optional.empty();
  }

  /** Whether these inputs walk the elements of one 16-byte row in order and no other input moves within a row. */
  private static boolean rowsAreWhole(Gf2 offsets, List<Integer> along, int row) {
    long low = (1L << row) - 1;
    for (int i = 0; i < offsets.columnCount(); i++) {
      int place = along.indexOf(i);
      if (place < 0 ? (offsets.column(i) & low) != 0 : offsets.column(i) != 1L << place) {
        return false;
      }
    }
    return true;
  }
}
