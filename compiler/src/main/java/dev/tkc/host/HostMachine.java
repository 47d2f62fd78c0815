package dev.tkc.host;

import dev.tkc.Constants;
import dev.tkc.Kernel;
import dev.tkc.KernelModule;
import dev.tkc.Parameter;
import dev.tkc.Random;
import dev.tkc.Tensor;
import dev.tkc.grammar.lower.Host;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.interp.Frame;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Executes host code while the front end lowers it: every instruction at the top level runs as it is appended, kernels
 * run on the session's device, and {@code expect}s that do not hold end the test. The session's bound on steps holds
 * for the host code of each test by itself, on whatever device its kernels run.
 *
 * <p>A tensor of host code is a tile in the interpreter's frame; it is copied to memory of its own for a kernel, and
 * back. Elements of {@code empty} are NaN, or the pattern 0xCD in integers, and {@link Unwritten} knows them until a
 * kernel or an assignment writes them.
 */
public final class HostMachine implements Host, AutoCloseable {
  /** Is told of every comparison, which then does not end anything. */
  interface Observer {
    void compared(Comparison comparison, double relative, double absolute, Span at);
  }

  private static final byte POISON = (byte) 0xCD;

  private final KernelModule module;
  private final Interpreter.Session session;
  private final EagerBuilder builder;
  private final Memory memory;
  private final long seed;
  private Optional<Observer> observer = Optional.empty();
  private final Unwritten unwritten;
  private int launches;
  private int comparisons;
  private double largestError;
  private double largestRelative;

  public HostMachine(KernelModule module) {
    this(module, 0);
  }

  /** {@code seed} shifts the seed of every random tensor. */
  HostMachine(KernelModule module, long seed) {
    this.module = module;
    this.seed = seed;
    this.session = new Interpreter(
        Interpreter.Options.defaults().withMaxSteps(module.session().options().maxSteps())).session();
    this.unwritten = new Unwritten(session);
    this.builder = new EagerBuilder(session, unwritten);
    this.memory = new Memory(session);
  }

  void observe(Observer by) {
    observer = Optional.of(by);
  }

  public Builder builder() {
    return builder;
  }

  int launches() {
    return launches;
  }

  int comparisons() {
    return comparisons;
  }

  /** The largest difference between finite numbers that a comparison found. */
  double largestError() {
    return largestError;
  }

  double largestRelative() {
    return largestRelative;
  }

  private Frame frame() {
    return session.frame();
  }

  @Override
  public void step(Span at) {
    session.step(at);
  }

  @Override
  public Optional<Literal> known(Value scalar) {
    if (builder.isNested()) {
      return Optional.empty();
    }
    unwritten.requireWritten(scalar, scalar.definition() instanceof Inst inst ? inst.loc().span() : Optional.empty());
    return Optional.of(literal(frame().tile(scalar)));
  }

  private static Literal literal(Tile t) {
    return switch (t.element().kind()) {
      case BOOL -> Literal.of(t.asBool());
      case SIGNED, UNSIGNED -> new Literal(t.element(), t.asLong());
      case FLOAT -> Literal.of(t.element(), t.asDouble(0));
    };
  }

  /** A value that is no instruction's result, with its contents. */
  public Value define(Tensor tensor) {
    int[] shape = Arrays.stream(tensor.shape()).mapToInt(Math::toIntExact).toArray();
    Value value = new Value(TileType.of(tensor.element(), shape));
    frame().put(value, Tile.read(tensor.element(), value.tile().shape(), tensor.data()));
    return value;
  }

  /** The contents of a value in memory of its own, which knows which of its elements nothing has written. */
  public Tensor tensor(Value value) {
    Tile tile = frame().tile(value);
    Tensor tensor = Tensor.zeros(tile.element(), tile.shape().stream().mapToLong(Integer::longValue).toArray());
    tile.write(tensor.data());
    tensor.markUnwritten(unwritten.of(value));
    return tensor;
  }

  @Override
  public Value make(Fill fill, TileType type, long own, long lo, long hi, Span at) {
    memory.require(List.of(type), List.of(type), type + " of " + type.count() + " elements", at);
    long[] shape = type.shape().stream().mapToLong(Integer::longValue).toArray();
    Value made = define(
        switch (fill) {
          case RANDN -> Random.normal(own + seed, type.element(), shape);
          case RAND -> Random.uniform(own + seed, type.element(), shape);
          case RANDINT -> Random.integers(own + seed, lo, hi, type.element(), shape);
          case EMPTY -> poisoned(type.element(), shape);
        });
    if (fill == Fill.EMPTY) {
      unwritten.made(made, at);
    }
    return made;
  }

  private static Tensor poisoned(Element element, long[] shape) {
    Tensor tensor = Tensor.zeros(element, shape);
    tensor.data().fill(POISON);
    if (element.isFloat() && !element.isStorageOnly()) {
      for (long i = 0; i < tensor.count(); i++) {
        tensor.setNumber(i, Double.NaN);
      }
    }
    return tensor;
  }

  @Override
  public Value literal(TileType type, List<Literal> elements) {
    Tensor tensor = Tensor.zeros(type.element(), type.shape().stream().mapToLong(Integer::longValue).toArray());
    for (int i = 0; i < elements.size(); i++) {
      if (type.element().isFloat()) {
        tensor.setNumber(i, elements.get(i).asDouble());
      } else {
        tensor.setInteger(i, elements.get(i).bits());
      }
    }
    return define(tensor);
  }

