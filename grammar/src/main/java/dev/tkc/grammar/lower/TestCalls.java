package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Arguments.Signature;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What can be said of a test's calls of kernels without running it: that arguments are neither missing nor too many,
 * that each has its parameter's kind, element and rank as far as those follow from the text, and that what a kernel
 * writes is a {@code var}. Sizes are not looked at; a launch checks them.
 *
 * <p>A name has the kind of the expression it is bound to: a maker's ({@code randn(bf16[m, n], …)}), a cast's, a
 * number's. Of anything else nothing is known, and nothing is reported.
 */
final class TestCalls {
  private static final Set<String> MAKERS = Set.of("randn", "rand", "randint", "zeros", "fill", "empty");

  /** What is known of a value; a tensor of an unknown element has none. */
  sealed interface Kind {
    record Tensor(Optional<Element> element, int rank) implements Kind {
      String text() {
        return (element.isPresent() ? "elements " + element.get().text() + ", " : "") + "rank " + rank;
      }
    }

    /** A number or truth value as it is written. */
    record Number(Expr literal) implements Kind {}

    record Unknown() implements Kind {}
  }

  private static final Kind UNKNOWN = new Kind.Unknown();

  private final Library library;
  private final Lowerer l;
  private final Map<Scope.Entry, Kind> kinds = new IdentityHashMap<>();

  TestCalls(Library library, Lowerer l) {
    this.library = library;
    this.l = l;
  }

  /** Notes what is known of a name. */
  void bound(Scope.Entry entry, Kind kind) {
    kinds.put(entry, kind);
  }

  Kind kind(Expr e, Scope scope) {
    return switch (e.bare()) {
      case Expr.Ref r -> {
        Scope.Entry entry = scope.find(r.name().text());
        yield entry == null ? UNKNOWN : kinds.getOrDefault(entry, UNKNOWN);
      }
      case Expr.IntLit n -> new Kind.Number(n);
      case Expr.FloatLit x -> new Kind.Number(x);
      case Expr.BoolLit b -> new Kind.Number(b);
      case Expr.Cast c when kind(c.value(), scope) instanceof Kind.Tensor t ->
          new Kind.Tensor(Element.byText(c.type().text()), t.rank());
      case Expr.Member m when m.name().text().equals("T") -> kind(m.base(), scope);
      case Expr.ListOf list when list.elements().stream().noneMatch(x -> x.bare() instanceof Expr.Tuple) ->
          new Kind.Tensor(Optional.empty(), 1);
      case Expr.Call c when MAKERS.contains(c.name().text()) && library.function(c.name().text()).isEmpty() ->
          c.args().stream().map(a -> made(a.value())).flatMap(Optional::stream).findFirst().orElse(UNKNOWN);
      case Expr.Call _, Expr.Cast _, Expr.Member _, Expr.ListOf _, Expr.StringLit _, Expr.At _, Expr.Pad _,
          Expr.Unary _, Expr.Binary _, Expr.Choose _, Expr.Paren _, Expr.Tuple _ -> UNKNOWN;
    };
  }

  /** A maker's argument that is a type: {@code bf16[m, n]}. */
  private static Optional<Kind> made(Expr e) {
    return e.bare() instanceof Expr.At at && at.base().bare() instanceof Expr.Ref r
        ? Element.byText(r.name().text()).map(x -> new Kind.Tensor(Optional.of(x), at.indices().size()))
        : Optional.empty();
  }

  void check(Item.Kernel k, Expr.Call call, Scope scope) {
    Optional<Arguments> args = bind(l, k, call);
    if (args.isEmpty()) {
      return;
    }
    for (Param p : k.params()) {
      Expr e = args.get().expr(p.name().text());
      if (p.mode() == Param.Mode.IN || variable(l, p, e, scope) != null) {
        argument(p, e, scope);
      }
    }
    overlaps(k, args.get());
    for (Constant c : k.constants()) {
      if (args.get().has(c.name().text())) {
        constant(c, args.get().expr(c.name().text()), scope);
      }
    }
  }

  /** A call's arguments by parameter and constant, or empty after a report. */
  static Optional<Arguments> bind(Lowerer l, Item.Kernel k, Expr.Call call) {
    List<String> params = new ArrayList<>(k.params().stream().map(p -> p.name().text()).toList());
    List<String> constants = k.constants().stream().map(c -> c.name().text()).toList();
    long positional = call.args().stream().filter(a -> a.name().isEmpty()).count();
    if (positional > params.size()) {
      l.error(Diagnostic.error(Code.ARGUMENTS, "`" + k.name() + "` has " + Plural.of(params.size(), "parameter"))
          .label(call.span(), positional + " arguments are given").note("constants are given by name"));
      return Optional.empty();
    }
    params.addAll(constants);
    return Arguments.bind(l, call, new Signature(k.name().text(), params, constants, false));
  }

