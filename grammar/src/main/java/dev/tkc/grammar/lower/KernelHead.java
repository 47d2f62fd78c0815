package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The names in a kernel's head.
 *
 * @param dims run-time dimensions: names in tensor types that are neither constants, {@code const} items nor scalar
 *     parameters, in order of first appearance
 * @param strides run-time strides, likewise
 */
public record KernelHead(Item.Kernel kernel, List<String> dims, List<String> strides) {

  public static KernelHead of(Item.Kernel kernel, Library library) {
    Set<String> taken = new HashSet<>();
    kernel.constants().forEach(c -> taken.add(c.name().text()));
    kernel.params().stream().filter(p -> p.type() instanceof TypeExpr.Scalar).forEach(p -> taken.add(p.name().text()));
    Set<String> dims = new LinkedHashSet<>();
    for (Param p : kernel.params()) {
      if (p.type() instanceof TypeExpr.Shaped s) {
        s.dims().forEach(d -> names(d).forEach(n -> take(n.text(), taken, library, dims)));
      }
    }
    taken.addAll(dims);
    Set<String> strides = new LinkedHashSet<>();
    kernel.params()
        .forEach(p -> p.strides().forEach(s -> names(s).forEach(n -> take(n.text(), taken, library, strides))));
    return new KernelHead(kernel, List.copyOf(dims), List.copyOf(strides));
  }

  private static void take(String name, Set<String> taken, Library library, Set<String> out) {
    if (!taken.contains(name) && library.constant(name).isEmpty()) {
      out.add(name);
    }
  }

  /** The names that an expression uses as values, in order. */
  static List<Name> names(Expr expr) {
    List<Name> out = new ArrayList<>();
    collect(expr, out);
    return out;
  }

  private static void collect(Expr expr, List<Name> out) {
    switch (expr) {
      case Expr.Ref r -> out.add(r.name());
      case Expr.Paren p -> collect(p.inner(), out);
      case Expr.Unary u -> collect(u.operand(), out);
      case Expr.Binary b -> {
        collect(b.left(), out);
        collect(b.right(), out);
      }
      case Expr.Choose c -> {
        collect(c.condition(), out);
        collect(c.yes(), out);
        collect(c.no(), out);
      }
      case Expr.Call c -> c.args().forEach(a -> collect(a.value(), out));
      case Expr.Cast c -> collect(c.value(), out);
      case Expr.Member m -> collect(m.base(), out);
      case Expr.At a -> collect(a.base(), out);
      case Expr.Pad p -> collect(p.load(), out);
      case Expr.Tuple t -> t.elements().forEach(e -> collect(e, out));
      case Expr.ListOf t -> t.elements().forEach(e -> collect(e, out));
      case Expr.IntLit _, Expr.FloatLit _, Expr.BoolLit _, Expr.StringLit _ -> { }
    }
  }

  /** The names that some tensor binds: a dimension is just the name, or the name plus or minus a literal. */
  Set<String> bound() {
    Set<String> out = new HashSet<>();
    for (Param p : kernel.params()) {
      if (p.type() instanceof TypeExpr.Shaped s) {
        s.dims().forEach(d -> bindable(d).ifPresent(n -> out.add(n.text())));
      }
    }
    return out;
  }

  static Optional<Name> bindable(Expr dim) {
    return switch (dim.bare()) {
      case Expr.Ref r -> Optional.of(r.name());
      case Expr.Binary b when b.op() == Expr.BinaryOp.ADD || b.op() == Expr.BinaryOp.SUB -> {
        if (b.right().bare() instanceof Expr.IntLit && b.left().bare() instanceof Expr.Ref r) {
          yield Optional.of(r.name());
        }
        boolean swapped = b.op() == Expr.BinaryOp.ADD && b.left().bare() instanceof Expr.IntLit;
        yield swapped && b.right().bare() instanceof Expr.Ref r ? Optional.of(r.name()) : Optional.empty();
      }
      case Expr.IntLit _, Expr.FloatLit _, Expr.BoolLit _, Expr.StringLit _, Expr.Call _, Expr.Member _, Expr.At _,
          Expr.Pad _, Expr.Unary _, Expr.Binary _, Expr.Cast _, Expr.Choose _, Expr.Paren _, Expr.Tuple _,
          Expr.ListOf _ -> Optional.empty();
    };
  }

