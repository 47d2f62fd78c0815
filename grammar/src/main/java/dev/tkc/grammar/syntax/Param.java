package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;

/** A parameter of a kernel or function; {@code strides} is empty for a contiguous tensor. */
public record Param(Mode mode, Name name, TypeExpr type, List<Expr> strides, Span span) implements Node {
  public enum Mode {
    /** Read only. */
    IN,
    /** Poisoned at entry, must be written completely. */
    OUT,
    /** Read and written. */
    INOUT
  }

  public Param {
    strides = List.copyOf(strides);
  }
}
