package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;
import java.util.Optional;

/**
 * What stands at the top of a file.
 *
 * <p>{@code doc} is the text of the {@code ///} lines before the item, without the slashes and one space after them,
 * lines joined by {@code \n}; empty if there are none. {@code span} begins at the item's first word, not at its doc
 * comment.
 */
public sealed interface Item extends Node {
  String doc();

  /** {@code import "file.tk"}. */
  record Import(String path, Span pathSpan, String doc, Span span) implements Item {}

  /** {@code const name: type = value}. */
  record Const(Name name, Optional<TypeExpr> type, Expr value, String doc, Span span) implements Item {}

  /** {@code fn name(params) -> results where fact body}; {@code results} is empty when they are to be inferred. */
  record Fn(
      Name name, List<Param> params, List<TypeExpr> results, Optional<Expr> where, Block body, String doc, Span span)
      implements Item {
    public Fn {
      params = List.copyOf(params);
      results = List.copyOf(results);
    }
  }

  /** {@code [deterministic] kernel name<constants>(params) where fact body}. */
  record Kernel(
      boolean deterministic,
      Name name,
      List<Constant> constants,
      List<Param> params,
      Optional<Expr> where,
      Block body,
      String doc,
      Span span)
      implements Item {
    public Kernel {
      constants = List.copyOf(constants);
      params = List.copyOf(params);
    }
  }

  /** {@code schedule kernel for target where fact { settings }}. */
  record Schedule(Name kernel, Name target, Optional<Expr> where, List<Setting> settings, String doc, Span span)
      implements Item {
    public Schedule {
      settings = List.copyOf(settings);
    }
  }

  /** {@code test "title" body}. */
  record Test(String title, Span titleSpan, Block body, String doc, Span span) implements Item {}
}
