package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.List;

/** One file: its items in the order they are written. Items with a syntax error in their head are left out. */
public record Program(List<Item> items, Span span) implements Node {
  public Program {
    items = List.copyOf(items);
  }
}
