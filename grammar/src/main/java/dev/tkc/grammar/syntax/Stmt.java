package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;
import java.util.Optional;

/** A statement. Lists of names and of values may differ in length: one call can give several results. */
public sealed interface Stmt extends Node {
  /** {@code let names = values}. */
  record Let(List<Name> names, List<Expr> values, Span span) implements Stmt {
    public Let {
      names = List.copyOf(names);
      values = List.copyOf(values);
    }
  }

  /** {@code var names: type = values}. */
  record Var(List<Name> names, Optional<TypeExpr> type, List<Expr> values, Span span) implements Stmt {
    public Var {
      names = List.copyOf(names);
      values = List.copyOf(values);
    }
  }

  /** {@code temp name: type}. */
  record Temp(Name name, TypeExpr type, Span span) implements Stmt {}

  /** {@code places op values}; {@code opSpan} is the operator's. */
  record Assign(List<Place> places, AssignOp op, Span opSpan, List<Expr> values, Span span) implements Stmt {
    public Assign {
      places = List.copyOf(places);
      values = List.copyOf(values);
    }
  }

  /** A call that stands alone: a kernel. */
  record Run(Expr.Call call, Span span) implements Stmt {}

  /** {@code label: parallel domains body}. */
  record Parallel(Optional<Name> label, List<Domain> domains, Block body, Span span) implements Stmt {
    public Parallel {
      domains = List.copyOf(domains);
    }
  }

  /** {@code for domains body}; several domains nest, the last innermost. */
  record For(List<Domain> domains, Block body, Span span) implements Stmt {
    public For {
      domains = List.copyOf(domains);
    }
  }

  /** {@code if … else if … else …}; there is at least one branch. */
  record If(List<Branch> branches, Optional<Block> otherwise, Span span) implements Stmt {
    public If {
      branches = List.copyOf(branches);
    }
  }

  /** {@code return values}. */
  record Return(List<Expr> values, Span span) implements Stmt {
    public Return {
      values = List.copyOf(values);
    }
  }

  /** {@code assert condition, "message"}. */
  record Assert(Expr condition, Optional<String> message, Span span) implements Stmt {}

  /** {@code expect claim}: exact. */
  record Expect(Expr claim, Span span) implements Stmt {}

  /** {@code expect actual ~ expected within rel relative abs absolute}. */
  record ExpectClose(Expr actual, Expr expected, Expr relative, Optional<Expr> absolute, Span span) implements Stmt {}

  /** A condition and what it guards. */
  record Branch(Expr condition, Block body) {}

  /** What an assignment writes: a variable or part of a tensor ({@code indices} empty: the whole), or {@code _}. */
  record Place(Name name, List<Index> indices, Span span) {
    public Place {
      indices = List.copyOf(indices);
    }
  }

  /** How an assignment combines the old value with the new one. */
  enum AssignOp {
    SET("="),
    ADD("+="),
    SUB("-="),
    MUL("*="),
    DIV("/="),
    MIN("min="),
    MAX("max=");

    private final String text;

    AssignOp(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }
}
