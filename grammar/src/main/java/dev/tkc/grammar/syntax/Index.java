package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.Optional;

/** One entry between the brackets of an access. */
public sealed interface Index extends Node {
  /** {@code _}: a new dimension of size 1. */
  record NewAxis(Span span) implements Index {}

  /** An integer, a range or an index tile; which of them is the checker's to find. */
  record At(Expr value) implements Index {
    @Override
    public Span span() {
      return value.span();
    }
  }

  /** {@code low:high}, either side left out; {@code :} alone is the whole dimension. */
  record Slice(Optional<Expr> low, Optional<Expr> high, Span span) implements Index {
    public boolean isWhole() {
      return low.isEmpty() && high.isEmpty();
    }
  }
}
