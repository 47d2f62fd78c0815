package dev.tkc.ir.interp;

import dev.tkc.ir.Value;
import java.util.HashMap;
import java.util.Map;

/**
 * The values that are known at a place: those of this frame, over those of the frames around it. Used by one thread at
 * a time; the outer frames of a block are only read.
 */
public final class Frame implements AutoCloseable {
  /** Which block of a launch this is, and what its warps share. */
  record Block(Tile id, Tile count, BlockState state) {}

  /** Somebody asked for a tile where there is none yet. */
  static final class NotReady extends RuntimeException {
    private static final long serialVersionUID = 1;
    final transient Datum datum;

    NotReady(Datum datum) {
      super("a tile that is not there yet", null, false, false);
      this.datum = datum;
    }
  }

  private final Frame outer;
  private final Budget budget;
  private final Block block;
  private final Team team;
  private final Map<Value, Datum> values = new HashMap<>();
  private long held;

  Frame(Frame outer, Budget budget) {
    this(outer, budget, outer == null ? null : outer.block, outer == null ? null : outer.team);
  }

  private Frame(Frame outer, Budget budget, Block block, Team team) {
    this.outer = outer;
    this.budget = budget;
    this.block = block;
    this.team = team;
  }

  /** The frame of one block of a launch. */
  static Frame ofBlock(Budget budget, long id, long count, BlockState state) {
    return new Frame(null, budget, new Block(Tile.integer(id), Tile.integer(count), state), state.team);
  }

  /** A frame in this one, for the warps of a role. */
  Frame ofTeam(Team role) {
    return new Frame(this, budget, block, role);
  }

  Frame inner() {
    return new Frame(this, budget);
  }

  /** The block that a device function runs as. */
  Block block() {
    return block;
  }

  /** The warps of a device function that run what this frame is for. */
  Team team() {
    return team;
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
    if (get(value) instanceof Tile t) {
      return t;
    }
    throw new NotReady(get(value));
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
