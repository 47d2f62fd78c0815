package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Whether a copy engine can do what a load or store does, and if not, why. An engine copies a box of a tensor between
 * global memory and {@link Panels} in shared memory; it knows the tensor's sizes and gives 0, or drops, outside of
 * them, but knows nothing of ranges: each lane of a range that is invalid must lie outside the tensor.
 *
 * <p>Answers for the instructions of one function; stale when that changes.
 */
public final class BulkAccess {
  /** Dimensions of a tensor that engines know. */
  private static final int MOST_DIMENSIONS = 5;

  /** What addresses and strides must be multiples of, in bytes. */
  public static final int ALIGNMENT = 16;

  /** Forms into which a count is split; more nested minima than that are not looked into. */
  private static final int MOST_CASES = 16;

  private final Func func;
  private final Bounds bounds;
  private final ReadOnly readOnly;

  /**
   * An access that a copy engine can make.
   *
   * @param panels how its tile lies in shared memory
   * @param box how many elements of each of the tensor's dimensions one copy moves
   * @param masked the tile's dimensions along which lanes may be invalid and yet inside the tensor: what was copied
   *     there must be cleared before anyone reads it; empty for a store
   */
  public record Bulk(Panels panels, List<Integer> box, List<Integer> masked) {
    public Bulk {
      box = List.copyOf(box);
      masked = List.copyOf(masked);
    }
  }

  public BulkAccess(Func func) {
    this(func, new Bounds(func));
  }

  public BulkAccess(Func func, Bounds bounds) {
    this.func = func;
    this.bounds = bounds;
    this.readOnly = new ReadOnly(func);
  }

  /** Why no copy engine can do exactly what a load or store does, as a sentence for reports; nothing where one can. */
  public Optional<String> obstacle(Inst inst) {
    List<String> why = new ArrayList<>();
    Bulk bulk = examine(inst, why);
    if (why.isEmpty() && !bulk.masked.isEmpty()) {
      why.add("lanes of dimension " + bulk.masked.getFirst() + " may be invalid and yet inside the tensor");
    }
    return why.stream().findFirst();
  }

  /**
   * The copy that a load or store could be, if what it copies along {@link Bulk#masked} dimensions is cleared
   * afterwards.
   */
  public Optional<Bulk> of(Inst inst) {
    return ifEnding(inst).filter(b -> b.masked.isEmpty() || inst.op() instanceof MemoryOp.Load);
  }

  /**
   * The copy that a load or store could be, if its tensor ended along {@link Bulk#masked} dimensions where its range
   * does.
   */
  public Optional<Bulk> ifEnding(Inst inst) {
    List<String> why = new ArrayList<>();
    Bulk bulk = examine(inst, why);
    return why.isEmpty() ? Optional.of(bulk) : Optional.empty();
  }

  /** How many elements of each of a tensor's dimensions one copy of a tile moves. */
  public static List<Integer> box(List<Value> indices, Panels panels) {
    return box(indices, panels, 1);
  }

  /** The same for a tile whose rows are divided among so many copies. */
  public static List<Integer> box(List<Value> indices, Panels panels, int parts) {
    List<Integer> box = new ArrayList<>();
    List<Integer> whole = panels.box(parts);
    int next = 0;
    for (Value index : indices) {
      box.add(index.type() instanceof RangeType ? whole.get(next++) : 1);
    }
    return box;
  }

  private Bulk examine(Inst inst, List<String> why) {
    return switch (inst.op()) {
      case MemoryOp.Load load -> {
        if (load.pad().isPresent() && Regions.literal(load.pad().get()).filter(l -> l.bits() == 0).isEmpty()) {
          why.add("it pads with something else than 0");
        }
        if (!readOnly.tensor(load.tensor())) {
          why.add("the phase writes the tensor too");
        }
        yield tile(inst, load.tensor(), load.indices(), inst.result().tile(), why);
      }
      case MemoryOp.Store store -> {
        meets(inst, store, why);
        yield tile(inst, store.tensor(), store.indices(), store.value().tile(), why);
      }
      default -> throw new IllegalStateException(inst + " is neither load nor store");
    };
  }

