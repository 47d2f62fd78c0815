package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.Shapes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Moves elements. All but {@code concat} pick, for each element of the result, one of the operand. */
final class ShapeEval {
  private final Machine machine;

  ShapeEval(Machine machine) {
    this.machine = machine;
  }

  Tile evaluate(Inst inst, ShapeOp op, Frame frame) {
    return switch (op) {
      case ShapeOp.Splat o -> splat(inst, frame.tile(o.scalar()), o.shape());
      case ShapeOp.Broadcast o -> {
        Tile x = frame.tile(o.x());
        yield x.shape().equals(o.shape()) ? x : pick(inst, x, o.shape(), () -> repeated(x.shape(), o.shape()), true);
      }
      case ShapeOp.Reshape o -> frame.tile(o.x()).reshaped(o.shape());
      case ShapeOp.Permute o -> permute(inst, frame.tile(o.x()), o.order());
      case ShapeOp.Concat o -> concat(inst, o.parts().stream().map(frame::tile).toList(), o.axis());
      case ShapeOp.Slice o -> {
        Tile x = frame.tile(o.x());
        yield pick(inst, x, o.shape(), () -> block(x.shape(), o.offsets(), o.shape()), x.spread());
      }
      case ShapeOp.Iota o -> {
        long[] out = (long[]) machine.allocate(inst, Element.I32, o.size());
        for (int i = 0; i < out.length; i++) {
          out[i] = i;
        }
        yield new Tile(Element.I32, List.of(o.size()), out);
      }
      case ShapeOp.ConvertLayout o -> frame.tile(o.x());
    };
  }

  private Tile splat(Inst inst, Tile scalar, List<Integer> shape) {
    Object data = machine.allocate(inst, scalar.element(), Shapes.count(shape));
    Tile.fill(data, scalar.data(), 0);
    int[] states = null;
    if (scalar.origin(0) != 0) {
      states = new int[(int) Shapes.count(shape)];
      java.util.Arrays.fill(states, scalar.origin(0));
    }
    return new Tile(scalar.element(), shape, data, states, true);
  }

  private Tile permute(Inst inst, Tile x, List<Integer> order) {
    long[] from = Shapes.strides(x.shape());
    List<Integer> shape = order.stream().map(x.shape()::get).toList();
    long[] strides = order.stream().mapToLong(d -> from[d]).toArray();
    return pick(inst, x, shape, () -> positions(shape, 0, strides), x.spread());
  }

  /** The positions take memory as well, so they are made when it is known that there is enough. */
  private Tile pick(Inst inst, Tile x, List<Integer> shape, Supplier<int[]> positions, boolean spread) {
    long count = Shapes.count(shape);
    machine.budget().ask(inst, count, x.storage().bytes(count) + Integer.BYTES * count);
    return x.gathered(shape, positions.get(), spread);
  }

  /** The positions in a whole tile of the block of {@code shape} at {@code offsets}. */
  static int[] block(List<Integer> whole, List<Integer> offsets, List<Integer> shape) {
    return positions(shape, offset(whole, offsets), Shapes.strides(whole));
  }

  private static long offset(List<Integer> whole, List<Integer> offsets) {
    long[] strides = Shapes.strides(whole);
    long at = 0;
    for (int d = 0; d < strides.length; d++) {
      at += offsets.get(d) * strides[d];
    }
    return at;
  }

  private static int[] repeated(List<Integer> from, List<Integer> to) {
    long[] strides = Shapes.strides(from);
    for (int d = 0; d < strides.length; d++) {
      strides[d] = from.get(d) == 1 ? 0 : strides[d];
    }
    return positions(to, 0, strides);
  }

  /** For each element of a shape in row-major order, {@code base} plus its coordinates times {@code strides}. */
  static int[] positions(List<Integer> shape, long base, long[] strides) {
    int count = Math.toIntExact(Shapes.count(shape));
    int[] out = new int[count];
    if (count > 0) {
      fill(out, 0, shape, 0, (int) base, strides);
    }
    return out;
  }

  private static int fill(int[] out, int at, List<Integer> shape, int depth, int base, long[] strides) {
    if (depth == shape.size()) {
      out[at] = base;
      return at + 1;
    }
    int size = shape.get(depth);
    int stride = (int) strides[depth];
    int next = at;
    if (depth == shape.size() - 1) {
      for (int i = 0; i < size; i++) {
        out[next++] = base + i * stride;
      }
      return next;
    }
    for (int i = 0; i < size; i++) {
      next = fill(out, next, shape, depth + 1, base + i * stride, strides);
    }
    return next;
  }

  /** The parts, one after the other along an axis. */
  Tile concat(Inst inst, List<Tile> parts, int axis) {
    Tile first = parts.get(0);
    List<Integer> shape = new ArrayList<>(first.shape());
    shape.set(axis, parts.stream().map(p -> p.shape().get(axis)).reduce(0, Math::addExact));
    Object data = machine.allocate(inst, first.element(), Shapes.count(shape));
    int count = (int) Shapes.count(shape);
    boolean padded = parts.stream().anyMatch(p -> p.origins() != null);
    int[] states = padded ? new int[count] : null;
    int outer = (int) Shapes.count(shape.subList(0, axis));
    int row = outer == 0 ? 0 : count / outer;
    int at = 0;
    for (Tile part : parts) {
      int piece = outer == 0 ? 0 : part.count() / outer;
      for (int i = 0; i < outer; i++) {
        System.arraycopy(part.data(), i * piece, data, i * row + at, piece);
        if (part.origins() != null) {
          System.arraycopy(part.origins(), i * piece, states, i * row + at, piece);
        }
      }
      at += piece;
    }
    return new Tile(first.element(), List.copyOf(shape), data, states, parts.stream().allMatch(Tile::spread));
  }

  /** The tiles of several values. */
  static List<Tile> tiles(List<Value> values, Frame frame) {
    return values.stream().map(frame::tile).toList();
  }
}
