package dev.tkc.ir.op;

import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import java.util.List;

/** Structured control flow, phases and launches. */
public sealed interface ControlOp extends Op {

  /**
   * Runs {@code body} for {@code lo, lo + step, …} while below {@code hi}, or for the same positions from the last to
   * the first if {@code reversed}. The body's parameters are the position (i64) and the carried values, which start
   * as {@code inits}; it yields the next carried values. Results: the carried values after the last round.
   */
  record For(Value lo, Value hi, long step, List<Value> inits, boolean reversed, Region body) implements ControlOp {
    public For {
      if (step < 1) {
        throw new IllegalArgumentException("step " + step);
      }
      inits = List.copyOf(inits);
    }
  }

  /**
   * Runs {@code body} while the position is below {@code limit}: first for {@code start}, then for what the round
   * before said, no position twice. The body's parameters are the position (i64) and the carried values, which start as
   * {@code inits}; it yields the next position and the next carried values. Results: the carried values after the last
   * round. Placed level only, so that what reads off a loop how its positions follow each other has only {@code for} to
   * look at.
   */
  record While(Value start, Value limit, List<Value> inits, Region body) implements ControlOp {
    public While {
      inits = List.copyOf(inits);
    }
  }

  /** Runs one of the regions, by a bool scalar. Results: what that region yields. */
  record If(Value condition, Region then, Region otherwise) implements ControlOp {}

  /**
   * Runs {@code body} for {@code lo, lo + step, …} below {@code hi} as independent blocks. The body's parameter is
   * the position (i64). Directly inside may stand another {@code parallel}, as the last instruction before the
   * yield, whose bounds may depend on this position and on loads from read-only tensors; the outermost of a nest is
   * a phase, which sees every write of the phases before it.
   */
  record Parallel(Value lo, Value hi, long step, Region body) implements ControlOp {
    public Parallel {
      if (step < 1) {
        throw new IllegalArgumentException("step " + step);
      }
    }
  }

  /** Ends a region; the values are the results of the instruction that holds it. */
  record Yield(List<Value> values) implements ControlOp {
    public Yield {
      values = List.copyOf(values);
    }
  }

  /** The bool scalar must hold; otherwise interpreting stops with the message. Not compiled unless asked for. */
  record Assert(Value condition, String message) implements ControlOp {}

  /**
   * Runs the device function {@code callee} for block numbers 0 … grid − 1. Only in a kernel, in place of an outlined
   * phase; {@code arguments} match the callee's parameters.
   */
  record Launch(String callee, Value grid, List<Value> arguments) implements ControlOp {
    public Launch {
      arguments = List.copyOf(arguments);
    }
  }

  /**
   * Code for {@code warps} warps of the block with {@code registers} registers for each thread, 0 for as many as were
   * given at launch. The roles of a function are its last instructions before the yield; the block's warps are handed
   * out to them in order, and they run side by side, seeing each other only through shared memory and barriers. Where
   * there are roles, a {@code barrier} inside one is for its own warps.
   */
  record Role(String name, int warps, int registers, Region body) implements ControlOp {}

  /** The number (i64) of this block, from 0. Only in a device function. */
  record BlockId() implements ControlOp {}

  /** How many blocks (i64) run this device function. */
  record BlockCount() implements ControlOp {}
}
