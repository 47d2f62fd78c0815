package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;

/** Anything of the syntax tree that has a place in the text. */
public sealed interface Node permits Program, Item, Param, Constant, Setting, Block, Stmt, Domain, TypeExpr, Expr,
    Index, Name {
  Span span();
}
