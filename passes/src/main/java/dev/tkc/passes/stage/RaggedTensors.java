package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.BulkAccess;
import dev.tkc.passes.analysis.Scopes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lets a copy engine, which knows where tensors end but not where ranges do, copy rows that end anywhere inside a
 * tensor, such as those of one sequence of several that lie one after the other.
 *
 * <pre>
 *   %t = make_tensor %k, [%U, %D], [%s, 1]          %w = make_tensor %k, [2³¹, 2³¹, 2³⁰, %D],
 *                                                             [2³⁴ − %s, %s, %s, 1] #{wraps}
 *   …                                               %n = min %count, 128   %y = add %i, %n   %x = sub 2³⁰, %n
 *   %r = range %i, %c1, %count {size = 128}         %r = range %x, %c1, %n {size = 128}
 *   %v = load %t, [%r, %d], _                  →    %v = load %w, [2³⁰, %y, %r, %d], _
 * </pre>
 *
 * Addresses wrap around at 2⁶⁴: 2³⁰ times 2³⁴ − s is −2³⁰ s, so lane t lies where s (i + n − 2³⁰ + 2³⁰ − n + t) =
 * s (i + t) says, and is outside the tensor from t = n on. Only where one dimension of the tile is in the way, there
 * are dimensions to spare, and the function's products run asynchronously then, which is tried on a copy.
 */
public final class RaggedTensors {
  private static final long MOST = 1L << 31;
  private static final long END = 1L << 30;
  private static final long FAR = 1L << 34;

  /** Dimensions that engines know, and that the way to the end of a range takes. */
  private static final int MOST_DIMENSIONS = 5 - 2;

  /** Where a tensor ends by its ranges: its rows are those of this dimension. */
  private record Ragged(Value tensor, int dimension) {}

  /** What is known of an access's rows, a range of this dimension of the tensor: where they begin, and end. */
  private record Rows(int dimension, boolean fromZero, boolean toSize) {}

  private final Scopes scopes;
  private final Map<Ragged, Value> made = new HashMap<>();

  private RaggedTensors(Func func) {
    this.scopes = new Scopes(func);
  }

  public static void run(Module module, PassContext context) {
    for (Func func : List.copyOf(module.funcs())) {
      if (func.kind() == Func.Kind.DEVICE && !accesses(func).isEmpty() && helps(module, func, context)) {
        context.enter(func);
        rewrite(func);
      }
    }
  }

  private static boolean helps(Module module, Func func, PassContext context) {
    Module copy = Cloner.clone(module);
    Func trial = copy.func(func.name()).orElseThrow();
    rewrite(trial);
    context.enter(trial);
    ChooseAsync.run(trial, context);
    return trial.annotations().containsKey("asynchronous");
  }

  private static void rewrite(Func func) {
    Map<Inst, Rows> accesses = accesses(func);
    RaggedTensors pass = new RaggedTensors(func);
    accesses.forEach(pass::rewrite);
  }

  /** The loads and stores that end anywhere in a dimension of their tensor. */
  private static Map<Inst, Rows> accesses(Func func) {
    Map<Inst, Rows> found = new LinkedHashMap<>();
    if (func.body().anyMatch(i -> i.op() instanceof MatrixOp.Dot)) {
      Bounds bounds = new Bounds(func);
      BulkAccess access = new BulkAccess(func, bounds);
      List<Value> read = numbersRead(func);
      func.body().walk(i -> {
        List<Value> indices = indices(i);
        if (!indices.isEmpty()) {
          access.ifEnding(i).filter(b -> b.masked().size() == 1)
              .flatMap(b -> dimension(indices, b.masked().getFirst()))
              .flatMap(d -> rows(i, indices.get(d), d, bounds, read)).ifPresent(r -> found.put(i, r));
        }
      });
    }
    return found;
  }

  /** Integers that come from memory. */
  private static List<Value> numbersRead(Func func) {
    List<Value> read = new ArrayList<>();
    func.body().walk(i -> {
      Inst source = i.op() instanceof ElementwiseOp.Cast c && c.x().definition() != null ? c.x().definition() : i;
      if (source.op() instanceof MemoryOp.Load && i.result().type() instanceof TileType t && t.isScalar()
          && t.element() == Element.I64) {
        read.add(i.result());
      }
    });
    return read;
  }

