package dev.tkc.ir.interp;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.type.Element;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * Runs modules: the meaning of a program, which every pass and target must keep.
 *
 * <p>One object serves one thread at a time; options hold for everything it runs. Whatever a user's program does wrong
 * ends in a {@link DiagnosticException}; memory that it wrote until then stays written.
 */
public final class Interpreter {
  /**
   * How to run.
   *
   * @param check watch for uninitialised reads, unwritten outputs, races and leaking padding, at some cost; blocks run
   *     in order
   * @param maxSteps instructions (and 1024-element pieces of work) after which to stop
   * @param maxBytes memory for tiles, temps and shadow memory together
   * @param threads how many blocks of a phase may run at once when nothing depends on it
   * @param seed what roles, copies and products that run side by side do in which order, where that is open
   */
  public record Options(boolean check, long maxSteps, long maxBytes, int threads, long seed) {
    /** No checking, no bound on steps, half of the memory that Java may have, all processors. */
    public static Options defaults() {
      Runtime machine = Runtime.getRuntime();
      return new Options(false, Long.MAX_VALUE, machine.maxMemory() / 2, machine.availableProcessors(), 0);
    }

    public Options withCheck(boolean on) {
      return new Options(on, maxSteps, maxBytes, threads, seed);
    }

    public Options withMaxSteps(long n) {
      return new Options(check, n, maxBytes, threads, seed);
    }

    public Options withMaxBytes(long n) {
      return new Options(check, maxSteps, n, threads, seed);
    }

    public Options withThreads(int n) {
      return new Options(check, maxSteps, maxBytes, n, seed);
    }

    public Options withSeed(long s) {
      return new Options(check, maxSteps, maxBytes, threads, s);
    }
  }

  /**
   * Where a kernel's phases run. A real device is handed the temps and launches of an outlined kernel; the interpreter
   * then only computes sizes, strides and grids.
   */
  public interface Device {
    /** Scratch memory for {@code count} elements that lives until the kernel has ended. */
    Buffer temp(Inst inst, Element element, long count);

    /** So many i32 that are 0 now, for launches to count with; each leaves them at 0. */
    Buffer counter(Inst inst, long count);

    /** Runs {@code callee} for block numbers 0 … grid − 1, after everything launched before. */
    void launch(Inst inst, Func callee, long grid, List<Datum> arguments);
  }

  private final Options options;
  private final Budget budget;

  public Interpreter(Options options) {
    this.options = options;
    this.budget = new Budget(options.maxSteps(), options.maxBytes());
  }

  /** Runs the module's kernel with one datum for each parameter: buffers for pointers, scalar tiles for the rest. */
  public void run(Module module, List<Datum> arguments) {
    Machine machine = new Machine(options, budget, module);
    machine.run(arguments, machine.host());
  }

  /** Runs the module's kernel with its phases on another device. The module must be outlined. */
  public void run(Module module, List<Datum> arguments, Device device) {
    new Machine(options, budget, module).run(arguments, device);
  }

  /** A place for the values of instructions that are evaluated one at a time. */
  public Session session() {
    return new Session(new Machine(options, budget, new Module()), new Frame(null, budget));
  }

  /** Eager evaluation: instructions are run as they are made, and their values can be read at once. */
  public static final class Session implements AutoCloseable {
    private final Machine machine;
    private final Frame frame;

    private Session(Machine machine, Frame frame) {
      this.machine = machine;
      this.frame = frame;
    }

    public Frame frame() {
      return frame;
    }

    /** Bytes that tiles may still take. */
    public long bytesLeft() {
      return machine.budget().left();
    }

    /**
     * Counts a statement that is carried out without an instruction.
     *
     * @throws DiagnosticException if it is one too many, or the thread was interrupted
     */
    public void step(Span statement) {
      machine.budget().step(statement);
    }

    /** Runs one instruction, whose operands have values in the frame; its results have values after. */
    public void evaluate(Inst inst) {
      machine.evaluate(inst, frame);
    }

    /** Runs a region whose parameters have values in the frame, and gives what it yields. */
    public List<Datum> evaluate(Region region) {
      return machine.evaluate(region, frame);
    }

    @Override
    public void close() {
      frame.close();
    }
  }

  /** Memory for a tensor, zeroed, released when nothing refers to it. */
  static Buffer allocate(Element element, long count) {
    long bytes = element.bytes(count);
    return Buffer.of(element, Arena.ofAuto().allocate(Math.max(bytes, 1), 64).asSlice(0, bytes));
  }
}
