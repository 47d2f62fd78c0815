package dev.tkc.grammar.syntax;

import org.antlr.v4.runtime.Token;

/** Ends reading: the text nests deeper than a tree may be. Never leaves this package. */
final class TooDeep extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Token at;

  TooDeep(Token at) {
    super("nested too deeply", null, false, false);
    this.at = at;
  }

  Token at() {
    return at;
  }
}
