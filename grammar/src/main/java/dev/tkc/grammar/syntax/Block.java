package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;

/** Statements between braces; the span covers the braces. */
public record Block(List<Stmt> statements, Span span) implements Node {
  public Block {
    statements = List.copyOf(statements);
  }
}
