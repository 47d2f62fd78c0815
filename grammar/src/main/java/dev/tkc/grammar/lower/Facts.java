package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.Optional;

/**
 * What can be said of a {@code where} fact before a launch: that the names in it are the kernel's constants, sizes and
 * scalars, and that it is a truth value. None of them has a value here.
 */
final class Facts {
  private Facts() {}

  static void check(Library library, Item.Kernel kernel, Expr fact, Findings findings) {
    int before = findings.errors();
    Val found = condition(library, kernel, fact, true, findings);
    if (found.failed() && findings.errors() == before) {
      // Nothing else is wrong with it, so it is about a name that means something, only not here.
      Findings names = new Findings();
      condition(library, kernel, fact, false, names);
      names.list().stream().filter(d -> d.code() == Code.UNKNOWN_NAME).findFirst()
          .ifPresent(d -> findings.add(elements(d.labels().getFirst().span())));
    }
  }

  private static Diagnostic elements(Span tensor) {
    return Diagnostic.error(Code.WRONG_KIND, "a fact says nothing of a tensor's elements")
        .label(tensor, "this is a tensor").note("it is checked at launch, for sizes, constants and scalars");
  }

  private static Val condition(Library library, Item.Kernel kernel, Expr fact, boolean tensors, Findings findings) {
    Lowerer l = Lowerer.constant(library, findings);
    Scope scope = new Scope(null);
    KernelHead head = KernelHead.of(kernel, library);
    kernel.constants().forEach(c -> scope.let(c.name().text(), constant(library, c), null));
    for (Param p : kernel.params()) {
      boolean scalar = p.type() instanceof TypeExpr.Scalar;
      if (scalar || tensors) {
        scope.let(p.name().text(), scalar ? unknown(p.type().element().text()) : Val.FAILED, null);
      }
    }
    head.dims().forEach(d -> scope.let(d, unknown("int"), null));
    head.strides().forEach(s -> scope.let(s, unknown("int"), null));
    return l.within(scope, () -> l.branches.condition(fact));
  }

  private static Val constant(Library library, Constant c) {
    if (c.type().isPresent()) {
      return unknown(c.type().get().text());
    }
    Val own = c.value().map(e -> Lowerer.constant(library, new Findings()).exprs.one(e)).orElse(unknown("int"));
    return own instanceof Val.Bool ? unknown("bool") : own instanceof Val.Num ? unknown("f32") : unknown("int");
  }

  /** A scalar of that type; {@link Val#FAILED} where there is none, which is reported elsewhere. */
  private static Val unknown(String type) {
    Optional<Element> e = Element.byText(type);
    if (type.equals("int") || e.isPresent() && e.get().isInteger() && !e.get().isStorageOnly()) {
      return Val.Int.of(new Value(TileType.integer()));
    }
    return e.isEmpty() || e.get().isStorageOnly() ? Val.FAILED : new Val.Tile(new Value(TileType.scalar(e.get())));
  }
}
