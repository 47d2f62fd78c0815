package dev.tkc.passes.place;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.layout.MatrixFragments.Warps;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.target.AsyncMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The layouts of a dot's operands and its accumulator; null for an operand in shared memory. */
record DotLayouts(LinearLayout a, LinearLayout b, LinearLayout acc) {

  /**
   * For a matrix instruction: warps {@code rows × columns} over the last two dimensions, each owning one brick of the
   * accumulator; the operands' warps hold what their bricks need, so A's repeat over columns and B's over rows. Steps
   * of k are the operands' highest registers, so that a step of an operand lies as an operand of that size does.
   */
  static DotLayouts of(Inst inst, MatrixFragments.Fragments fragments, int rows, int columns) {
    MatrixOp.Dot dot = (MatrixOp.Dot) inst.op();
    TileType acc = inst.result().tile();
    int m = acc.rank() - 2;
    int n = acc.rank() - 1;
    Warps none = new Warps(Warps.NONE, rows);
    LinearLayout c = MatrixFragments.tiled(
        fragments.c(), acc.shape(), List.of(new Warps(m, rows), new Warps(n, columns)), order(acc.rank(), n, m));
    LinearLayout a = MatrixFragments.tiled(fragments.a(), shape(dot.a()),
        List.of(new Warps(m, rows), new Warps(Warps.NONE, columns)), order(acc.rank(), m, n));
    LinearLayout b = MatrixFragments.tiled(
        fragments.b(), shape(dot.b()), List.of(none, new Warps(n, columns)), order(acc.rank(), n, m));
    return new DotLayouts(a, b, c);
  }

  /**
   * For an asynchronous instruction: the warps that start it together follow each other along the rows, registers
   * repeat that over further rows, and the next such group has the rows behind. The left operand lies the same way
   * where it is in registers; what is in shared memory has no layout here.
   */
  static DotLayouts async(Inst inst, AsyncMatrix instruction, int warps) {
    MatrixFragments.Fragments fragments = instruction.fragments();
    AsyncOp.DotAsync dot = (AsyncOp.DotAsync) inst.op();
    TileType acc = inst.result().tile();
    int m = acc.rank() - 2;
    int n = acc.rank() - 1;
    int group = instruction.groupWarps();
    LinearLayout c = MatrixFragments.grouped(
        fragments.c(), acc.shape(), new Warps(m, warps), group, order(acc.rank(), n, m));
    LinearLayout a = dot.a().type() instanceof TileType t && t.rank() > 0
        ? MatrixFragments.grouped(fragments.a(), t.shape(), new Warps(m, warps), group, order(acc.rank(), m, n)) : null;
    return new DotLayouts(a, null, c);
  }

  private static List<Integer> order(int rank, int first, int second) {
    List<Integer> order = new ArrayList<>(List.of(first, second));
    for (int axis = rank - 3; axis >= 0; axis--) {
      order.add(axis);
    }
    return order;
  }

  private static List<Integer> shape(Value v) {
    return v.tile().shape();
  }

  /** Whether the instruction's tile fits the dot's, batch dimensions aside. */
  static boolean fits(Inst inst, MatrixFragments.Fragments fragments) {
    MatrixOp.Dot dot = (MatrixOp.Dot) inst.op();
    List<Integer> acc = LinearLayout.cover(inst.result().tile().shape());
    List<Integer> a = LinearLayout.cover(shape(dot.a()));
    int n = acc.size() - 1;
    return fragments.m() <= acc.get(n - 1) && fragments.n() <= acc.get(n) && fragments.k() <= a.get(n);
  }

  /**
   * Without an instruction: threads own bricks of the accumulator, and hold all of k for the rows and columns of
   * theirs.
   */
  static DotLayouts scalar(Inst inst, int lanes, int warps) {
    MatrixOp.Dot dot = (MatrixOp.Dot) inst.op();
    TileType acc = inst.result().tile();
    int m = acc.rank() - 2;
    int n = acc.rank() - 1;
    LinearLayout c = BlockedLayouts.coalescedLayout(
        acc.shape(), BlockedLayouts.rowMajorOrder(acc.rank()), 4, lanes, warps);
    int k = LinearLayout.cover(shape(dot.a())).get(n);
    LinearLayout a = Transfer.reduced(c, List.of(n))
        .product(LinearLayout.identity1d(InDim.REGISTER, k, n, acc.rank()));
    LinearLayout b = Transfer.reduced(c, List.of(m))
        .product(LinearLayout.identity1d(InDim.REGISTER, k, m, acc.rank()));
    return new DotLayouts(a, b, c);
  }

  /** How to split {@code warps} over rows and columns of an accumulator. */
  static int rowsOfWarps(Inst inst, MatrixFragments.Fragments fragments, int warps, boolean rowsOnly) {
    List<Integer> acc = LinearLayout.cover(inst.result().tile().shape());
    int m = acc.get(acc.size() - 2);
    int n = acc.get(acc.size() - 1);
    int most = Math.max(1, m / fragments.m());
    if (rowsOnly && warps <= most) {
      return warps;
    }
    int best = 1;
    double bestCost = Double.MAX_VALUE;
    for (int rows = 1; rows <= warps; rows *= 2) {
      int columns = warps / rows;
      // Bytes of A and B that a warp reads for each k; warps beyond the tile only repeat work.
      double idle = Math.max(1.0, (double) rows / most) * Math.max(1.0, (double) columns * fragments.n() / n);
      double cost = ((double) m / rows + (double) n / columns) * idle;
      if (cost < bestCost) {
        best = rows;
        bestCost = cost;
      }
    }
    return best;
  }

  static Optional<MatrixOp.Dot> dot(Inst inst) {
    return inst.op() instanceof MatrixOp.Dot d ? Optional.of(d) : Optional.empty();
  }
}
