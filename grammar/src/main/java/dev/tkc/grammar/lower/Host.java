package dev.tkc.grammar.lower;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.TileType;
import java.util.List;
import java.util.Optional;

/**
 * What runs host code as it is lowered. Its builder executes each instruction appended at the top level at once; regions
 * are executed with the instruction that holds them.
 */
public interface Host {
  /** The value of a scalar if it has been computed; empty for one inside a region that is still being built. */
  Optional<Literal> known(Value scalar);

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
  Value make(Fill fill, TileType type, long seed, long lo, long hi);

  /** A tensor of the given elements in row-major order. */
  Value literal(TileType type, List<Literal> elements);
}
