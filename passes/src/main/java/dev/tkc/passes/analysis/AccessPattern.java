package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How a load, store, atomic or asynchronous copy touches memory.
 *
 * @param contiguous the tile dimension whose neighbours are neighbours in memory, or -1
 * @param vector how many elements along it, a power of two, start at a multiple of their size together and are valid or
 *     outside together, when counted from a multiple of that many in the tile
 * @param inBounds for each index whether every lane is known to be valid and inside the tensor
 */
public record AccessPattern(int contiguous, int vector, List<Boolean> inBounds) {
  public AccessPattern {
    inBounds = List.copyOf(inBounds);
  }

  public boolean allInBounds() {
    return !inBounds.contains(false);
  }

  /** What an access reads or writes, whichever op it is. */
  private record Access(Value tensor, List<Value> indices) {}

  /** Answers for the accesses of one function; stale when that changes. */
  public static final class Finder {
    private final Bounds bounds;

    public Finder(Func func) {
      this(new Bounds(func));
    }

    public Finder(Bounds bounds) {
      this.bounds = bounds;
    }

    /** The pattern of an instruction that accesses global memory; empty for others. */
    public Optional<AccessPattern> of(Inst inst) {
      Access access = switch (inst.op()) {
        case MemoryOp.Load l -> new Access(l.tensor(), l.indices());
        case MemoryOp.Store s -> new Access(s.tensor(), s.indices());
        case MemoryOp.Atomic a -> new Access(a.tensor(), a.indices());
        case SharedOp.CopyAsync c -> new Access(c.tensor(), c.indices());
        default -> null;
      };
      if (access == null || !(ReadOnly.definition(access.tensor()) instanceof MemoryOp.MakeTensor tensor)) {
        return Optional.empty();
      }
      return Optional.of(pattern(inst, access, tensor));
    }

    private AccessPattern pattern(Inst inst, Access access, MemoryOp.MakeTensor tensor) {
      Element element = ((TensorType) access.tensor().type()).element();
      List<Boolean> inside = new ArrayList<>();
      int contiguous = -1;
      long width = Math.max(1, bounds.divisibility().of(tensor.pointer()) * 8 / element.bits());
      for (int d = 0, tileDim = 0; d < access.indices().size(); d++) {
        Value index = access.indices().get(d);
        Value size = tensor.sizes().get(d);
        Value stride = tensor.strides().get(d);
        inside.add(isInside(inst, index, size));
        boolean fast = index.type() instanceof RangeType && Regions.isInteger(stride, 1) && unitRange(index)
            && contiguous < 0;
        if (fast) {
          contiguous = tileDim;
          width = Math.min(width, alongRange(index, size, inside.get(d)));
        } else {
          width = Math.min(width, across(index, stride));
        }
        tileDim += dimensions(index);
      }
      return new AccessPattern(contiguous, contiguous < 0 ? 1 : (int) Math.min(width, 1 << 20), inside);
    }

    private static int dimensions(Value index) {
      return index.type() instanceof TileType t && t.isScalar() ? 0 : 1;
    }

    private static boolean unitRange(Value index) {
      return ReadOnly.definition(index) instanceof MemoryOp.Range r && Regions.isInteger(r.stride(), 1);
    }

    /** How many neighbours along the fast dimension stay together. */
    private long alongRange(Value index, Value size, boolean inside) {
      MemoryOp.Range r = (MemoryOp.Range) index.definition().op();
      long width = Math.min(bounds.divisibility().of(r.start()), Divisibility.lowBit(r.size()));
      if (!inside) {
        width = Math.min(width, bounds.divisibility().of(size));
        OptionalLong count = Regions.integer(r.count());
        if (count.isEmpty() || count.getAsLong() < r.size()) {
          width = Math.min(width, ofCount(r));
        }
      }
      return width;
    }

    private long ofCount(MemoryOp.Range r) {
      return bounds.divisibility().of(r.count());
    }

    /** What a step, or a start, in another dimension does to the alignment. */
    private long across(Value index, Value stride) {
      Divisibility d = bounds.divisibility();
      long step = d.of(stride);
      if (ReadOnly.definition(index) instanceof MemoryOp.Range r) {
        return product(step, Math.min(d.of(r.start()), r.size() == 1 ? Divisibility.MOST : d.of(r.stride())));
      }
      return index.type() instanceof TileType t && t.isScalar() ? product(step, d.of(index)) : step;
    }

    private static long product(long a, long b) {
      return Math.min(Divisibility.MOST, a * Math.min(b, Divisibility.MOST / a));
    }

    private boolean isInside(Inst inst, Value index, Value size) {
      if (index.type() instanceof TileType t && t.isScalar()) {
        // The language makes it an error for a scalar index to be outside.
        return true;
      }
      MemoryOp.Range r = switch (ReadOnly.definition(index)) {
        case MemoryOp.Range range -> range;
        case MemoryOp.Lanes lanes when ReadOnly.definition(lanes.range()) instanceof MemoryOp.Range range -> range;
        case null, default -> null;
      };
      if (r == null) {
        return false;
      }
      OptionalLong stride = Regions.integer(r.stride());
      boolean full = index.type() instanceof TileType || bounds.atLeast(inst, r.count(), r.size());
      return full && stride.isPresent() && stride.getAsLong() >= 0 && bounds.atLeast(inst, r.start(), 0)
          && bounds.atMost(inst, r.start(), size, -((r.size() - 1) * stride.getAsLong() + 1));
    }
  }
}
