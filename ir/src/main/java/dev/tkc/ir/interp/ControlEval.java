package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
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
      case ControlOp.For o -> loop(Loop.of(machine, inst, o, frame), o.body(), frame);
      case ControlOp.While o -> loop(Loop.of(machine, inst, o, frame), o.body(), frame);
      case ControlOp.If o -> {
        List<Datum> chosen = machine.evaluate(frame.tile(o.condition()).asBool() ? o.then() : o.otherwise(), frame);
        yield chosen.stream().map(Loop::settled).toList();
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
        var callee = machine.module().func(o.callee())
            .orElseThrow(() -> new IllegalStateException("no @" + o.callee()));
        machine.device().launch(inst, callee, frame.integer(o.grid()), arguments);
        yield List.of();
      }
      case ControlOp.Role _ -> throw new IllegalStateException("a role by itself");
      case ControlOp.BlockId _ -> List.of(frame.block().id());
      case ControlOp.BlockCount _ -> List.of(frame.block().count());
      case ControlOp.Yield _ -> throw new IllegalStateException("a yield by itself");
    };
  }

  private List<Datum> loop(Loop loop, Region body, Frame frame) {
    while (loop.begin(frame)) {
      loop.carry(machine.evaluate(body, frame));
    }
    return loop.carried();
  }
}
