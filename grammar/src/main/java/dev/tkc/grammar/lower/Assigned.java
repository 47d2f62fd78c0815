package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Block;
import dev.tkc.grammar.syntax.Domain;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Stmt;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Which variables of the blocks around it a piece of code assigns: what a loop carries and a branch gives back. */
final class Assigned {
  private Assigned() {}

  /** The variables among the assigned names, in the order of first assignment. */
  static List<Scope.Entry> entries(Scope scope, List<Block> blocks) {
    Set<String> names = new LinkedHashSet<>();
    blocks.forEach(b -> names(b.statements(), new HashSet<>(), names));
    List<Scope.Entry> out = new ArrayList<>();
    for (String name : names) {
      Scope.Entry e = scope.find(name);
      if (e != null && e.isVariable() && !e.val().failed()) {
        out.add(e);
      }
    }
    return out;
  }

  private static void names(List<Stmt> statements, Set<String> local, Set<String> out) {
    for (Stmt s : statements) {
      switch (s) {
        case Stmt.Let x -> declare(x.names(), local);
        case Stmt.Var x -> declare(x.names(), local);
        case Stmt.Temp x -> local.add(x.name().text());
        case Stmt.Assign x -> x.places().stream().map(p -> p.name().text()).filter(n -> !local.contains(n))
            .forEach(out::add);
        case Stmt.For x -> {
          Set<String> inner = new HashSet<>(local);
          x.domains().stream().map(Domain::names).forEach(n -> declare(n, inner));
          names(x.body().statements(), inner, out);
        }
        case Stmt.Parallel x -> {
          Set<String> inner = new HashSet<>(local);
          x.domains().stream().map(Domain::names).forEach(n -> declare(n, inner));
          names(x.body().statements(), inner, out);
        }
        case Stmt.If x -> {
          x.branches().forEach(b -> names(b.body().statements(), new HashSet<>(local), out));
          x.otherwise().ifPresent(b -> names(b.statements(), new HashSet<>(local), out));
        }
        case Stmt.Run _, Stmt.Return _, Stmt.Assert _, Stmt.Expect _, Stmt.ExpectClose _ -> { }
      }
    }
  }

  private static void declare(List<Name> names, Set<String> local) {
    names.forEach(n -> local.add(n.text()));
  }

  /** Whether a {@code return} stands anywhere inside. */
  static boolean returns(List<Stmt> statements) {
    return statements.stream().anyMatch(s -> switch (s) {
      case Stmt.Return _ -> true;
      case Stmt.If x -> x.branches().stream().anyMatch(b -> returns(b.body().statements()))
          || x.otherwise().map(b -> returns(b.statements())).orElse(false);
      case Stmt.For x -> returns(x.body().statements());
      case Stmt.Parallel x -> returns(x.body().statements());
      case Stmt.Let _, Stmt.Var _, Stmt.Temp _, Stmt.Assign _, Stmt.Run _, Stmt.Assert _, Stmt.Expect _,
          Stmt.ExpectClose _ -> false;
    });
  }
}
