package dev.tkc.ir.interp;

import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;

/**
 * An array in global memory, as a pointer reaches it: the run-time value of a {@code ptr} parameter.
 *
 * <p>When checking, a buffer remembers which of its elements were never written, also from one launch to the next; so
 * the same buffer object stands for the same memory throughout. A plan that a real device executes may hold device
 * addresses here ({@code MemorySegment.ofAddress}), which the interpreter then never touches.
 */
public final class Buffer implements Datum {
  private final Element element;
  private final MemorySegment memory;
  private final long capacity;
  private long[] poison;
  private boolean padded;
  private int[] origins;

  private Buffer(Element element, MemorySegment memory) {
    this.element = element;
    this.memory = memory;
    this.capacity = element.bits() >= 8 ? memory.byteSize() / (element.bits() / 8) : memory.byteSize() * 2;
  }

  /** Memory whose contents are defined. */
  public static Buffer of(Element element, MemorySegment memory) {
    return new Buffer(element, memory);
  }

  public Element element() {
    return element;
  }

  public MemorySegment memory() {
    return memory;
  }

  /** How many elements the memory holds. */
  public long capacity() {
    return capacity;
  }

  /** Marks every element as never written: what {@code empty} gives. */
  public Buffer poisonAll() {
    poison = new long[words()];
    Arrays.fill(poison, -1L);
    return this;
  }

  /** Takes every element as written. */
  public void trustAll() {
    poison = null;
  }

  public boolean isPoisoned(long at) {
    return poison != null && (poison[(int) (at >>> 6)] >>> at & 1) != 0;
  }

  /** Marks an element as never written. */
  void poison(long at) {
    if (poison == null) {
      poison = new long[words()];
    }
    poison[(int) (at >>> 6)] |= 1L << at;
  }

  /** Takes these elements as never written, and the others as written. */
  public void poison(BitSet elements) {
    poison = Arrays.copyOf(elements.toLongArray(), words());
  }

  /** The elements that were never written; none where nobody kept account. */
  public BitSet poisoned() {
    BitSet elements = poison == null ? new BitSet() : BitSet.valueOf(poison);
    // The last word has bits behind the last element.
    elements.clear(Math.toIntExact(capacity), Math.max(elements.length(), Math.toIntExact(capacity)));
    return elements;
  }

  void written(long at) {
    if (poison != null) {
      poison[(int) (at >>> 6)] &= ~(1L << at);
    }
  }

  /** Takes stores of padding, and gives it back as padding: a {@code temp} in which a pass keeps whole tiles. */
  void keepPadding() {
    padded = true;
  }

  boolean keepsPadding() {
    return padded;
  }

  /** The padding state of an element by the code of {@link Padding}; 0 is inside. */
  int origin(long at) {
    return origins == null ? 0 : origins[(int) at];
  }

  void setOrigin(long at, int state) {
    if (origins == null && state != 0) {
      origins = new int[Math.toIntExact(capacity)];
    }
    if (origins != null) {
      origins[(int) at] = state;
    }
  }

  boolean hasPadding() {
    return origins != null;
  }

  boolean hasPoison() {
    return poison != null;
  }

  private int words() {
    return Math.toIntExact(capacity + 63 >>> 6);
  }

  /** 0: the memory belongs to the caller or is counted when it is allocated. */
  @Override
  public long bytes() {
    return 0;
  }
}
