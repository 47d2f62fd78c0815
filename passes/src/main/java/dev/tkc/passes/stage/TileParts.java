package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.ReadOnly;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Computes a part of a tile from parts of its operands, so that what lies between two tiles never exists in full. Where
 * that cannot be, or the tile exists anyway, the part is a {@code slice}.
 *
 * <p>One of these serves one part: columns {@code from} to {@code from + size} of the results' last dimension.
 */
final class TileParts {
  private final Builder b;
  private final Set<Inst> rebuilt;
  private final ReadOnly readOnly;
  private final int from;
  private final int size;
  private final Map<Value, Map<Integer, Value>> made = new HashMap<>();

  /** {@code rebuilt} are the instructions whose results nothing needs in full. */
  TileParts(Builder b, Set<Inst> rebuilt, ReadOnly readOnly, int from, int size) {
    this.b = b;
    this.rebuilt = rebuilt;
    this.readOnly = readOnly;
    this.from = from;
    this.size = size;
  }

  /** The part of a tile along {@code axis}; all of it where it has one element there. */
  Value of(Value v, int axis) {
    if (v.tile().shape().get(axis) == 1) {
      return v;
    }
    Map<Integer, Value> known = made.computeIfAbsent(v, _ -> new HashMap<>());
    if (!known.containsKey(axis)) {
      known.put(axis, rebuild(v, axis).orElseGet(() -> slice(v, axis)));
    }
    return known.get(axis);
  }

  /** Starts the loads that the part of a tile needs, so that they are there when the part is computed. */
  void load(Value v, int axis) {
    Inst inst = v.definition();
    if (v.tile().shape().get(axis) == 1 || inst == null || !rebuilt.contains(inst)) {
      return;
    }
    switch (inst.op()) {
      case MemoryOp.Load _ -> of(v, axis);
      case ShapeOp.Broadcast op -> load(op.x(), axis);
      case ShapeOp.Permute op -> load(op.x(), op.order().get(axis));
      case ShapeOp.Reshape op -> {
        List<Integer> old = op.x().tile().shape();
        if (axis == v.tile().rank() - 1 && !old.isEmpty() && old.getLast().equals(v.tile().shape().getLast())) {
          load(op.x(), old.size() - 1);
        }
      }
      case ElementwiseOp _ -> inst.operands().stream()
          .filter(o -> o.type() instanceof TileType t && t.shape().equals(v.tile().shape()))
              .forEach(o -> load(o, axis));
      default -> { }
    }
  }

  private Value slice(Value v, int axis) {
    List<Integer> offsets = new ArrayList<>(StageLoads.zeros(v.tile().rank()));
    offsets.set(axis, from);
    return b.emit(new ShapeOp.Slice(v, offsets, with(v.tile().shape(), axis)));
  }

  private List<Integer> with(List<Integer> shape, int axis) {
    List<Integer> smaller = new ArrayList<>(shape);
    smaller.set(axis, size);
    return smaller;
  }

  /** Whether parts of the result may come from parts of the operands. */
  static boolean divides(Inst inst) {
    return switch (inst.op()) {
      case ElementwiseOp _ -> true;
      case ShapeOp.Splat _, ShapeOp.Broadcast _, ShapeOp.Permute _, ShapeOp.Reshape _ -> true;
      case MemoryOp.Load _, MemoryOp.Lanes _, MemoryOp.Valid _ -> true;
      default -> false;
    };
  }

  /** Whether a tile costs so little that it is made once more though it exists. */
  private static boolean isFree(Inst inst) {
    return inst.op() instanceof ShapeOp.Splat || inst.op() instanceof ShapeOp.Broadcast;
  }

  private Optional<Value> rebuild(Value v, int axis) {
    Inst inst = v.definition();
    if (inst == null || !rebuilt.contains(inst) && !isFree(inst)) {
      return Optional.empty();
    }
    return Optional.ofNullable(switch (inst.op()) {
      case ElementwiseOp op when v.tile().rank() > 0 -> b.emit(OpShape.withOperands(op,
          o -> o.type() instanceof TileType t && t.shape().equals(v.tile().shape()) ? of(o, axis) : o));
      case ShapeOp.Splat op -> b.emit(new ShapeOp.Splat(op.scalar(), with(op.shape(), axis)));
      case ShapeOp.Broadcast op -> b.emit(new ShapeOp.Broadcast(of(op.x(), axis), with(op.shape(), axis)));
      case ShapeOp.Permute op -> b.emit(new ShapeOp.Permute(of(op.x(), op.order().get(axis)), op.order()));
      case ShapeOp.Reshape op -> reshape(op, v, axis);
      case MemoryOp.Load op -> load(op, axis);
      case MemoryOp.Lanes op -> part(op.range()).map(r -> b.emit(new MemoryOp.Lanes(r))).orElse(null);
      case MemoryOp.Valid op -> part(op.range()).map(r -> b.emit(new MemoryOp.Valid(r))).orElse(null);
      default -> null;
    });
  }

  /** Rows stay rows, whatever they are counted by. */
  private Value reshape(ShapeOp.Reshape op, Value v, int axis) {
    List<Integer> old = op.x().tile().shape();
    boolean rows = axis == v.tile().rank() - 1 && !old.isEmpty() && old.getLast().equals(v.tile().shape().getLast());
    return rows ? b.emit(new ShapeOp.Reshape(of(op.x(), old.size() - 1), with(op.shape(), axis))) : null;
  }

  private Value load(MemoryOp.Load op, int axis) {
    if (!readOnly.tensor(op.tensor())) {
      return null;
    }
    return indices(op.indices(), axis).map(i -> b.emit(new MemoryOp.Load(op.tensor(), i, op.pad()))).orElse(null);
  }

  /** The indices of an access with the range of dimension {@code axis} of its tile cut to the part. */
  Optional<List<Value>> indices(List<Value> indices, int axis) {
    int dimension = 0;
    for (int i = 0; i < indices.size(); i++) {
      if (indices.get(i).type() instanceof TileType t && t.rank() > 0) {
        return Optional.empty();
      }
      if (indices.get(i).type() instanceof RangeType && dimension++ == axis) {
        int at = i;
        return part(indices.get(i)).map(p -> {
          List<Value> cut = new ArrayList<>(indices);
          cut.set(at, p);
          return cut;
        });
      }
    }
    return Optional.empty();
  }

  private Optional<Value> part(Value range) {
    if (range.definition() == null || !(range.definition().op() instanceof MemoryOp.Range r)) {
      return Optional.empty();
    }
    Value start = from == 0 ? r.start() : b.add(r.start(), b.mul(r.stride(), b.constant((long) from)));
    Value count = from == 0 ? r.count() : b.sub(r.count(), b.constant((long) from));
    return Optional.of(b.emit(new MemoryOp.Range(start, r.stride(), count, size)));
  }
}
