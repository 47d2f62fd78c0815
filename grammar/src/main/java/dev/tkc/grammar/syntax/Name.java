package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;

/** A word used as a name, where it stands; {@code _} in a list of bindings is the name that binds nothing. */
public record Name(String text, Span span) implements Node {
  public boolean isDiscard() {
    return text.equals("_");
  }

  @Override
  public String toString() {
    return text;
  }
}