  /** What is known of the rows of an access; nothing where they may begin before the tensor's. */
  private static Optional<Rows> rows(Inst access, Value range, int dimension, Bounds bounds, List<Value> read) {
    MemoryOp.Range rows = (MemoryOp.Range) range.definition().op();
    boolean fromZero = bounds.atLeast(access, rows.start(), 0);
    Value size = ((MemoryOp.MakeTensor) tensor(access).definition().op()).sizes().get(dimension);
    boolean toSize = bounds.atMostZero(access,
        bounds.form(rows.start()).plus(bounds.form(rows.count())).minus(bounds.form(size)));
    return fromZero || read.stream().anyMatch(r -> bounds.atMost(access, r, rows.start(), 0))
        ? Optional.of(new Rows(dimension, fromZero, toSize)) : Optional.empty();
  }

  private static Value tensor(Inst access) {
    return switch (access.op()) {
      case MemoryOp.Load l -> l.tensor();
      case MemoryOp.Store s -> s.tensor();
      default -> throw new IllegalStateException("neither load nor store: " + access);
    };
  }

  /** The indices of a load or store of rows; none of anything else. */
  private static List<Value> indices(Inst inst) {
    return switch (inst.op()) {
      case MemoryOp.Load l when inst.result().tile().rank() == 2 -> l.indices();
      case MemoryOp.Store s when s.value().tile().rank() == 2 && StoreSlices.mayBeBulk(s.value().tile()) -> s.indices();
      default -> List.of();
    };
  }

  /** The tensor's dimension that the tile's is a range of. */
  private static Optional<Integer> dimension(List<Value> indices, int wanted) {
    int next = 0;
    for (int d = 0; d < indices.size(); d++) {
      if (indices.get(d).type() instanceof RangeType && next++ == wanted) {
        Inst range = indices.get(d).definition();
        boolean known = range != null && range.op() instanceof MemoryOp.Range;
        boolean rows = indices.size() <= MOST_DIMENSIONS && d < indices.size() - 1;
        return known && rows ? Optional.of(d) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  private void rewrite(Inst inst, Rows rows) {
    switch (inst.op()) {
      case MemoryOp.Load l -> inst.setOp(new MemoryOp.Load(
          ending(l.tensor(), rows.dimension), indices(inst, l.indices(), rows), l.pad()));
      case MemoryOp.Store s -> inst.setOp(new MemoryOp.Store(
          ending(s.tensor(), rows.dimension), indices(inst, s.indices(), rows), s.value()));
      default -> throw new IllegalStateException("neither load nor store: " + inst);
    }
  }

  private Value ending(Value tensor, int dimension) {
    return made.computeIfAbsent(new Ragged(tensor, dimension), this::make);
  }

  /** The same lanes, their end where the tensor's is. */
  private List<Value> indices(Inst inst, List<Value> old, Rows known) {
    int dimension = known.dimension;
    MemoryOp.Range rows = (MemoryOp.Range) old.get(dimension).definition().op();
    Region region = scopes.regionOf(inst);
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value count = b.binary(BinaryKind.MIN, rows.count(), b.constant((long) rows.size()));
    if (!known.toSize) {
      Value size = ((MemoryOp.MakeTensor) tensor(inst).definition().op()).sizes().get(dimension);
      count = b.binary(BinaryKind.MIN, count, b.sub(size, rows.start()));
    }
    if (!known.fromZero) {
      count = b.emit(new ElementwiseOp.Select(
          b.compare(CompareKind.GE, rows.start(), b.constant(0L)), count, b.constant(0L)));
    }
    List<Value> indices = new ArrayList<>();
    indices.add(b.constant(END));
    indices.add(b.add(rows.start(), count));
    indices.addAll(old);
    indices.set(2 + dimension,
        b.emit(new MemoryOp.Range(b.sub(b.constant(END), count), rows.stride(), count, rows.size())));
    return indices;
  }

  private Value make(Ragged r) {
    Inst original = r.tensor.definition();
    MemoryOp.MakeTensor tensor = (MemoryOp.MakeTensor) original.op();
    Region region = scopes.regionOf(original);
    Builder b = new Builder(region, region.insts().indexOf(original) + 1).at(original.loc());
    Value stride = tensor.strides().get(r.dimension);
    Value most = b.constant(MOST);
    List<Value> sizes = new ArrayList<>(List.of(most, most));
    sizes.addAll(tensor.sizes());
    sizes.set(2 + r.dimension, b.constant(END));
    List<Value> strides = new ArrayList<>(List.of(b.sub(b.constant(FAR), stride), stride));
    strides.addAll(tensor.strides());
    Inst made = b.append(new MemoryOp.MakeTensor(tensor.pointer(), sizes, strides, tensor.access(), tensor.name()));
    made.annotate(MemoryOp.WRAPS, true);
    made.result().setName(r.tensor.name());
    return made.result();
  }
}
