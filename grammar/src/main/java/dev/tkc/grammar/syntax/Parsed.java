package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Diagnostic;
import java.util.List;

/**
 * What reading a text gave: a tree, and what was wrong. With errors the tree holds what could be read; every statement
 * or item that holds an error is missing from it, so names may be missing too.
 */
public record Parsed(Program program, List<Diagnostic> diagnostics) {
  public Parsed {
    diagnostics = List.copyOf(diagnostics);
  }

  public boolean ok() {
    return diagnostics.stream().noneMatch(Diagnostic::isError);
  }
}
