package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.RangeType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Lets scratch memory that products are added to, or that blocks leave parts of a sum in, lie as threads hold the
 * products' sums.
 *
 * <pre>
 *   %m = temp [%B, %D, %N]                              %m = temp [%B, %N / 64, 8192]
 *   %s = dot …  : f32[128, 64]                          %s = dot …
 *   atomic %m, [%b, %all, %i], %s                  →    %t = reshape, permute, reshape %s : f32[8192]
 *                                                       atomic %m, [%b, i / 64, %whole], %t
 *   %x = load %m, [%b, %all, %i]                        %x = reshape, permute, reshape (load %m, [%b, i / 64, %whole])
 * </pre>
 *
 * A matrix instruction gives a thread two elements of a row and two of the row eight below (PTX ISA 9.7.14, fragments
 * of m16n8), so that a tensor by rows can be added to by two elements at a time, eight lanes of a warp each at another
 * row. Here those four lie side by side, and those of a warp's lanes one after the other: one addition of 16 bytes for
 * each thread, of 512 bytes in a row for each warp.
 *
 * <p>Parts of a sum ({@code store} instead of {@code atomic}) are only arranged where one phase leaves and adds them
 * (merge-phases): what another phase reads is better copied in bulk, by rows.
 *
 * <p>Only scratch memory of the kernel, of which all accesses are of tiles of one shape that are full, and at multiples
 * of that shape, so that each is a stretch of memory of its own whatever order its elements have. What is read has the
 * same elements as before; nothing is computed in another order.
 */
public final class ArrangeSums {
  /** Rows and columns of a fragment, and what a thread holds of it: two of a row, and two of the row so many below. */
  private static final int FRAGMENT_ROWS = 16;

  private static final int FRAGMENT_COLUMNS = 8;
  private static final int HALF = 8;
  private static final int TOGETHER = 2;

  private final Func kernel;
  private final Uses uses;
  private final Bounds bounds;

  private ArrangeSums(Func kernel) {
    this.kernel = kernel;
    this.uses = new Uses(kernel.body());
    this.bounds = new Bounds(kernel);
  }

