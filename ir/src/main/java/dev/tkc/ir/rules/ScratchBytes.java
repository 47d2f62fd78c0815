package dev.tkc.ir.rules;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.CombinePlan;
import dev.tkc.ir.layout.Conversion;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * How much shared scratch a placed instruction needs: the pass that allocates it and the lowering that uses it both ask
 * here, so they cannot disagree.
 */
public final class ScratchBytes {
  /** Every component of a scratch area starts at a multiple of this. */
  public static final int ALIGNMENT = 16;

  private ScratchBytes() {}

  /** The bytes of scratch of an instruction whose operands and results have layouts; 0 if it needs none. */
  public static long of(Inst inst) {
    return switch (inst.op()) {
      case ShapeOp.ConvertLayout o -> conversion(o.x().tile(), inst.result().tile());
      case ReductionOp o -> plan(o).map(p -> sum(p.scratchElements(), components(o))).orElse(0L);
      case ShapeOp _, ControlOp _, MemoryOp _, ElementwiseOp _, MatrixOp _, SharedOp _, AsyncOp _ -> 0;
    };
  }

  /** The width, in bits, at which an element of this type goes through scratch. */
  public static int width(Element element) {
    return Math.max(8, element.bits());
  }

  /** The cover of the tile, whatever the layout in shared memory, which takes long to find. */
  private static long conversion(TileType source, TileType target) {
    if (source.layout() == null || target.layout() == null) {
      return 0;
    }
    int bits = width(source.element());
    return Conversion.withoutMemory(source.layout(), target.layout(), bits).isPresent()
        ? 0 : (1L << source.layout().outBits()) * bits / 8;
  }

  /** The plan by which a reduction or scan combines; empty for a scalar. */
  public static java.util.Optional<CombinePlan> plan(ReductionOp op) {
    return switch (op) {
      case ReductionOp.Reduce o -> plan(o.x(), o.axes(), false);
      case ReductionOp.ArgReduce o -> plan(o.x(), List.of(o.axis()), false);
      case ReductionOp.Scan o -> plan(o.x(), List.of(o.axis()), true);
      case ReductionOp.ReduceWith o -> plan(o.xs().get(0), List.of(o.axis()), true);
      case ReductionOp.ScanWith o -> plan(o.xs().get(0), List.of(o.axis()), true);
    };
  }

  private static java.util.Optional<CombinePlan> plan(Value x, List<Integer> axes, boolean ordered) {
    LinearLayout layout = x.tile().layout();
    return layout == null ? java.util.Optional.empty() : java.util.Optional.of(CombinePlan.of(layout, axes, ordered));
  }

  /** The widths of what each holder exchanges, in order. */
  public static List<Integer> components(ReductionOp op) {
    return switch (op) {
      case ReductionOp.Reduce o -> List.of(width(o.x().tile().element()));
      case ReductionOp.ArgReduce o -> List.of(width(o.x().tile().element()), 32);
      case ReductionOp.Scan o -> List.of(width(o.x().tile().element()));
      case ReductionOp.ReduceWith o -> tuple(o.xs(), o.axis());
      case ReductionOp.ScanWith o -> tuple(o.xs(), o.axis());
    };
  }

  /** A function without a neutral value needs a flag beside the tuple where some places are padding. */
  private static List<Integer> tuple(List<Value> xs, int axis) {
    List<Integer> widths = new ArrayList<>();
    xs.forEach(x -> widths.add(width(x.tile().element())));
    if (Integer.bitCount(xs.get(0).tile().shape().get(axis)) != 1) {
      widths.add(8);
    }
    return Collections.unmodifiableList(widths);
  }

  /** The byte offset of component {@code index} in a scratch area of {@code elements} places. */
  public static long offset(int elements, List<Integer> widths, int index) {
    return sum(elements, widths.subList(0, index));
  }

  private static long sum(int elements, List<Integer> widths) {
    long bytes = 0;
    for (int width : widths) {
      bytes += Math.ceilDiv((long) elements * width / 8, ALIGNMENT) * ALIGNMENT;
    }
    return bytes;
  }
}
