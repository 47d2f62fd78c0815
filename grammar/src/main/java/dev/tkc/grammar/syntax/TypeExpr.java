package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;

/** A type as written: an element name, and what its brackets hold. */
public sealed interface TypeExpr extends Node {
  Name element();

  /** {@code f32}, without brackets. */
  record Scalar(Name element, Span span) implements TypeExpr {}

  /** {@code f32[M, N]}; there is at least one dimension. */
  record Shaped(Name element, List<Expr> dims, Span span) implements TypeExpr {
    public Shaped {
      dims = List.copyOf(dims);
    }
  }

  /** {@code T[...]}, any rank. */
  record AnyRank(Name element, Span span) implements TypeExpr {}
}
