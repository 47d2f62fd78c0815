package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;

/** A line of a schedule; {@code name} is what it sets. */
public sealed interface Setting extends Node {
  Name name();

  /** {@code name = value}. */
  record Plain(Name name, Expr value, Span span) implements Setting {}

  /** {@code name = {choice, choice}}: a search space; an untuned one takes its first choice. */
  record Search(Name name, List<Expr> choices, Span span) implements Setting {
    public Search {
      choices = List.copyOf(choices);
    }
  }

  /** {@code name role = value, role = value}. */
  record Roles(Name name, List<Role> roles, Span span) implements Setting {
    public Roles {
      roles = List.copyOf(roles);
    }
  }

  /** {@code label { settings }}: settings of one labelled phase. */
  record Phase(Name name, List<Setting> settings, Span span) implements Setting {
    public Phase {
      settings = List.copyOf(settings);
    }
  }

  /** {@code name = value} within {@link Roles}. */
  record Role(Name name, Expr value) {}
}
