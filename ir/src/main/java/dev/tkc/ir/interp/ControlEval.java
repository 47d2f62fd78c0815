package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.op.ControlOp;
import java.util.List;

/** Loops, branches, phases and launches. */
final class ControlEval {
  private final Machine machine;

  ControlEval(Machine machine) {
    this.machine = machine;
  }

  List<Datum> evaluate(Inst inst, ControlOp op, Frame frame) {
    return switch (op) {
      case ControlOp.For o -> loop(inst, o, frame);
      case ControlOp.If o -> {
        List<Datum> chosen = machine.evaluate(frame.tile(o.condition()).asBool() ? o.then() : o.otherwise(), frame);
        yield chosen.stream().map(ControlEval::settled).toList();
      }
      case ControlOp.Parallel o -> {
        new Phase(machine, inst).parallel(o, frame);
        yield List.of();
      }
      case ControlOp.Assert o -> {
        if (!frame.tile(o.condition()).asBool()) {
          throw Faults.fault(Code.ASSERTION, inst, o.message().isEmpty() ? "an assertion does not hold" : o.message());
        }
        yield List.of();
      }
      case ControlOp.Launch o -> {
        List<Datum> arguments = o.arguments().stream().map(frame::get).toList();
        var callee = machine.module().func(o.callee()).orElseThrow(() -> new IllegalStateException("no @" + o.callee()));
        machine.device().launch(inst, callee, frame.integer(o.grid()), arguments);
        yield List.of();
      }
      case ControlOp.Role _ -> throw new IllegalStateException("roles are not interpreted");
      case ControlOp.BlockId _ -> List.of(frame.block().id());
      case ControlOp.BlockCount _ -> List.of(frame.block().count());
      case ControlOp.Yield _ -> throw new IllegalStateException("a yield by itself");
    };
  }

  private List<Datum> loop(Inst inst, ControlOp.For op, Frame frame) {
    long lo = frame.integer(op.lo());
    long rounds = rounds(lo, frame.integer(op.hi()), op.step());
    List<Datum> carried = op.inits().stream().map(v -> settled(frame.get(v))).toList();
    var params = op.body().params();
    for (long i = 0; i < rounds; i++) {
      machine.budget().step(inst);
      frame.put(params.get(0), Tile.integer(lo + (op.reversed() ? rounds - 1 - i : i) * op.step()));
      for (int c = 0; c < carried.size(); c++) {
        frame.put(params.get(c + 1), carried.get(c));
      }
      carried = machine.evaluate(op.body(), frame).stream().map(ControlEval::settled).toList();
    }
    return carried;
  }

  /** What a variable holds is a tile of full size, not a repetition of a smaller one. */
  private static Datum settled(Datum d) {
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
