package dev.tkc.ir.rules;

/** An op's operands or attributes break its type rule. The message names the op and what does not fit. */
public final class TypeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TypeException(String message) {
    super(message);
  }
}
