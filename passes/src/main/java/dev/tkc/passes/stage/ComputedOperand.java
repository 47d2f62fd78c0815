package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A tile of rank 2 that is gathered, or computed, element by element, from what is loaded at the places that the tile
 * itself stands for: a piece of a matrix that could be computed as a whole.
 *
 * <p>What it is computed from is a tree of elementwise operations, broadcasts and permutations over loads, scalars of
 * the kernel and scalars that are loaded. Each of the tile's dimensions is one range, of stride 1, in every load that
 * it appears in, be it through a tile of indices; one load has both. Positions that are numbers ({@code g} in
 * {@code x[g, i, k]}) are further dimensions of the matrix, unless the kernel knows them. Where the ranges have no
 * valid lane, loads give 0, or an index that is in no tensor; no other padding, mask or count of lanes takes part, so
 * that such lanes hold nothing that a product could mean.
 */
final class ComputedOperand {
  /** Stands for a dimension of size 1, beside 0 and 1, the tile's own two. */
  private static final int NONE = -1;

  final Value tile;
  private final Func kernel;
  /** Which of the tile's dimensions the dimensions of a value are. */
  private final Map<Value, int[]> dimensions = new IdentityHashMap<>();
  private final Value[] ranges = new Value[2];
  private final List<Set<Value>> sizes = List.of(new LinkedHashSet<>(), new LinkedHashSet<>());
  /** Positions that are numbers, and the size of the tensor's dimension that each goes through. */
  private final Map<Value, Value> numbers = new LinkedHashMap<>();
  private final Set<String> names = new LinkedHashSet<>();
  private final Set<Value> tensors = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean full;
  private boolean fails;

  private ComputedOperand(Value tile, Func kernel) {
    this.tile = tile;
    this.kernel = kernel;
  }

  /** What {@code tile} is a piece of, if it is one; {@code kernel} is the function that its phase stands in. */
  static Optional<ComputedOperand> of(Value tile, Func kernel) {
    if (tile.definition() == null || tile.tile().rank() != 2
        || !(tile.definition().op() instanceof ElementwiseOp || isGathered(tile.definition()))) {
      return Optional.empty();
    }
    ComputedOperand c = new ComputedOperand(tile, kernel);
    c.visit(tile, new int[] {0, 1});
    return c.fails || !c.full ? Optional.empty() : Optional.of(c);
  }

  /** Whether it is a load whose rows or columns are picked by a tile of indices. */
  private static boolean isGathered(Inst inst) {
    return inst.op() instanceof MemoryOp.Load l
        && l.indices().stream().anyMatch(i -> i.type() instanceof TileType t && t.rank() == 1);
  }

  /** The positions that are numbers, in the order of the matrix's dimensions before the last two. */
  List<Value> numbers() {
    return List.copyOf(numbers.keySet());
  }

  Value sizeOf(Value number) {
    return numbers.get(number);
  }

  /** The range that the tile's dimension 0 or 1 is. */
  Value range(int dimension) {
    return ranges[dimension];
  }

  /** How far the tensors reach that a dimension's range goes through: beyond all of them the tile holds nothing. */
  List<Value> sizes(int dimension) {
    return List.copyOf(sizes.get(dimension));
  }

  /** The tensors it is computed from. */
  Set<Value> tensors() {
    return tensors;
  }

  /** Their names, each once. */
  String name() {
    return String.join("_", names);
  }

  /** Whether a scalar or tensor is the same for all tiles of the kernel: it may be used where it is. */
  boolean isGiven(Value v) {
    if (v.type() instanceof TileType t && !t.isScalar()) {
      return false;
    }
    return v.definition() == null ? kernel.params().stream().anyMatch(p -> p.value() == v) : standsInKernel(v);
  }

  private boolean standsInKernel(Value v) {
    return kernel.body().insts().contains(v.definition());
  }

  /** {@code shape} with sizes in place of the tile's own two. */
  List<Integer> resized(Value v, List<Integer> shape, int[] size) {
    int[] of = dimensions.get(v);
    List<Integer> result = new ArrayList<>(shape);
    for (int d = 0; d < of.length; d++) {
      if (of[d] != NONE) {
        result.set(d, size[of[d]]);
      }
    }
    return result;
  }

  /** Which of the tile's dimensions a range is. */
  int dimension(Value range) {
    return range == ranges[0] ? 0 : 1;
  }

