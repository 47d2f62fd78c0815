package dev.tkc.grammar.lower;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The diagnostics of one run, each place and code once: a function lowered for two callers reports its error once. */
final class Findings {
  private record Key(Code code, Span span) {}

  private final List<Diagnostic> list = new ArrayList<>();
  private final Set<Key> seen = new HashSet<>();

  void add(Diagnostic d) {
    Span at = d.labels().isEmpty() ? null : d.labels().get(0).span();
    if (at == null || seen.add(new Key(d.code(), at))) {
      list.add(d);
    }
  }

  List<Diagnostic> list() {
    return List.copyOf(list);
  }

  boolean hasErrors() {
    return list.stream().anyMatch(Diagnostic::isError);
  }

  int errors() {
    return (int) list.stream().filter(Diagnostic::isError).count();
  }
}
