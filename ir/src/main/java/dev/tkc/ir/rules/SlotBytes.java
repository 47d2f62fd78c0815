package dev.tkc.ir.rules;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;

/**
 * How far the slots of a shared buffer are apart: by the power-of-two cover of a tile, so that no offset of its layout
 * needs a check; or by the annotation {@link #PITCH} of its {@code shared_alloc}, where that is less. Threads must then
 * keep what they hold beyond the tile's ends out of the slot. The passes that allocate, the interpreter and the
 * lowering all ask here.
 */
public final class SlotBytes {
  public static final String PITCH = "pitch";

  private SlotBytes() {}

  /** Bytes from one slot to the next of a {@code shared_alloc}'s buffer. */
  public static long of(Inst alloc) {
    return alloc.annotation(PITCH, ofCover(((SharedOp.SharedAlloc) alloc.op()).type()));
  }

  /** The same for the buffer that a {@code shared_alloc} has made. */
  public static long of(Value buffer) {
    return of(buffer.definition());
  }

  /** Bytes of the whole cover of a slot's tile. */
  public static long ofCover(SharedType type) {
    return type.element().bytes(LinearLayout.cover(type.shape()).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b));
  }
}
