package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Reductions and scans by a function of the program. The orders are those of {@link ReductionEval}. All groups are
 * combined at once: a function of elementwise instructions only is run on rows of elements, any other one element at a
 * time.
 */
final class CombineEval {
  private final Machine machine;

  CombineEval(Machine machine) {
    this.machine = machine;
  }

  List<Tile> reduce(Inst inst, ReductionOp.ReduceWith op, Frame frame) {
    List<Tile> xs = ShapeEval.tiles(op.xs(), frame);
    ReductionEval.Groups g = ReductionEval.Groups.of(xs.get(0).shape(), List.of(op.axis()));
    machine.budget().work(inst, (long) xs.get(0).count() * xs.size());
    List<List<Tile>> rows = rows(xs, g.first(), g.step());
    while (rows.size() > 1) {
      List<List<Tile>> next = new ArrayList<>();
      for (int i = 0; i + 1 < rows.size(); i += 2) {
        next.add(combine(op.combine(), rows.get(i), rows.get(i + 1), frame));
      }
      if (rows.size() % 2 != 0) {
        next.add(rows.getLast());
      }
      rows = next;
    }
    return rows.get(0).stream().map(t -> t.reshaped(g.shape())).toList();
  }

  List<Tile> scan(Inst inst, ReductionOp.ScanWith op, Frame frame) {
    List<Tile> xs = ShapeEval.tiles(op.xs(), frame);
    ReductionEval.Groups g = ReductionEval.Groups.of(xs.get(0).shape(), List.of(op.axis()));
    machine.budget().work(inst, (long) xs.get(0).count() * xs.size());
    int[] order = op.reverse() ? ReductionEval.reversed(g.step()) : g.step();
    List<List<Tile>> rows = rows(xs, g.first(), order);
    for (int i = 1; i < rows.size(); i++) {
      rows.set(i, combine(op.combine(), rows.get(i - 1), rows.get(i), frame));
    }
    List<Tile> out = new ArrayList<>();
    for (int x = 0; x < xs.size(); x++) {
      out.add(scattered(inst, xs.get(x), x, rows, g.first(), order));
    }
    return out;
  }

  /** For each position along the axis, of each tile the elements of all groups there. */
  private static List<List<Tile>> rows(List<Tile> xs, int[] first, int[] order) {
    List<List<Tile>> rows = new ArrayList<>();
    for (int step : order) {
      int[] at = Arrays.stream(first).map(f -> f + step).toArray();
      rows.add(xs.stream().map(x -> x.gathered(List.of(at.length), at, false)).toList());
    }
    return rows;
  }

  private Tile scattered(Inst inst, Tile like, int which, List<List<Tile>> rows, int[] first, int[] order) {
    Object data = machine.allocate(inst, like.element(), like.count());
    int[] states = new int[like.count()];
    for (int r = 0; r < order.length; r++) {
      Tile row = rows.get(r).get(which);
      for (int i = 0; i < first.length; i++) {
        System.arraycopy(row.data(), i, data, first[i] + order[r], 1);
        states[first[i] + order[r]] = row.origin(i);
      }
    }
    return new Tile(like.element(), like.shape(), data, Padding.simplified(states), false);
  }

  /** Applies the function to each pair of elements of two rows. */
  private List<Tile> combine(Region function, List<Tile> left, List<Tile> right, Frame frame) {
    List<Tile> arguments = new ArrayList<>(left);
    arguments.addAll(right);
    int n = left.get(0).count();
    boolean plain = function.insts().stream()
        .allMatch(i -> i.op() instanceof ElementwiseOp || i.op() instanceof ControlOp.Yield);
    try (Frame inner = frame.inner()) {
      return plain ? byRow(function, arguments, n, inner) : byElement(function, arguments, n, inner);
    }
  }

  private List<Tile> byRow(Region function, List<Tile> arguments, int n, Frame frame) {
    for (int i = 0; i < arguments.size(); i++) {
      frame.put(function.params().get(i), arguments.get(i));
    }
    for (Inst inst : function.insts()) {
      for (Value v : inst.operands()) {
        Tile t = frame.tile(v);
        if (t.isScalar()) {
          frame.put(v, t.gathered(List.of(n), new int[n], false));
        }
      }
      if (inst.op() instanceof ControlOp.Yield y) {
        return ShapeEval.tiles(y.values(), frame);
      }
      machine.evaluate(inst, frame);
    }
    throw new IllegalStateException("a region without a yield");
  }

  private List<Tile> byElement(Region function, List<Tile> arguments, int n, Frame frame) {
    List<Value> params = function.params();
    int tuple = params.size() / 2;
    List<Object> out = new ArrayList<>();
    int[][] states = new int[tuple][n];
    for (int x = 0; x < tuple; x++) {
      out.add(Tile.Storage.of(arguments.get(x).element()).allocate(n));
    }
    for (int i = 0; i < n; i++) {
      int at = i;
      IntStream.range(0, params.size())
          .forEach(p -> frame.put(params.get(p), arguments.get(p).gathered(List.of(), new int[] {at}, false)));
      List<Datum> result = machine.evaluate(function, frame);
      for (int x = 0; x < tuple; x++) {
        Tile t = (Tile) result.get(x);
        System.arraycopy(t.data(), 0, out.get(x), i, 1);
        states[x][i] = t.origin(0);
      }
    }
    List<Tile> tiles = new ArrayList<>();
    for (int x = 0; x < tuple; x++) {
      Element e = arguments.get(x).element();
      tiles.add(new Tile(e, List.of(n), out.get(x), Padding.simplified(states[x]), false));
    }
    return tiles;
  }
}
