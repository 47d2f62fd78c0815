package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;

/**
 * An expression as written. Operators nest by the precedences of the grammar; comparisons may nest to the left without
 * parentheses, which the checker refuses (with parentheses there is a {@link Paren} between).
 */
public sealed interface Expr extends Node {
  /** An integer literal, 0 … 2⁶⁴ − 1. */
  record IntLit(BigInteger value, Span span) implements Expr {}

  /** A decimal literal; finite. */
  record FloatLit(double value, Span span) implements Expr {}

  record BoolLit(boolean value, Span span) implements Expr {}

  /** A text, escapes resolved. */
  record StringLit(String value, Span span) implements Expr {}

  /** A name that stands for a value. */
  record Ref(Name name, Span span) implements Expr {}

  /** {@code name(args)}. */
  record Call(Name name, List<Arg> args, Span span) implements Expr {
    public Call {
      args = List.copyOf(args);
    }
  }

  /** {@code base.name}: a range's member, or {@code .T}. */
  record Member(Expr base, Name name, Span span) implements Expr {}

  /** {@code base[indices]}; there is at least one. */
  record At(Expr base, List<Index> indices, Span span) implements Expr {
    public At {
      indices = List.copyOf(indices);
    }
  }

  /** {@code load pad value}: the value of what lies outside. */
  record Pad(Expr load, Expr value, Span span) implements Expr {}

  record Unary(UnaryOp op, Span opSpan, Expr operand, Span span) implements Expr {}

  record Binary(BinaryOp op, Span opSpan, Expr left, Expr right, Span span) implements Expr {}

  /** {@code value as type}, {@code value as type wrap}. */
  record Cast(Expr value, Name type, boolean wrap, Span span) implements Expr {}

  /** {@code if condition then yes else no}. */
  record Choose(Expr condition, Expr yes, Expr no, Span span) implements Expr {}

  /** {@code (inner)}. */
  record Paren(Expr inner, Span span) implements Expr {}

  /** {@code (a, b)}: two or more; tests only. */
  record Tuple(List<Expr> elements, Span span) implements Expr {
    public Tuple {
      elements = List.copyOf(elements);
    }
  }

  /** {@code [a, b]}: a tensor or a list of tuples in a test, a shape or a list of axes as an argument. */
  record ListOf(List<Expr> elements, Span span) implements Expr {
    public ListOf {
      elements = List.copyOf(elements);
    }
  }

  /** An argument; by name ({@code axis = 1}, {@code fn = f}) or by position. */
  record Arg(Optional<Name> name, Expr value) {}

  /** This expression without the parentheses around it. */
  default Expr bare() {
    Expr e = this;
    while (e instanceof Paren p) {
      e = p.inner();
    }
    return e;
  }

  enum UnaryOp {
    NEG("-"),
    BIT_NOT("~"),
    NOT("not");

    private final String text;

    UnaryOp(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /** Binary operators, tight to loose. */
  enum BinaryOp {
    POW("**"),
    MUL("*"),
    DIV("/"),
    MOD("%"),
    MATMUL("@"),
    ADD("+"),
    SUB("-"),
    SHL("<<"),
    SHR(">>"),
    BIT_AND("&"),
    BIT_XOR("^"),
    BIT_OR("|"),
    EQ("=="),
    NE("!="),
    LT("<"),
    LE("<="),
    GT(">"),
    GE(">="),
    AND("and"),
    OR("or");

    private final String text;

    BinaryOp(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }

    /** {@code == != < <= > >=}, which do not chain. */
    public boolean isComparison() {
      return switch (this) {
        case EQ, NE, LT, LE, GT, GE -> true;
        case POW, MUL, DIV, MOD, MATMUL, ADD, SUB, SHL, SHR, BIT_AND, BIT_XOR, BIT_OR, AND, OR -> false;
      };
    }
  }
}
