package dev.tkc.passes.place;

import dev.tkc.ir.Inst;
import dev.tkc.ir.layout.Banks;
import dev.tkc.ir.layout.Conversion;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How much shared scratch an instruction needs, and how it is used: the one place that allocation and lowering share.
 *
 * <ul>
 *   <li>A conversion through shared memory uses the cover of its tile under the planned {@code Scratch} layout.
 *   <li>A reduction or scan whose axes are spread over warps uses, operand after operand (each begins at a multiple of
 *       16 bytes), an array {@code [part][element]}: part is the number made of the warp bits that move along the axes,
 *       low bit first ({@link #warpBits}), element the row-major position in the cover of the reduced tile. {@code
 *       arg_reduce} has the extreme's value as operand 0 and its i32 index as operand 1.
 * </ul>
 */
public final class ScratchBytes {
  private ScratchBytes() {}

  public static long of(Inst inst, Banks banks) {
    return switch (inst.op()) {
      case ShapeOp.ConvertLayout c -> converting(c.x().tile(), inst.result().tile());
      case ReductionOp.Reduce r -> combining(r.x().tile(), r.axes(), List.of(r.x().tile().element()));
      case ReductionOp.ArgReduce r ->
          combining(r.x().tile(), List.of(r.axis()), List.of(r.x().tile().element(), Element.I32));
      case ReductionOp.Scan s -> combining(s.x().tile(), List.of(s.axis()), List.of(s.x().tile().element()));
      case ReductionOp.ReduceWith r ->
          combining(r.xs().getFirst().tile(), List.of(r.axis()), r.xs().stream().map(x -> x.tile().element()).toList());
      case ReductionOp.ScanWith s ->
          combining(s.xs().getFirst().tile(), List.of(s.axis()), s.xs().stream().map(x -> x.tile().element()).toList());
      case ControlOp _, MemoryOp _, ElementwiseOp _, ShapeOp _, MatrixOp _, SharedOp _ -> 0;
    };
  }

  /** The plan that {@code convert_layout} between these types is lowered by; 4-bit elements take a byte each. */
  public static Conversion conversion(TileType from, TileType to, Banks banks) {
    return Conversion.plan(from.layout(), to.layout(), Math.max(8, from.element().bits()), banks);
  }

  private static long converting(TileType from, TileType to) {
    int bits = Math.max(8, from.element().bits());
    return Conversion.withoutMemory(from.layout(), to.layout(), bits).isPresent()
        ? 0 : (1L << from.layout().outBits()) * bits / 8;
  }

  /** The warp bits whose step has a part along the axes: warps that differ in them hold parts of one total. */
  public static List<Integer> warpBits(LinearLayout layout, List<Integer> axes) {
    List<List<Integer>> vectors = layout.basis(InDim.WARP);
    return IntStream.range(0, vectors.size())
        .filter(i -> axes.stream().anyMatch(a -> vectors.get(i).get(a) != 0)).boxed().toList();
  }

  private static long combining(TileType tile, List<Integer> axes, List<Element> elements) {
    List<Integer> bits = warpBits(tile.layout(), axes);
    if (bits.isEmpty()) {
      return 0;
    }
    LinearLayout total = tile.layout();
    for (int axis : axes) {
      total = total.reduced(axis);
    }
    long count = 1L << (total.outBits() + bits.size());
    long bytes = 0;
    for (Element e : elements) {
      bytes += alignedBytes(count, e);
    }
    return bytes;
  }

  /** Bytes of one operand's array, so that the next begins aligned. */
  public static long alignedBytes(long count, Element element) {
    return (count * Math.max(1, element.bits() / 8) + 15) / 16 * 16;
  }
}