  /** The variable that a written tensor is put back into, or null after a report. */
  static Scope.Entry variable(Lowerer l, Param p, Expr e, Scope scope) {
    Scope.Entry entry = e.bare() instanceof Expr.Ref r ? scope.find(r.name().text()) : null;
    if (entry != null && entry.isVariable()) {
      return entry;
    }
    // A name that there is not was reported where it stands.
    if (entry != null || !(e.bare() instanceof Expr.Ref)) {
      Diagnostic d = Diagnostic.error(Code.NOT_ASSIGNABLE,
          "the kernel writes `" + p.name() + "`: its argument is a `var`")
          .label(e.span(), entry == null ? "not a variable" : "declared with `let`")
          .label(p.span(), "written");
      l.error(entry != null && entry.declared() != null ? d.label(entry.declared(), "declare it with `var`") : d);
    }
    return null;
  }

  /** One variable for a parameter that is written and for another. */
  private void overlaps(Item.Kernel k, Arguments args) {
    for (int i = 0; i < k.params().size(); i++) {
      for (int j = i + 1; j < k.params().size(); j++) {
        Param p = k.params().get(i);
        Param q = k.params().get(j);
        boolean written = p.mode() != Param.Mode.IN || q.mode() != Param.Mode.IN;
        Expr x = args.expr(p.name().text());
        Expr y = args.expr(q.name().text());
        if (written && x.bare() instanceof Expr.Ref a && y.bare() instanceof Expr.Ref b
            && a.name().text().equals(b.name().text())) {
          l.error(Diagnostic.error(Code.LAUNCH_OVERLAP,
                  "`" + p.name() + "` and `" + q.name() + "` share memory, and one of them is written")
              .label(y.span(), "given again for `" + q.name() + "`").label(x.span(), "given for `" + p.name() + "`")
              .help("give one of them a copy: `let copy = " + a.name().text() + "`"));
        }
      }
    }
  }

  private void argument(Param p, Expr e, Scope scope) {
    switch (kind(e, scope)) {
      case Kind.Unknown _ -> { }
      case Kind.Number(Expr literal) -> {
        if (p.type() instanceof TypeExpr.Scalar s) {
          number(p, s.element().text(), e, literal);
        } else {
          wrong(Code.WRONG_KIND, "`" + p.name() + "` is a tensor", p, e, "this is a number");
        }
      }
      case Kind.Tensor t -> {
        if (!(p.type() instanceof TypeExpr.Shaped s)) {
          if (t.rank() > 0) {
            wrong(Code.WRONG_KIND, "`" + p.name() + "` is a number", p, e, "this is a tensor");
          }
        } else if (t.element().isPresent() && !t.element().get().text().equals(s.element().text())) {
          wrong(Code.LAUNCH_ELEMENT, "`" + p.name() + "` has elements " + s.element() + ", its argument has "
              + t.element().get().text(), p, e, "this has " + t.text());
        } else if (t.rank() != s.dims().size()) {
          wrong(Code.LAUNCH_RANK, "`" + p.name() + "` has rank " + s.dims().size() + ", its argument has rank "
              + t.rank(), p, e, "this has " + t.text());
        }
      }
    }
  }

  private void number(Param p, String type, Expr e, Expr literal) {
    boolean real = Element.byText(type).filter(Element::isFloat).isPresent();
    if (literal instanceof Expr.BoolLit != type.equals("bool") || literal instanceof Expr.FloatLit && !real) {
      wrong(Code.LAUNCH_SCALAR, "`" + p.name() + "` is "
          + (type.equals("bool") ? "true or false" : real ? "a number" : "a whole number"), p, e, "this is not");
    }
  }

  private void constant(Constant c, Expr e, Scope scope) {
    boolean bool = c.type().map(t -> t.text().equals("bool"))
        .orElse(c.value().map(v -> v.bare() instanceof Expr.BoolLit).orElse(false));
    boolean real = c.type().flatMap(t -> Element.byText(t.text())).filter(Element::isFloat).isPresent();
    boolean wrong = switch (kind(e, scope)) {
      case Kind.Number(Expr literal) -> bool != literal instanceof Expr.BoolLit
          || literal instanceof Expr.FloatLit && !real;
      case Kind.Tensor _ -> true;
      case Kind.Unknown _ -> false;
    };
    if (wrong) {
      l.error(Diagnostic.error(Code.LAUNCH_CONSTANT,
              "the constant " + c.name() + " is " + (bool ? "true or false" : real ? "a number" : "a whole number"))
          .label(e.span(), "this is not").label(c.span(), "declared here"));
    }
  }

  private void wrong(Code code, String message, Param p, Expr e, String label) {
    l.error(Diagnostic.error(code, message).label(e.span(), label).label(p.span(), "the parameter"));
  }
}
