package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Item;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.TileType;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What runs host code as it is lowered. Its builder executes each instruction appended at the top level at once;
 * regions are executed with the instruction that holds them.
 */
public interface Host {
  /** The value of a scalar if it has been computed; empty for one inside a region that is still being built. */
  Optional<Literal> known(Value scalar);

  /** Counts a statement, or a round of a loop, that is about to be carried out; does not return if it may not be. */
  void step(Span at);

  /** The tensors that only a test makes. */
  enum Fill {
    /** Normally distributed, from a seed. */
    RANDN,
    /** Uniform in [0, 1), from a seed. */
    RAND,
    /** Integers from lo up to hi, excluded, from a seed. */
    RANDINT,
    /** Poisoned. */
    EMPTY
  }

  /** A new tensor; {@code seed}, {@code lo} and {@code hi} are 0 where the kind has no use for them. */
  Value make(Fill fill, TileType type, long seed, long lo, long hi, Span at);

  /** A tensor of the given elements in row-major order. */
  Value literal(TileType type, List<Literal> elements);

  /** {@code tensor} with the block at {@code offsets} replaced by {@code part}, which has the same rank. */
  Value patch(Value tensor, List<Integer> offsets, Value part, Span at);

  /** An argument of a kernel. */
  sealed interface HostArgument {
    record TensorArgument(Value value) implements HostArgument {}

    /** A number ({@code i64} or a float type) or truth value. */
    record ScalarArgument(Literal value) implements HostArgument {}
  }

  /**
   * Runs a kernel.
   *
   * @param arguments in the order of its parameters
   * @param constants those given at the call: {@code Long}, {@code Double} or {@code Boolean}
   * @return for each parameter the tensor's new contents if the kernel writes it
   */
  List<Optional<Value>> call(Item.Kernel kernel, List<HostArgument> arguments, Map<String, Object> constants, Span at);

  /** {@code expect a == b}; both have one type. */
  void expectEqual(Value a, Value b, Span at);

  /** {@code expect condition}, and {@code assert}; {@code message} is what to say where it does not hold. */
  void expectTrue(Value condition, String message, Span at);

  /** {@code expect actual ~ expected within rel … abs …}; both have one shape. */
  void expectClose(Value actual, Value expected, double rel, double abs, Span at);
}
