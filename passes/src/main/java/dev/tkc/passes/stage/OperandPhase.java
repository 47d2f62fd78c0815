package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The phase that computes a whole matrix of which {@link ComputedOperand} is a piece: a copy of what the operand is
 * computed from, on tiles of its own size, over all that the tensors hold.
 */
final class OperandPhase {
  /** A block computes so many rows and columns at a time. */
  private static final int ROWS = 16;

  private static final int COLUMNS = 256;

  private final ComputedOperand operand;
  private final Builder b;
  private final List<Value> sizes = new ArrayList<>();
  private final int[] step = new int[2];
  /** What values of the operand's tree are here. */
  private final Map<Value, Value> here = new IdentityHashMap<>();
  private final Value[] ranges = new Value[2];

  OperandPhase(ComputedOperand operand, Builder b) {
    this.operand = operand;
    this.b = b;
  }

  /** Appends the phase, and gives the matrix as a tensor. */
  Value build() {
    operand.numbers().forEach(n -> sizes.add(operand.sizeOf(n)));
    for (int d = 0; d < 2; d++) {
      sizes.add(operand.sizes(d).stream().reduce((x, y) -> b.binary(BinaryKind.MAX, x, y)).orElseThrow());
      step[d] = tile(sizes.getLast(), d == 0 ? ROWS : COLUMNS);
    }
    AddressableRows rows = AddressableRows.allocate(b, sizes, operand.tile.tile().element(), operand.name());
    rows.memory().annotate("materialised", true);
    Inst phase = level(rows.memory().result(), new ArrayList<>());
    phase.annotate("label", "materialise_" + operand.name());
    Value matrix = rows.tensor(b, sizes, operand.name());
    matrix.setName("t" + operand.name());
    return matrix;
  }

  /** No more than a dimension has that is known to be small. */
  private static int tile(Value size, int most) {
    OptionalLong known = Regions.integer(size);
    return known.isPresent() && known.getAsLong() < most
        ? (int) Math.max(1, 2 * Long.highestOneBit(Math.max(1, known.getAsLong() - 1))) : most;
  }

  /** The domain of the next dimension; the last two go by tiles. */
  private Inst level(Value memory, List<Value> indices) {
    int d = indices.size();
    int tiled = d - operand.numbers().size();
    int by = tiled < 0 ? 1 : step[tiled];
    Value position = new Value(TileType.integer(), tiled < 0 ? "d" + d : tiled == 0 ? "r" : "c");
    Region body = new Region(List.of(position));
    b.in(body, () -> {
      if (tiled < 0) {
        here.put(operand.numbers().get(d), position);
        indices.add(position);
      } else {
        ranges[tiled] = b.emit(new MemoryOp.Range(position, b.constant(1), b.sub(sizes.get(d), position), by));
        indices.add(ranges[tiled]);
      }
      if (tiled == 1) {
        b.append(new MemoryOp.Store(memory, indices, make(operand.tile)));
      } else {
        level(memory, indices);
      }
      b.yield(List.of());
    });
    return b.append(new ControlOp.Parallel(b.constant(0), sizes.get(d), by, body));
  }

  private Value make(Value v) {
    Value made = here.get(v);
    if (made == null) {
      made = operand.isGiven(v) ? v : copy(v);
      here.put(v, made);
    }
    return made;
  }

  private Value copy(Value v) {
    return switch (v.definition().op()) {
      case MemoryOp.Range _ -> ranges[operand.dimension(v)];
      case ShapeOp.Splat s -> b.emit(new ShapeOp.Splat(make(s.scalar()), operand.resized(v, s.shape(), step)));
      case ShapeOp.Broadcast x -> b.emit(new ShapeOp.Broadcast(make(x.x()), operand.resized(v, x.shape(), step)));
      case ShapeOp.Reshape r -> b.emit(new ShapeOp.Reshape(make(r.x()), operand.resized(v, r.shape(), step)));
      case MemoryOp.Load l when l.pad().isEmpty() -> {
        // Said, since a load without it must not be relied on to give zeros to whoever stores them.
        Value zero = b.constant(Literal.of(v.tile().element(), 0));
        yield b.emit(
            new MemoryOp.Load(make(l.tensor()), l.indices().stream().map(this::make).toList(), Optional.of(zero)));
      }
      default -> b.emit(OpShape.rebuild(v.definition().op(), this::make, r -> r));
    };
  }
}
