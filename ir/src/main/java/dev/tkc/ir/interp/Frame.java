package dev.tkc.ir.interp;

import dev.tkc.ir.Value;
import java.util.HashMap;
import java.util.Map;

/**
 * The values that are known at a place: those of this frame, over those of the frames around it. Used by one thread at a time;
 * the outer frames of a block are only read.
 */
public final class Frame implements AutoCloseable {
  /** Which block of a launch this is, and its asynchronous copies under way. */
  record Block(Tile id, Tile count, Copies copies) {}

  private final Frame outer;
  private final Budget budget;
  private final Block block;
  private final Map<Value, Datum> values = new HashMap<>();
  private long held;

  Frame(Frame outer, Budget budget) {
    this(outer, budget, outer == null ? null : outer.block);
  }

  private Frame(Frame outer, Budget budget, Block block) {
    this.outer = outer;
    this.budget = budget;
    this.block = block;
  }

  /** The frame of one block of a launch. */
  static Frame ofBlock(Budget budget, long id, long count) {
    return new Frame(null, budget, new Block(Tile.integer(id), Tile.integer(count), new Copies()));
  }

  Frame inner() {
    return new Frame(this, budget);
  }

  /** The block that a device function runs as. */
  Block block() {
    return block;
  }

  /** The value's datum; it must have one. */
  public Datum get(Value value) {
    for (Frame f = this; f != null; f = f.outer) {
      Datum d = f.values.get(value);
      if (d != null) {
        return d;
      }
    }
    throw new IllegalStateException(value + " has no value here");
  }

  public Tile tile(Value value) {
    return (Tile) get(value);
  }

  public long integer(Value value) {
    return tile(value).asLong();
  }

  /** Defines or redefines a value. */
  public void put(Value value, Datum datum) {
    Datum before = values.put(value, datum);
    hold(datum.bytes() - (before == null ? 0 : before.bytes()));
  }

  /** Lets go of a value that nobody will ask for again. */
  public void forget(Value value) {
    Datum before = values.remove(value);
    if (before != null) {
      hold(-before.bytes());
    }
  }

  private void hold(long bytes) {
    if (bytes != 0) {
      held += bytes;
      budget.hold(bytes);
    }
  }

  /** Lets go of everything. */
  @Override
  public void close() {
    hold(-held);
    values.clear();
  }
}
