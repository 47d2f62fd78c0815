package dev.tkc.launch;

import dev.tkc.grammar.syntax.Expr;
import java.util.LinkedHashSet;
import java.util.Set;

/** The names that an expression of a kernel's head uses, in order. */
final class Names {
  private Names() {}

  static Set<String> in(Expr expr) {
    Set<String> names = new LinkedHashSet<>();
    collect(expr, names);
    return names;
  }

  private static void collect(Expr expr, Set<String> names) {
    switch (expr) {
      case Expr.Ref ref -> names.add(ref.name().text());
      case Expr.Paren paren -> collect(paren.inner(), names);
      case Expr.Unary unary -> collect(unary.operand(), names);
      case Expr.Binary binary -> {
        collect(binary.left(), names);
        collect(binary.right(), names);
      }
      case Expr.Choose choose -> {
        collect(choose.condition(), names);
        collect(choose.yes(), names);
        collect(choose.no(), names);
      }
      case Expr.Call call -> call.args().forEach(a -> collect(a.value(), names));
      case Expr.IntLit _, Expr.FloatLit _, Expr.BoolLit _, Expr.StringLit _, Expr.Member _, Expr.At _, Expr.Pad _ -> { }
      case Expr.Cast cast -> collect(cast.value(), names);
      case Expr.Tuple tuple -> tuple.elements().forEach(e -> collect(e, names));
      case Expr.ListOf list -> list.elements().forEach(e -> collect(e, names));
    }
  }
}