  public static void run(Module module, PassContext cx) {
    Func kernel = module.kernel();
    cx.enter(kernel);
    for (Inst inst : List.copyOf(kernel.body().insts())) {
      if (inst.op() instanceof MemoryOp.Temp t && t.element() == Element.F32) {
        ArrangeSums pass = new ArrangeSums(kernel);
        pass.tiles(inst).ifPresent(tiles -> pass.arrange(kernel.body(), inst, t, tiles));
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ finding

  /** Which two dimensions the tiles span, and how far; {@code turned}: products have the columns for rows. */
  private record Tiles(int rowDimension, int columnDimension, int rows, int columns, boolean turned) {
    boolean areFragments() {
      return high() % FRAGMENT_ROWS == 0 && wide() % FRAGMENT_COLUMNS == 0 && Integer.bitCount(rows) == 1
          && Integer.bitCount(columns) == 1;
    }

    int high() {
      return turned ? columns : rows;
    }

    int wide() {
      return turned ? rows : columns;
    }

    int count() {
      return rows * columns;
    }
  }

  private Optional<Tiles> tiles(Inst temp) {
    Value tensor = temp.result();
    List<Inst> accesses = uses.of(tensor);
    Optional<Tiles> tiles = Optional.empty();
    for (Inst access : accesses) {
      Optional<Tiles> here = indices(access, tensor).flatMap(i -> tiles(access, (MemoryOp.Temp) temp.op(), i));
      if (here.isEmpty() || tiles.isPresent() && !tiles.equals(here)) {
        return Optional.empty();
      }
      tiles = here;
    }
    Optional<Value> sum = accesses.stream().flatMap(i -> sum(i).stream()).findFirst();
    boolean apart = accesses.stream().noneMatch(i -> i.op() instanceof MemoryOp.Atomic) && !inOnePhase(accesses);
    return tiles.filter(_ -> sum.isPresent() && !apart).map(t -> new Tiles(t.rowDimension, t.columnDimension, t.rows,
        t.columns, sum.get().definition().op() instanceof ShapeOp.Permute)).filter(Tiles::areFragments);
  }

  /** What an access adds to memory, or leaves there, if that is a product's sum or one that is transposed. */
  private static Optional<Value> sum(Inst access) {
    return switch (access.op()) {
      case MemoryOp.Atomic a when isProduct(a.value()) -> Optional.of(a.value());
      case MemoryOp.Store s when isProduct(s.value()) -> Optional.of(s.value());
      default -> Optional.empty();
    };
  }

  private static boolean isProduct(Value v) {
    return v.definition() != null && switch (v.definition().op()) {
      case MatrixOp.Dot _ -> true;
      case ShapeOp.Permute p -> p.order().equals(List.of(1, 0)) && isProduct(p.x())
          && !(p.x().definition().op() instanceof ShapeOp.Permute);
      case ControlOp.For loop -> isProduct(
          loop.body().terminator().operands().get(v.definition().results().indexOf(v)));
      default -> false;
    };
  }

  private boolean inOnePhase(List<Inst> accesses) {
    return kernel.body().insts().stream().filter(i -> i.op() instanceof ControlOp.Parallel)
        .anyMatch(phase -> accesses.stream().allMatch(a -> bounds.scopes().around(a).anyMatch(o -> o == phase)));
  }

  /** The indices of an access to the tensor's elements; empty if it is anything else. */
  private static Optional<List<Value>> indices(Inst inst, Value tensor) {
    return switch (inst.op()) {
      case MemoryOp.Load l -> Optional.of(l.indices());
      case MemoryOp.Store s when s.tensor() == tensor -> Optional.of(s.indices());
      case MemoryOp.Atomic a when a.tensor() == tensor
          && a.kind() == MemoryOp.AtomicKind.ADD -> Optional.of(a.indices());
      default -> Optional.empty();
    };
  }

  private Optional<Tiles> tiles(Inst access, MemoryOp.Temp temp, List<Value> indices) {
    List<Integer> ranges = IntStream.range(0, indices.size())
        .filter(d -> indices.get(d).type() instanceof RangeType).boxed().toList();
    boolean scalars = indices.stream().allMatch(v -> v.type() instanceof RangeType || v.tile().isScalar());
    if (ranges.size() != 2 || !scalars
        || ranges.stream().anyMatch(d -> !isWhole(access, indices.get(d), temp.sizes().get(d)))) {
      return Optional.empty();
    }
    return Optional.of(new Tiles(ranges.get(0), ranges.get(1), size(indices.get(ranges.get(0))),
        size(indices.get(ranges.get(1))), false));
  }

  private static int size(Value range) {
    return ((RangeType) range.type()).size();
  }

  /** Whether all lanes are there, and start at a multiple of their number, of which the dimension is one. */
  private boolean isWhole(Inst access, Value index, Value size) {
    if (index.definition() == null || !(index.definition().op() instanceof MemoryOp.Range r)
        || !Regions.isInteger(r.stride(), 1)) {
      return false;
    }
    return bounds.divides(r.size(), bounds.form(size)) && bounds.divides(r.size(), bounds.form(r.start()))
        && bounds.atLeast(access, r.count(), r.size()) && bounds.atLeast(access, r.start(), 0)
        && bounds.atMost(access, r.start(), size, -r.size());
  }

  // ------------------------------------------------------------------------------------------------ rewriting

  private void arrange(Region body, Inst temp, MemoryOp.Temp t, Tiles tiles) {
    Builder b = new Builder(body, body.insts().indexOf(temp)).at(temp.loc());
    List<Value> sizes = new ArrayList<>(t.sizes());
    sizes.set(tiles.rowDimension, b.binary(BinaryKind.DIV, sizes.get(tiles.rowDimension), b.constant(tiles.rows)));
    sizes.set(tiles.columnDimension,
        b.binary(BinaryKind.DIV, sizes.get(tiles.columnDimension), b.constant(tiles.columns)));
    sizes.add(b.constant(tiles.count()));
    Inst arranged = b.append(new MemoryOp.Temp(sizes, t.element(), t.name()));
    arranged.annotations().putAll(temp.annotations());
    Value tensor = arranged.result();
    tensor.setName(temp.result().name());
    uses.of(temp.result()).forEach(access -> rewrite(access, tensor, tiles));
    body.insts().remove(temp);
  }

  private void rewrite(Inst access, Value tensor, Tiles tiles) {
    Region region = bounds.scopes().regionOf(access);
    Builder b = new Builder(region, region.insts().indexOf(access)).at(access.loc());
    List<Value> at = new ArrayList<>();
    for (Value index : indices(access, access.operands().getFirst()).orElseThrow()) {
      at.add(index.type() instanceof RangeType
          ? b.binary(BinaryKind.DIV, ((MemoryOp.Range) index.definition().op()).start(),
              b.constant(size(index))) : index);
    }
    at.add(b.emit(new MemoryOp.Range(b.constant(0), b.constant(1), b.constant(tiles.count()), tiles.count())));
    switch (access.op()) {
      case MemoryOp.Store s -> access.setOp(new MemoryOp.Store(tensor, at, arranged(b, s.value(), tiles)));
      case MemoryOp.Atomic a -> access.setOp(new MemoryOp.Atomic(tensor, at, arranged(b, a.value(), tiles), a.kind()));
      case MemoryOp.Load l -> {
        Value tile = byRows(b, b.emit(new MemoryOp.Load(tensor, at, l.pad())), tiles);
        tile.setName(access.result().name());
        region.insts().remove(access);
        region.replaceUses(Map.of(access.result(), tile));
      }
      default -> throw new IllegalStateException("no access: " + access);
    }
  }

  /** Rows: fragment, half, row of the half; columns: fragment, pair, element of the pair. */
  private static List<Integer> parts(Tiles tiles) {
    return List.of(tiles.high() / FRAGMENT_ROWS, FRAGMENT_ROWS / HALF, HALF,
        tiles.wide() / FRAGMENT_COLUMNS, FRAGMENT_COLUMNS / TOGETHER, TOGETHER);
  }

  /** Fragments one after the other; in each the lanes (row, pair), of each lane the halves, of those the pair. */
  private static final List<Integer> ORDER = List.of(0, 3, 2, 4, 1, 5);

  private static Value arranged(Builder b, Value tile, Tiles tiles) {
    Value parts = b.emit(new ShapeOp.Reshape(turned(b, tile, tiles), parts(tiles)));
    return b.emit(new ShapeOp.Reshape(b.emit(new ShapeOp.Permute(parts, ORDER)), List.of(tiles.count())));
  }

  private static Value byRows(Builder b, Value flat, Tiles tiles) {
    List<Integer> shape = ORDER.stream().map(parts(tiles)::get).toList();
    List<Integer> back = IntStream.range(0, ORDER.size()).map(ORDER::indexOf).boxed().toList();
    Value parts = b.emit(new ShapeOp.Permute(b.emit(new ShapeOp.Reshape(flat, shape)), back));
    return turned(b, b.emit(new ShapeOp.Reshape(parts, List.of(tiles.high(), tiles.wide()))), tiles);
  }

  /** As the products lie, or back. */
  private static Value turned(Builder b, Value tile, Tiles tiles) {
    return tiles.turned ? b.emit(new ShapeOp.Permute(tile, List.of(1, 0))) : tile;
  }
}