  @Override
  public Value patch(Value value, List<Integer> offsets, Value part, Span at) {
    memory.require(List.of(value.tile(), part.tile()), List.of(value.tile()), "a copy of " + value.tile(), at);
    Tensor whole = tensor(value);
    Tensor block = tensor(part);
    long[] shape = whole.shape();
    long[] extent = block.shape();
    long[] index = new long[extent.length];
    BitSet left = unwritten.of(value);
    BitSet inPart = unwritten.of(part);
    for (long from = 0; from < block.count(); from++) {
      long to = 0;
      for (int d = 0; d < index.length; d++) {
        to = to * shape[d] + offsets.get(d) + index[d];
      }
      whole.setBits(to, block.bits(from));
      left.set(Math.toIntExact(to), inPart.get(Math.toIntExact(from)));
      for (int d = index.length - 1; d >= 0 && ++index[d] == extent[d]; d--) {
        index[d] = 0;
      }
    }
    Value patched = define(whole);
    unwritten.left(List.of(value, part), patched, left);
    return patched;
  }

  @Override
  public List<Optional<Value>> call(
      Item.Kernel item, List<HostArgument> arguments, Map<String, Object> constants, Span at) {
    Kernel kernel = module.kernel(item.name().text());
    requireArguments(kernel, arguments, at);
    List<Object> given = new ArrayList<>();
    for (HostArgument argument : arguments) {
      given.add(
          switch (argument) {
            case HostArgument.TensorArgument t -> tensor(t.value());
            case HostArgument.ScalarArgument s -> number(s.value());
          });
    }
    try {
      kernel.launch(new Constants(constants), given.toArray());
      launches++;
    } catch (DiagnosticException e) {
      throw new DiagnosticException(e.diagnostics().stream().map(d -> d.label(at, "launched here")).toList());
    }
    List<Optional<Value>> results = new ArrayList<>();
    List<Parameter> parameters = kernel.parameters();
    for (int i = 0; i < given.size(); i++) {
      results.add(parameters.get(i).isWritten() && given.get(i) instanceof Tensor t
          && arguments.get(i) instanceof HostArgument.TensorArgument before
          ? Optional.of(written(before.value(), t)) : Optional.empty());
    }
    return results;
  }

  /** What a kernel made of a value; a checked run knows what it left unwritten. */
  private Value written(Value before, Tensor after) {
    Value value = define(after);
    BitSet left = unwritten.of(before);
    if (!left.isEmpty()) {
      left.and(after.unwritten());
    }
    unwritten.left(List.of(before), value, left);
    return value;
  }

  /** Copies of all tensors, and new values for those that the kernel writes. */
  private void requireArguments(Kernel kernel, List<HostArgument> arguments, Span at) {
    List<TileType> all = new ArrayList<>();
    List<TileType> written = new ArrayList<>();
    for (int i = 0; i < arguments.size(); i++) {
      if (arguments.get(i) instanceof HostArgument.TensorArgument t) {
        all.add(t.value().tile());
        if (kernel.parameters().get(i).isWritten()) {
          written.add(t.value().tile());
        }
      }
    }
    memory.require(all, written, "the arguments of `" + kernel.name() + "`", at);
  }

  private static Object number(Literal literal) {
    return switch (literal.element().kind()) {
      case BOOL -> literal.asBool();
      case SIGNED, UNSIGNED -> literal.bits();
      case FLOAT -> literal.asDouble();
    };
  }

  @Override
  public void expectEqual(Value a, Value b, Span at) {
    requireWritten(at, a, b);
    Tile x = frame().tile(a);
    Tile y = frame().tile(b);
    // Integers beyond 2⁵³ are compared as they are; how far they are apart is told in floating point.
    Comparison c = Comparison.exact(x.count(), i -> x.asDouble((int) i), i -> y.asDouble((int) i));
    note(c);
    c = x.element().isInteger()
        ? Comparison.exact(x.count(), i -> x.asLong((int) i) == y.asLong((int) i) ? 0 : 1, _ -> 0) : c;
    if (!seen(c, 0, 0, at) && !c.holds()) {
      throw new DiagnosticException(Findings.notEqual(x, y, c, at));
    }
  }

  @Override
  public void expectTrue(Value condition, String message, Span at) {
    requireWritten(at, condition);
    Tile t = frame().tile(condition);
    comparisons++;
    if (seen(Comparison.exact(t.count(), i -> t.asBool((int) i) ? 1 : 0, _ -> 1), 0, 0, at)) {
      return;
    }
    for (int i = 0; i < t.count(); i++) {
      if (!t.asBool(i)) {
        throw new DiagnosticException(Findings.notTrue(t, i, message, at));
      }
    }
  }

  @Override
  public void expectClose(Value actual, Value expected, double rel, double abs, Span at) {
    requireWritten(at, actual, expected);
    Comparison c = compare(actual, expected, rel, abs);
    note(c);
    if (!seen(c, rel, abs, at) && !c.holds()) {
      throw new DiagnosticException(Findings.notClose(frame().tile(actual), frame().tile(expected), c, rel, abs, at));
    }
  }

  private void requireWritten(Span at, Value... compared) {
    for (Value v : compared) {
      unwritten.requireWritten(v, Optional.of(at));
    }
  }

  private boolean seen(Comparison c, double rel, double abs, Span at) {
    observer.ifPresent(o -> o.compared(c, rel, abs, at));
    return observer.isPresent();
  }

  private void note(Comparison c) {
    comparisons++;
    largestError = Math.max(largestError, c.largestError());
    largestRelative = Math.max(largestRelative, c.largestRelative());
  }

  Comparison compare(Value actual, Value expected, double rel, double abs) {
    Tile x = frame().tile(actual);
    Tile y = frame().tile(expected);
    return Comparison.close(x.count(), i -> x.asDouble((int) i), i -> y.asDouble((int) i), rel, abs);
  }

  @Override
  public void close() {
    session.close();
  }
}
