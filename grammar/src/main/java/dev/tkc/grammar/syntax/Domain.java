package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;
import java.util.Optional;

/**
 * {@code names in low..high by step reversed}. Without {@code by} the name is an integer, and {@code high} alone may
 * also be a list or tensor in a test; several names take a list of tuples apart.
 */
public record Domain(
    List<Name> names, Optional<Expr> low, Expr high, Optional<Expr> step, boolean reversed, Span span) implements Node {
  public Domain {
    names = List.copyOf(names);
  }
}
