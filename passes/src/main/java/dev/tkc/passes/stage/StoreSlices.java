package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * How a tile leaves a role that computes: in slices of so many bytes of each row. Those of a bulk store go through so
 * many buffers in turn; those that the threads store are exchanged among them through the same scratch, one after the
 * other. Rows that are no multiple of that many bytes leave whole, or in narrower slices where they are long.
 */
final class StoreSlices {
  static final int BUFFERS = 2;
  static final int ROW_BYTES = 128;

  /** Slices are not narrower. */
  private static final int LEAST_BYTES = 32;

  /** Less is found in what alignment leaves. */
  private static final long LEAST_SCRATCH = 1024;

  private StoreSlices() {}

  /** Whether a copy engine may store the tile in slices: shorter rows are left to the threads. */
  static boolean mayBeBulk(TileType t) {
    return t.rank() == 2 && t.element().bits() >= 8 && t.element().bytes(t.shape().getLast()) >= ROW_BYTES
        && columns(t) > 0;
  }

  /** Columns of the slices in which a copy engine stores a tile; 0 where it cannot. */
  static int columns(TileType tile) {
    int bits = tile.element().bits();
    int last = tile.shape().getLast();
    boolean whole = tile.element().bytes(last) % ROW_BYTES != 0 && tile.element().bytes(last) <= 2 * ROW_BYTES;
    int columns = whole ? last : divisor(tile);
    if (columns == 0) {
      return 0;
    }
    List<Integer> shape = new ArrayList<>(tile.shape());
    shape.set(tile.rank() - 1, columns);
    return Panels.obstacle(shape, bits).isEmpty() ? columns : 0;
  }

  /** The most columns, of at most {@link #ROW_BYTES}, of which a row is a multiple. */
  private static int divisor(TileType tile) {
    for (int bytes = ROW_BYTES; bytes >= LEAST_BYTES; bytes /= 2) {
      int columns = bytes * 8 / tile.element().bits();
      if (tile.shape().getLast() % columns == 0) {
        return columns;
      }
    }
    return 0;
  }

  /** Columns of the slices in which the threads store a tile; 0 where they store it at once. */
  static int columnsByThreads(Inst inst) {
    if (!(inst.op() instanceof MemoryOp.Store s) || inst.flag("bulk")) {
      return 0;
    }
    TileType t = s.value().tile();
    int columns = t.rank() == 2 && t.element().bits() >= 8 ? divisor(t) : 0;
    Value last = s.indices().getLast();
    boolean ranges = s.indices().stream().noneMatch(i -> i.type() instanceof TileType x && x.rank() > 0)
        && last.type() instanceof RangeType && last.definition() != null
        && last.definition().op() instanceof MemoryOp.Range;
    return ranges && columns > 0 && t.shape().getLast() > columns ? columns : 0;
  }

  /**
   * What lies between a function's tiles and the bulk stores that cut them: computed slice by slice, and then element
   * by element, it never takes the registers of a tile. Threads that store need them for guards and addresses.
   */
  static Set<Inst> onTheWayOut(Func func, Predicate<Inst> bulk) {
    Uses uses = new Uses(func.body());
    Set<Inst> found = Collections.newSetFromMap(new IdentityHashMap<>());
    func.body().walk(i -> {
      if (i.op() instanceof MemoryOp.Store s && bulk.test(i) && columns(s.value().tile()) > 0) {
        found.add(i);
      }
    });
    behind(func.body(), uses, new ReadOnly(func), found);
    return found;
  }

  private static void behind(Region region, Uses uses, ReadOnly readOnly, Set<Inst> found) {
    for (Inst i : region.insts().reversed()) {
      i.regions().forEach(r -> behind(r, uses, readOnly, found));
      if (TileParts.divides(i) && (!(i.op() instanceof MemoryOp.Load l) || isCut(l, readOnly))
          && uses.isUsed(i.result()) && found.containsAll(uses.of(i.result()))) {
        found.add(i);
      }
    }
  }

  private static boolean isCut(MemoryOp.Load load, ReadOnly readOnly) {
    return readOnly.tensor(load.tensor())
        && load.indices().stream().noneMatch(i -> i.type() instanceof TileType t && t.rank() > 0);
  }

  /** Bytes of shared memory through which a tile goes whose rows and columns are exchanged before it is stored. */
  static long turningBytes(Inst inst) {
    long bytes = 0;
    for (Value v = ((MemoryOp.Store) inst.op()).value(); v.definition() != null;
        v = v.definition().operands().getFirst()) {
      switch (v.definition().op()) {
        case ElementwiseOp.Cast _ -> { }
        case ShapeOp.Permute p -> bytes += p.x().tile().element().bytes(p.x().tile().count());
        default -> {
          return bytes;
        }
      }
    }
    return bytes;
  }

  /** Scratch for the stores of a region that its threads do, one after the other; next to nothing counts as nothing. */
  static long scratch(Region region) {
    long[] most = {0};
    region.walk(i -> {
      if (i.op() instanceof MemoryOp.Store s && !i.flag("bulk") && s.value().tile().rank() >= 2) {
        most[0] = Math.max(most[0], bytes(i, BUFFERS) + turningBytes(i));
      }
    });
    return most[0] > LEAST_SCRATCH ? most[0] : 0;
  }

  /** Bytes of shared memory that a store needs, in so many buffers if it is one in bulk. */
  static long bytes(Inst inst, int buffers) {
    TileType t = ((MemoryOp.Store) inst.op()).value().tile();
    int columns = inst.flag("bulk") ? columns(t) : columnsByThreads(inst);
    if (columns == 0) {
      // Threads exchange the whole cover at once.
      return t.element().bytes(LinearLayout.cover(t.shape()).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b));
    }
    List<Integer> shape = new ArrayList<>(t.shape());
    shape.set(t.rank() - 1, columns);
    long slice = Panels.of(shape, t.element().bits()).map(Panels::slotBytes).orElse(t.element().bytes(t.count()));
    int slices = t.shape().getLast() / columns;
    return inst.flag("bulk") ? Math.min(buffers, slices) * slice
        : LinearLayout.cover(t.shape().subList(0, t.rank() - 1)).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b)
            * t.element().bytes(columns);
  }
}
