package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Trees as text: everything but the spans, so that trees of differently laid out texts can be compared. */
public final class Dump {
  private Dump() {}

  /** The tree with a node's name and parts in parentheses: {@code (Ref x)}. */
  public static String tree(Object node) {
    return switch (node) {
      case Name name -> name.text();
      case String text -> "\"" + text + "\"";
      case Optional<?> part -> part.map(Dump::tree).orElse("-");
      case List<?> list -> list.stream().map(Dump::tree).toList().toString();
      case Record r -> record(r);
      default -> String.valueOf(node);
    };
  }

  private static String record(Record r) {
    List<String> parts = new ArrayList<>();
    parts.add(r.getClass().getSimpleName());
    for (RecordComponent c : r.getClass().getRecordComponents()) {
      if (c.getType() != Span.class) {
        try {
          parts.add(tree(c.getAccessor().invoke(r)));
        } catch (ReflectiveOperationException e) {
          throw new IllegalStateException(e);
        }
      }
    }
    return "(" + String.join(" ", parts) + ")";
  }

  /** An expression with every operator in brackets, so that the nesting shows: {@code {a + {b * c}}}. */
  public static String nesting(Expr e) {
    return switch (e) {
      case Expr.IntLit i -> i.value().toString();
      case Expr.FloatLit f -> String.valueOf(f.value());
      case Expr.BoolLit b -> String.valueOf(b.value());
      case Expr.StringLit s -> "\"" + s.value() + "\"";
      case Expr.Ref r -> r.name().text();
      case Expr.Call c -> c.name() + "(" + list(c.args().stream().map(Dump::arg).toList()) + ")";
      case Expr.Member m -> "{" + nesting(m.base()) + "." + m.name() + "}";
      case Expr.At a -> "{" + nesting(a.base()) + "[" + list(a.indices().stream().map(Dump::index).toList()) + "]}";
      case Expr.Pad p -> "{" + nesting(p.load()) + " pad " + nesting(p.value()) + "}";
      case Expr.Unary u -> "{" + u.op().text() + " " + nesting(u.operand()) + "}";
      case Expr.Binary b -> "{" + nesting(b.left()) + " " + b.op().text() + " " + nesting(b.right()) + "}";
      case Expr.Cast c -> "{" + nesting(c.value()) + " as " + c.type() + (c.wrap() ? " wrap}" : "}");
      case Expr.Choose c ->
          "{if " + nesting(c.condition()) + " then " + nesting(c.yes()) + " else " + nesting(c.no()) + "}";
      case Expr.Paren p -> "(" + nesting(p.inner()) + ")";
      case Expr.Tuple t -> "(" + list(t.elements().stream().map(Dump::nesting).toList()) + ")";
      case Expr.ListOf l -> "[" + list(l.elements().stream().map(Dump::nesting).toList()) + "]";
    };
  }

  private static String arg(Expr.Arg arg) {
    return arg.name().map(n -> n + " = ").orElse("") + nesting(arg.value());
  }

  private static String index(Index index) {
    return switch (index) {
      case Index.NewAxis _ -> "_";
      case Index.At at -> nesting(at.value());
      case Index.Slice s -> s.low().map(Dump::nesting).orElse("") + ":" + s.high().map(Dump::nesting).orElse("");
    };
  }

  private static String list(List<String> parts) {
    return String.join(", ", parts);
  }
}