  private Bulk tile(Inst inst, Value tensor, List<Value> indices, TileType tile, List<String> why) {
    if (!(ReadOnly.definition(tensor) instanceof MemoryOp.MakeTensor made)) {
      why.add("the tensor is a view");
      return null;
    }
    tensor(tensor, made, why);
    indices(indices, why);
    Panels.obstacle(tile.shape(), tile.element().bits()).ifPresent(o -> why.add("the tile does not fit: " + o));
    if (!why.isEmpty()) {
      return null;
    }
    List<Integer> masked = new ArrayList<>();
    for (int d = 0, dimension = 0; d < indices.size(); d++) {
      if (ReadOnly.definition(indices.get(d)) instanceof MemoryOp.Range range) {
        if (!invalidIsOutside(inst, range, List.of(made.sizes().get(d)))) {
          masked.add(dimension);
        }
        dimension++;
      }
    }
    Panels panels = Panels.of(tile.shape(), tile.element().bits()).orElseThrow();
    return new Bulk(panels, box(indices, panels), masked);
  }

  private void tensor(Value tensor, MemoryOp.MakeTensor made, List<String> why) {
    int bits = ((TensorType) tensor.type()).element().bits();
    int rank = made.sizes().size();
    if (rank < 1 || rank > MOST_DIMENSIONS) {
      why.add("the tensor has " + rank + " dimensions, and copy engines know at most " + MOST_DIMENSIONS);
      return;
    }
    if (bounds.divisibility().ofAddress(tensor) < ALIGNMENT) {
      why.add("the tensor's address is not known to be a multiple of " + ALIGNMENT + " bytes");
    }
    if (!Regions.isInteger(made.strides().getLast(), 1)) {
      why.add("the tensor's last dimension is not contiguous");
    }
    if (!Stream.concat(made.sizes().stream(), made.strides().stream()).allMatch(this::isKnownOnHost)) {
      why.add("the tensor's sizes are computed in the block");
    }
    for (int d = 0; d < rank - 1; d++) {
      if (bounds.divisibility().of(made.strides().get(d)) * bits / 8 < ALIGNMENT) {
        why.add("the stride of the tensor's dimension " + d + " is not known to be a multiple of " + ALIGNMENT
            + " bytes");
      }
    }
  }

  /** Whether arithmetic on the launch's arguments gives the value: the host describes the tensor to the engine. */
  private boolean isKnownOnHost(Value v) {
    if (v.definition() == null) {
      return func.params().stream().anyMatch(p -> p.value() == v);
    }
    return v.definition().op() instanceof ElementwiseOp
        && v.definition().operands().stream().allMatch(this::isKnownOnHost);
  }

  private static void indices(List<Value> indices, List<String> why) {
    for (Value index : indices) {
      if (ReadOnly.definition(index) instanceof MemoryOp.Range range) {
        if (!Regions.isInteger(range.stride(), 1)) {
          why.add("a range goes by steps other than 1");
        }
      } else if (!(index.type() instanceof TileType t && t.isScalar())) {
        why.add("it is indexed by a tile");
      }
    }
    if (why.isEmpty() && !(indices.getLast().type() instanceof RangeType)) {
      why.add("the tensor's last dimension is indexed by a number");
    }
  }

  // ------------------------------------------------------------------------------------------------ lanes

  /** Whether every lane of the range that lies inside the tensor, whose size is the least of these, is valid. */
  private boolean invalidIsOutside(Inst inst, MemoryOp.Range range, List<Value> sizes) {
    Affine all = bounds.form(range.count());
    Affine end = bounds.form(range.start()).plus(all);
    if (sizes.stream().anyMatch(s -> bounds.atMostZero(inst, bounds.form(s).minus(end)))) {
      return true;
    }
    List<Affine> cases = cases(all);
    return cases.stream().allMatch(count -> bounds.atMostZero(inst, Affine.of(range.size()).minus(count))
        || sizes.stream().anyMatch(size ->
            bounds.atMostZero(inst, bounds.form(size).minus(bounds.form(range.start())).minus(count))));
  }

  /**
   * For a load whose lanes may be invalid inside its tensor: what the tensor's dimensions could end at so that they are
   * not. Valid lanes end before each of these values, which the host knows. Nothing where that does not help, or is not
   * needed.
   */
  public Optional<SortedMap<Integer, List<Value>>> narrowing(Inst load) {
    Optional<Bulk> bulk = of(load).filter(b -> !b.masked.isEmpty());
    if (bulk.isEmpty()) {
      return Optional.empty();
    }
    MemoryOp.Load op = (MemoryOp.Load) load.op();
    MemoryOp.MakeTensor tensor = (MemoryOp.MakeTensor) op.tensor().definition().op();
    SortedMap<Integer, List<Value>> ends = new TreeMap<>();
    for (int d = 0, dimension = 0; d < op.indices().size(); d++) {
      if (ReadOnly.definition(op.indices().get(d)) instanceof MemoryOp.Range range) {
        if (bulk.get().masked.contains(dimension++)) {
          List<Value> found = ends(load, range);
          List<Value> sizes = new ArrayList<>(found);
          sizes.add(tensor.sizes().get(d));
          if (!invalidIsOutside(load, range, sizes)) {
            return Optional.empty();
          }
          ends.put(d, found);
        }
      }
    }
    return Optional.of(ends);
  }