  /** Reports what is wrong with the head by itself; the parameters of which nothing can be said. */
  Set<Param> check(Lowerer l) {
    Set<Param> wrong = new HashSet<>();
    Map<String, Name> seen = new LinkedHashMap<>();
    for (Constant c : kernel.constants()) {
      once(l, seen, c.name());
      c.type().filter(t -> !t.text().equals("int")).ifPresent(t -> {
        Element e = l.types.element(t);
        if (e != null && e.isStorageOnly()) {
          l.error(Code.ELEMENT_TYPE, t.span(), "a constant is a number or a truth value", "not a storage type");
        }
      });
    }
    Set<String> bound = bound();
    for (Param p : kernel.params()) {
      int before = l.findings.errors();
      Name first = once(l, seen, p.name());
      kernel.params().stream().filter(q -> q.name() == first).forEach(wrong::add);
      param(l, p, bound);
      if (l.findings.errors() > before) {
        wrong.add(p);
      }
    }
    return wrong;
  }

  /** The first of that name, after a report; null if this is the first. */
  private static Name once(Lowerer l, Map<String, Name> seen, Name name) {
    Name first = seen.putIfAbsent(name.text(), name);
    if (first != null) {
      l.error(Diagnostic.error(Code.DUPLICATE_NAME, "`" + name + "` is declared twice")
          .label(name.span(), "declared again here")
          .label(first.span(), "first declared here"));
    }
    return first;
  }

  private void param(Lowerer l, Param p, Set<String> bound) {
    boolean isInt = p.type() instanceof TypeExpr.Scalar && p.type().element().text().equals("int");
    Element e = isInt ? Element.I64 : l.types.element(p.type().element());
    switch (p.type()) {
      case TypeExpr.AnyRank a -> l.error(Diagnostic.error(Code.WRONG_KIND, "a kernel's tensors have a fixed rank")
          .label(a.span(), "any rank is for the parameters of a `fn`"));
      case TypeExpr.Scalar s -> {
        if (p.mode() != Param.Mode.IN) {
          l.error(Diagnostic.error(Code.POSITION, "a scalar parameter is read-only")
              .label(p.span(), "only tensors are `out` or `inout`")
              .help("write to a tensor of one element: `" + p.name() + ": " + s.element() + "[1]`"));
        }
        if (e != null && e.isStorageOnly()) {
          l.error(Code.ELEMENT_TYPE, s.span(), "a scalar cannot be of a storage type", "only memory holds " + e.text());
        }
      }
      case TypeExpr.Shaped s -> {
        for (Expr d : s.dims()) {
          if (d.bare() instanceof Expr.Unary u && u.op() == Expr.UnaryOp.NEG
              && u.operand().bare() instanceof Expr.IntLit) {
            l.error(Code.TILE_SIZE, d.span(), "a size cannot be negative", "this is " + d.span().text());
          }
          for (Name n : names(d)) {
            if (dims.contains(n.text()) && !bound.contains(n.text())) {
              l.error(Diagnostic.error(Code.UNBOUND, "nothing gives `" + n + "` a value")
                  .label(n.span(), "used in an expression only")
                  .note("a name is bound where a dimension is just the name, or the name plus or minus a literal")
                  .help("add an `int` parameter `" + n + "`"));
            }
          }
        }
        if (!p.strides().isEmpty() && p.strides().size() != s.dims().size()) {
          l.error(Diagnostic.error(Code.INDEX_COUNT,
              "`" + p.name() + "` has " + Plural.of(s.dims().size(), "dimension") + " and "
                  + Plural.of(p.strides().size(), "stride"))
              .label(p.span(), "one stride for each dimension"));
        }
      }
    }
  }
}
