package dev.tkc.ir.interp;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.List;

/**
 * One run of one module: what its evaluators share. Evaluators hold no state of their own, so several threads may
 * evaluate different blocks, each with a frame of its own.
 */
final class Machine {
  private final Interpreter.Options options;
  private final Budget budget;
  private final Module module;
  private final Checker checker;
  private final boolean divides;
  private final ElementwiseEval elementwise = new ElementwiseEval(this);
  private final ShapeEval shape = new ShapeEval(this);
  private final ReductionEval reduction = new ReductionEval(this);
  private final MatrixEval matrix = new MatrixEval(this);
  private final MemoryEval memory = new MemoryEval(this);
  private final SharedEval shared = new SharedEval(this);
  private final AsyncEval async = new AsyncEval(this);
  private final ControlEval control = new ControlEval(this);
  private final Arrivals arrivals = new Arrivals(this);
  private Interpreter.Device device;

  Machine(Interpreter.Options options, Budget budget, Module module) {
    this.options = options;
    this.budget = budget;
    this.module = module;
    this.checker = options.check() ? new Checker(budget) : null;
    this.divides = module.funcs().stream().anyMatch(Machine::divides);
    this.device = host();
    budget.resume();
  }

  Interpreter.Options options() {
    return options;
  }

  Budget budget() {
    return budget;
  }

  Module module() {
    return module;
  }

  /** Null when not checking. */
  Checker checker() {
    return checker;
  }

  /**
   * The state of what a load makes up; 0 if nobody asks. Besides the checker, integer division does: its divisors may
   * be 0 where they are padding.
   */
  int padding(Inst load) {
    return checker != null ? Padding.neutral(checker.number(load)) : divides ? Padding.neutral(1) : 0;
  }

  /** Whether a tile of integers is divided by, or an exponent. */
  private static boolean divides(Func func) {
    return func.body().anyMatch(inst -> inst.op() instanceof ElementwiseOp.Binary b
        && b.rhs().type() instanceof TileType t && t.element().isInteger() && !t.shape().isEmpty()
        && switch (b.kind()) {
          case DIV, REM, POW -> true;
          case ADD, SUB, MUL, MIN, MAX, AND, OR, XOR, SHL, SHR -> false;
        });
  }

  Interpreter.Device device() {
    return device;
  }

  MemoryEval memory() {
    return memory;
  }

  MatrixEval matrix() {
    return matrix;
  }

  AsyncEval async() {
    return async;
  }

  Arrivals arrivals() {
    return arrivals;
  }

  ElementwiseEval elementwise() {
    return elementwise;
  }

  /** The device that is this interpreter. */
  Interpreter.Device host() {
    return new Interpreter.Device() {
      @Override
      public Buffer temp(Inst inst, Element element, long count) {
        long bytes = element.bytes(count);
        budget.askTemp(inst, ((MemoryOp.Temp) inst.op()).name(), count, bytes);
        budget.hold(bytes);
        return Interpreter.allocate(element, count);
      }

      @Override
      public Buffer counter(Inst inst, long count) {
        budget.ask(inst, 0, Element.I32.bytes(count));
        return Interpreter.allocate(Element.I32, count);
      }

      @Override
      public void launch(Inst inst, Func callee, long grid, List<Datum> arguments) {
        new Phase(Machine.this, inst).launch(callee, grid, arguments);
      }
    };
  }

  void run(List<Datum> arguments, Interpreter.Device on) {
    Func kernel = module.kernel();
    long held = budget.held();
    device = on;
    try (Frame frame = new Frame(null, budget)) {
      bind(kernel, arguments, frame);
      evaluate(kernel.body(), frame);
      if (checker != null) {
        checker.end();
      }
    } catch (OutOfMemoryError e) {
      throw new DiagnosticException(Diagnostic.error(Code.MEMORY_LIMIT, "the memory that Java may use is full")
          .help("use smaller sizes, or give the process more memory (-Xmx)"));
    } finally {
      budget.hold(held - budget.held());
    }
  }

  static void bind(Func func, List<Datum> arguments, Frame frame) {
    List<Param> params = func.params();
    if (params.size() != arguments.size()) {
      throw new IllegalStateException("@" + func.name() + " takes " + params.size() + " arguments, not "
          + arguments.size());
    }
    for (int i = 0; i < params.size(); i++) {
      frame.put(params.get(i).value(), arguments.get(i));
    }
  }

  /** Runs a region and gives what it yields. */
  List<Datum> evaluate(Region region, Frame frame) {
    List<Inst> insts = region.insts();
    for (int i = 0; i < insts.size(); i++) {
      if (insts.get(i).op() instanceof ControlOp.Yield y) {
        return y.values().stream().map(frame::get).toList();
      }
      if (insts.get(i).op() instanceof ControlOp.Role) {
        // The roles are all that is left.
        Roles.run(this, insts.subList(i, insts.size() - 1), frame);
        return List.of();
      }
      evaluate(insts.get(i), frame);
    }
    throw new IllegalStateException("a region without a yield");
  }

  void evaluate(Inst inst, Frame frame) {
    budget.step(inst);
    try {
      switch (inst.op()) {
        case ControlOp op -> define(inst, control.evaluate(inst, op, frame), frame);
        case MemoryOp op -> write(inst, memory.evaluate(inst, op, frame), frame);
        case ElementwiseOp op -> write(inst.result(), elementwise.evaluate(inst, op, frame), frame);
        case ShapeOp op -> {
          write(inst.result(), shape.evaluate(inst, op, frame), frame);
          meet(inst, frame);
        }
        case ReductionOp op -> {
          write(inst, reduction.evaluate(inst, op, frame), frame);
          meet(inst, frame);
        }
        case MatrixOp op -> write(inst.result(), matrix.evaluate(inst, op, frame), frame);
        case AsyncOp op -> define(inst, async.evaluate(inst, op, frame), frame);
        case SharedOp op -> write(inst, shared.evaluate(inst, op, frame), frame);
      }
    } catch (Frame.NotReady e) {
      if (!(e.datum instanceof UndefinedTile u) || !Effects.isPure(inst)) {
        throw AsyncEval.notReady(frame, inst, e.datum);
      }
      // What is computed from an undefined tile is undefined.
      inst.results().forEach(r -> frame.put(r, u));
    }
  }

  private static void write(Inst inst, List<? extends Datum> data, Frame frame) {
    List<Value> results = inst.results();
    for (int i = 0; i < results.size(); i++) {
      write(results.get(i), data.get(i), frame);
    }
  }

  /** What goes through scratch memory has a barrier in the middle. */
  private static void meet(Inst inst, Frame frame) {
    if (frame.team() != null && inst.annotations().containsKey("scratch")) {
      frame.team().barrier();
    }
  }

  /** Defines a value that threads write to registers. */
  private static void write(Value result, Datum datum, Frame frame) {
    if (frame.block() != null && datum instanceof Tile t && !t.isScalar()) {
      t.written(frame.block().state().nextTile());
    }
    frame.put(result, datum);
  }

  static void define(Inst inst, List<? extends Datum> data, Frame frame) {
    List<Value> results = inst.results();
    for (int i = 0; i < results.size(); i++) {
      frame.put(results.get(i), data.get(i));
    }
  }

  /** An array for the elements of a new tile, if the budget allows it. */
  Object allocate(Inst inst, Element element, long count) {
    Tile.Storage storage = Tile.Storage.of(element);
    budget.ask(inst, count, storage.bytes(count));
    return storage.allocate((int) count);
  }
}