  /** Values that the host knows and that no valid lane of the range reaches: among those whose minimum ends it. */
  private List<Value> ends(Inst inst, MemoryOp.Range range) {
    Affine end = bounds.form(range.start()).plus(bounds.form(range.count()));
    List<Value> open = new ArrayList<>(end.terms().keySet());
    List<Value> found = new ArrayList<>();
    while (!open.isEmpty()) {
      Value v = open.removeFirst();
      if (ReadOnly.definition(v) instanceof Binary b && b.kind() == BinaryKind.MIN) {
        open.add(b.lhs());
        open.add(b.rhs());
      } else if (isKnownOnHost(v) && !found.contains(v) && bounds.atMostZero(inst, end.minus(bounds.form(v)))) {
        found.add(v);
      }
    }
    return found;
  }

  /** A form with each minimum in it replaced by one of its operands: the form has the value of one of these. */
  private List<Affine> cases(Affine form) {
    List<Affine> open = new ArrayList<>(List.of(form));
    List<Affine> done = new ArrayList<>();
    while (!open.isEmpty()) {
      Affine f = open.removeLast();
      Optional<Map.Entry<Value, Binary>> min = f.terms().keySet().stream()
          .filter(v -> ReadOnly.definition(v) instanceof Binary b && b.kind() == BinaryKind.MIN)
          .map(v -> Map.entry(v, (Binary) v.definition().op())).findFirst();
      if (min.isEmpty() || open.size() + done.size() >= MOST_CASES) {
        done.add(f);
      } else {
        open.add(f.replace(min.get().getKey(), bounds.form(min.get().getValue().lhs())));
        open.add(f.replace(min.get().getKey(), bounds.form(min.get().getValue().rhs())));
      }
    }
    return done;
  }

  // ------------------------------------------------------------------------------------------------ other accesses

  /**
   * Bulk stores are in no order with other accesses to their tensor: there must be no other, but in other branches, and
   * each round of a loop must store elsewhere.
   */
  private void meets(Inst inst, MemoryOp.Store store, List<String> why) {
    Value root = ReadOnly.root(store.tensor());
    func.body().walk(other -> {
      if (other != inst && accessed(other).filter(t -> ReadOnly.root(t) == root).isPresent()
          && !excludes(inst, other)) {
        why.add("the phase accesses the tensor elsewhere too");
      }
    });
    bounds.scopes().around(inst).filter(i -> i.op() instanceof ControlOp.For).forEach(loop -> {
      Value position = loop.regions().getFirst().params().getFirst();
      if (store.indices().stream().noneMatch(i -> Scalars.follows(i, position))) {
        why.add("a loop stores to the same place in each round");
      }
    });
  }

  private static Optional<Value> accessed(Inst inst) {
    return switch (inst.op()) {
      case MemoryOp.Load o -> Optional.of(o.tensor());
      case MemoryOp.Store o -> Optional.of(o.tensor());
      case MemoryOp.Atomic o -> Optional.of(o.tensor());
      case SharedOp.CopyAsync o -> Optional.of(o.tensor());
      case AsyncOp.CopyBulk o -> Optional.of(o.tensor());
      case AsyncOp.StoreBulk o -> Optional.of(o.tensor());
      default -> Optional.empty();
    };
  }

  /** Whether the two stand in the two sides of one branch. */
  private boolean excludes(Inst a, Inst b) {
    return bounds.scopes().around(a).filter(i -> i.op() instanceof ControlOp.If).anyMatch(branch -> {
      ControlOp.If sides = (ControlOp.If) branch.op();
      Scopes scopes = bounds.scopes();
      return inside(scopes, a, sides.then()) && inside(scopes, b, sides.otherwise())
          || inside(scopes, a, sides.otherwise()) && inside(scopes, b, sides.then());
    });
  }

  private static boolean inside(Scopes scopes, Inst inst, Region region) {
    return scopes.inside(scopes.regionOf(inst), region);
  }
}
