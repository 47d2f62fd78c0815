package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget.Place;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.SharedType;
import java.util.List;

/** What an IR value has become in the thread at hand. */
public sealed interface Lowered {

  /** A scalar, the same in every thread of the block. */
  record Scalar(LlvmValue value) implements Lowered {}

  /** One value for each register of the tile's layout; registers that hold duplicates share one value. */
  record Tile(List<LlvmValue> registers) implements Lowered {
    public Tile {
      registers = List.copyOf(registers);
    }

    public LlvmValue register(int i) {
      return registers.get(i);
    }
  }

  /** A tensor in global memory; sizes and strides (in elements) are i64. */
  record Tensor(LlvmValue pointer, Element element, List<LlvmValue> sizes, List<LlvmValue> strides, Access access)
      implements Lowered {
    public Tensor {
      sizes = List.copyOf(sizes);
      strides = List.copyOf(strides);
    }
  }

  /** A range of lanes; all three are i64. {@code nonNegative}: the start is known not to be negative. */
  record Range(LlvmValue start, LlvmValue stride, LlvmValue count, int size, boolean nonNegative) implements Lowered {}

  /** A buffer in shared memory: where its first slot starts, in bytes, and as an address; bytes from slot to slot. */
  record Buffer(long offset, LlvmValue pointer, SharedType type, long pitch) implements Lowered {
    /** Whether there is room for all of the tile's cover. */
    public boolean covers() {
      return pitch >= SlotBytes.ofCover(type);
    }
  }

  /** Transaction barriers, one after the other from byte {@code offset} of shared memory. */
  record Barriers(long offset, BarrierType type) implements Lowered {}

  /** A block of a slot of a buffer of this type, its dimensions in an order. */
  record View(Place slot, SharedType type, List<Integer> offsets, List<Integer> order) implements Lowered {
    public View {
      offsets = List.copyOf(offsets);
      order = List.copyOf(order);
    }
  }
}
