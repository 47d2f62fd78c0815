package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.op.ControlOp;
import java.util.List;

/** A {@code for} while it runs: which round it is in, and what it carries. */
final class Loop {
  private final Machine machine;
  private final Inst inst;
  private final ControlOp.For op;
  private final long lo;
  private final long rounds;
  private long round;
  private List<Datum> carried;

  Loop(Machine machine, Inst inst, ControlOp.For op, Frame frame) {
    this.machine = machine;
    this.inst = inst;
    this.op = op;
    this.lo = frame.integer(op.lo());
    this.rounds = rounds(lo, frame.integer(op.hi()), op.step());
    carry(op.inits().stream().map(frame::get).toList());
  }

  /** Begins the next round; false if there is none. */
  boolean begin(Frame frame) {
    if (round == rounds) {
      return false;
    }
    machine.budget().step(inst);
    var params = op.body().params();
    frame.put(params.get(0), Tile.integer(lo + (op.reversed() ? rounds - 1 - round : round) * op.step()));
    for (int c = 0; c < carried.size(); c++) {
      frame.put(params.get(c + 1), carried.get(c));
    }
    round++;
    return true;
  }

  /** What the round yielded. */
  void carry(List<Datum> yielded) {
    carried = yielded.stream().map(Loop::settled).toList();
  }

  List<Datum> carried() {
    return carried;
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