  private void visit(Value v, int[] of) {
    int[] before = dimensions.put(v, of);
    if (before != null && !Arrays.equals(before, of)) {
      fails = true;
    }
    if (fails || before != null) {
      return;
    }
    if (v.definition() == null) {
      // A position is known only as an index.
      fails |= !isGiven(v);
      return;
    }
    switch (v.definition().op()) {
      case ElementwiseOp.Philox _ -> fails = true;
      case ElementwiseOp _ -> v.definition().operands().forEach(o -> visit(o, o.tile().isScalar() ? new int[0] : of));
      case ShapeOp.Splat s -> visit(s.scalar(), new int[0]);
      case ShapeOp.Broadcast b -> visit(b.x(), narrowed(b.x(), of));
      case ShapeOp.Permute p -> {
        int[] inner = new int[of.length];
        for (int d = 0; d < of.length; d++) {
          inner[p.order().get(d)] = of[d];
        }
        visit(p.x(), inner);
      }
      case ShapeOp.Reshape r -> reshape(r, of);
      case MemoryOp.Load load -> load(load, of, load.pad().isEmpty() || padding(load).filter(n -> n == 0).isPresent());
      default -> fails = true;
    }
  }

  private static int[] narrowed(Value x, int[] of) {
    int[] inner = of.clone();
    for (int d = 0; d < inner.length; d++) {
      inner[d] = x.tile().shape().get(d) == 1 ? NONE : inner[d];
    }
    return inner;
  }

  /** One that adds or drops dimensions of size 1. */
  private void reshape(ShapeOp.Reshape r, int[] of) {
    int[] whole = Arrays.stream(of).filter(d -> d != NONE).toArray();
    List<Integer> shape = r.x().tile().shape();
    int[] inner = new int[shape.size()];
    int next = 0;
    for (int d = 0; d < inner.length; d++) {
      boolean one = shape.get(d) == 1;
      if (!one && (next == whole.length || !tile.tile().shape().get(whole[next]).equals(shape.get(d)))) {
        fails = true;
        return;
      }
      inner[d] = one ? NONE : whole[next++];
    }
    if (next != whole.length) {
      fails = true;
    } else {
      visit(r.x(), inner);
    }
  }

  private static Optional<Long> padding(MemoryOp.Load load) {
    return load.pad().flatMap(Regions::literal).map(Literal::bits);
  }

  /** A tile of indices: where it holds nothing it must say so by an index that is in no tensor. */
  private void indices(Value v, int[] of) {
    if (v.definition() != null && v.definition().op() instanceof MemoryOp.Load load && !dimensions.containsKey(v)) {
      dimensions.put(v, of);
      load(load, of, padding(load).filter(n -> n < 0).isPresent());
    } else {
      fails = true;
    }
  }

  private void load(MemoryOp.Load load, int[] of, boolean padded) {
    if (!padded || load.tensor().definition() == null || !standsInKernel(load.tensor())) {
      fails = true;
      return;
    }
    List<Value> extent = extents(load.tensor());
    names.add(Tensors.name(load.tensor()));
    tensors.add(load.tensor());
    int next = 0;
    for (int d = 0; d < load.indices().size() && !fails; d++) {
      Value index = load.indices().get(d);
      if (index.definition() != null && index.definition().op() instanceof MemoryOp.Range r) {
        range(index, r, of[next++], extent.get(d));
      } else if (index.tile().isScalar()) {
        number(index, extent.get(d));
      } else if (index.tile().rank() == 1) {
        indices(index, new int[] {of[next++]});
      } else {
        fails = true;
      }
    }
    full |= Arrays.stream(of).anyMatch(d -> d == 0) && Arrays.stream(of).anyMatch(d -> d == 1);
  }

  private void range(Value v, MemoryOp.Range r, int dimension, Value extent) {
    if (dimension == NONE || !Regions.isInteger(r.stride(), 1) || ranges[dimension] != null && ranges[dimension] != v
        || ranges[1 - dimension] == v) {
      fails = true;
      return;
    }
    ranges[dimension] = v;
    sizes.get(dimension).add(extent);
  }

  private void number(Value index, Value extent) {
    if (Regions.literal(index).isPresent() || isGiven(index)) {
      return;
    }
    Value known = numbers.putIfAbsent(index, extent);
    if (known != null && known != extent) {
      fails = true;
    }
  }

  private static List<Value> extents(Value tensor) {
    return switch (tensor.definition().op()) {
      case MemoryOp.MakeTensor t -> t.sizes();
      case MemoryOp.Temp t -> t.sizes();
      case MemoryOp.View w -> w.sizes();
      default -> throw new IllegalStateException(tensor.definition() + " makes no tensor");
    };
  }
}
