package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.ControlOp;
import java.util.List;

/** A {@code for} or {@code while} while it runs: which position is next, and what it carries. */
abstract sealed class Loop {
  private final Machine machine;
  private final Inst inst;
  private final Region body;
  private List<Datum> carried;

  private Loop(Machine machine, Inst inst, Region body, List<Datum> inits) {
    this.machine = machine;
    this.inst = inst;
    this.body = body;
    keep(inits);
  }

  static Loop of(Machine machine, Inst inst, ControlOp.For op, Frame frame) {
    return new Counted(machine, inst, op, frame);
  }

  static Loop of(Machine machine, Inst inst, ControlOp.While op, Frame frame) {
    return new Open(machine, inst, op, frame);
  }

  /** Whether there is another round. */
  abstract boolean goesOn();

  /** The position of the round that begins. */
  abstract long position();

  /** What the round yielded. */
  abstract void carry(List<Datum> yielded);

  /** Begins the next round; false if there is none. */
  final boolean begin(Frame frame) {
    if (!goesOn()) {
      return false;
    }
    machine.budget().step(inst);
    var params = body.params();
    frame.put(params.get(0), Tile.integer(position()));
    for (int c = 0; c < carried.size(); c++) {
      frame.put(params.get(c + 1), carried.get(c));
    }
    return true;
  }

  final void keep(List<Datum> data) {
    carried = data.stream().map(Loop::settled).toList();
  }

  final List<Datum> carried() {
    return carried;
  }

  /** Rounds that are counted beforehand. */
  private static final class Counted extends Loop {
    private final ControlOp.For op;
    private final long lo;
    private final long rounds;
    private long round;

    Counted(Machine machine, Inst inst, ControlOp.For op, Frame frame) {
      super(machine, inst, op.body(), op.inits().stream().map(frame::get).toList());
      this.op = op;
      this.lo = frame.integer(op.lo());
      this.rounds = rounds(lo, frame.integer(op.hi()), op.step());
    }

    @Override
    boolean goesOn() {
      return round < rounds;
    }

    @Override
    long position() {
      long at = op.reversed() ? rounds - 1 - round : round;
      round++;
      return lo + at * op.step();
    }

    @Override
    void carry(List<Datum> yielded) {
      keep(yielded);
    }
  }

  /** Each round says where the next one is. */
  private static final class Open extends Loop {
    private final long limit;
    private long position;

    Open(Machine machine, Inst inst, ControlOp.While op, Frame frame) {
      super(machine, inst, op.body(), op.inits().stream().map(frame::get).toList());
      this.limit = frame.integer(op.limit());
      this.position = frame.integer(op.start());
    }

    @Override
    boolean goesOn() {
      return position < limit;
    }

    @Override
    long position() {
      return position;
    }

    @Override
    void carry(List<Datum> yielded) {
      position = ((Tile) yielded.getFirst()).asLong();
      keep(yielded.subList(1, yielded.size()));
    }
  }

  /** What a variable holds is a tile of full size, not a repetition of a smaller one. */
  static Datum settled(Datum d) {
    return d instanceof Tile t ? t.settled() : d;
  }

  /** How many of {@code lo, lo + step, …} are below {@code hi}. */
  static long rounds(long lo, long hi, long step) {
    if (hi <= lo) {
      return 0;
    }
    long distance = hi - lo;
    return distance < 0 ? Long.divideUnsigned(distance - 1, step) + 1 : (distance - 1) / step + 1;
  }
}
