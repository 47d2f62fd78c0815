package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Block;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Index;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What can be said of a test without running it: that its names exist, its statements have a place in it, and its calls
 * of kernels fit their heads ({@link TestCalls}).
 */
final class TestNames {
  private static final Set<String> WORDS = Set.of("LOG2E", "PI", "inf", "nan", "tf32", "tf32x3", "ieee");

  private final Library library;
  private final Lowerer l;
  private final TestCalls calls;
  private Scope scope = new Scope(null);

  TestNames(Library library, Findings findings) {
    this.library = library;
    this.l = Lowerer.constant(library, findings);
    this.calls = new TestCalls(library, l);
  }

  void check(Item.Test test) {
    block(test.body());
  }

  private void block(Block b) {
    Scope outer = scope;
    scope = new Scope(outer);
    b.statements().forEach(this::statement);
    scope = outer;
  }

  private void declare(List<Name> names) {
    names.forEach(n -> scope.let(n.text(), Val.FAILED, n.span()));
  }

  /** Names and, where each has an expression of its own, what is known of it. */
  private void bind(List<Name> names, List<Expr> values, Consumer<Name> declare) {
    List<TestCalls.Kind> kinds = values.stream().map(v -> calls.kind(v, scope)).toList();
    names.stream().filter(n -> !n.isDiscard()).forEach(declare);
    for (int i = 0; i < names.size() && names.size() == values.size(); i++) {
      if (!names.get(i).isDiscard()) {
        calls.bound(scope.find(names.get(i).text()), kinds.get(i));
      }
    }
  }

  private void statement(Stmt s) {
    switch (s) {
      case Stmt.Let x -> {
        x.values().forEach(this::expr);
        bind(x.names(), x.values(), n -> scope.let(n.text(), Val.FAILED, n.span()));
      }
      case Stmt.Var x -> {
        x.values().forEach(this::expr);
        bind(x.names(), x.values(), n -> scope.var(n.text(), Val.FAILED, n.span()));
      }
      case Stmt.Assign x -> {
        x.values().forEach(this::expr);
        for (Stmt.Place p : x.places()) {
          if (!p.name().isDiscard()) {
            name(p.name());
          }
          indices(p.indices());
        }
      }
      case Stmt.For x -> {
        Scope outer = scope;
        scope = new Scope(outer);
        x.domains().forEach(d -> {
          d.low().ifPresent(this::expr);
          expr(d.high());
          d.step().ifPresent(this::expr);
          declare(d.names());
        });
        block(x.body());
        scope = outer;
      }
      case Stmt.If x -> {
        x.branches().forEach(b -> {
          expr(b.condition());
          block(b.body());
        });
        x.otherwise().ifPresent(this::block);
      }
      case Stmt.Assert x -> expr(x.condition());
      case Stmt.Expect x -> expr(x.claim());
      case Stmt.ExpectClose x -> {
        expr(x.actual());
        expr(x.expected());
        expr(x.relative());
        x.absolute().ifPresent(this::expr);
      }
      case Stmt.Run x -> call(x.call(), true);
      case Stmt.Temp x ->
          misplaced(x.span(), "`temp`", "a test makes tensors with `zeros`, `empty`, `randn` and their like");
      case Stmt.Parallel x -> misplaced(x.span(), "`parallel`", "it stands in kernels; a test calls them");
      case Stmt.Return x -> misplaced(x.span(), "`return`", "only functions return");
    }
  }

  private void misplaced(Span at, String what, String note) {
    l.error(Diagnostic.error(Code.POSITION, what + " has no place in a test").label(at, "").note(note));
  }

  private void expr(Expr e) {
    switch (e) {
      case Expr.IntLit _, Expr.FloatLit _, Expr.BoolLit _, Expr.StringLit _ -> { }
      case Expr.Ref r -> name(r.name());
      case Expr.Call c -> call(c, false);
      case Expr.Member m -> expr(m.base());
      case Expr.At a -> {
        expr(a.base());
        indices(a.indices());
      }
      case Expr.Pad p -> {
        expr(p.load());
        expr(p.value());
      }
      case Expr.Unary u -> expr(u.operand());
      case Expr.Binary b -> {
        expr(b.left());
        expr(b.right());
      }
      case Expr.Cast c -> {
        expr(c.value());
        if (!c.type().text().equals("int")) {
          l.types.element(c.type());
        }
      }
      case Expr.Choose c -> {
        expr(c.condition());
        expr(c.yes());
        expr(c.no());
      }
      case Expr.Paren p -> expr(p.inner());
      case Expr.Tuple t -> t.elements().forEach(this::expr);
      case Expr.ListOf t -> t.elements().forEach(this::expr);
    }
  }

  private void indices(List<Index> indices) {
    for (Index i : indices) {
      switch (i) {
        case Index.NewAxis _ -> { }
        case Index.At a -> expr(a.value());
        case Index.Slice s -> {
          s.low().ifPresent(this::expr);
          s.high().ifPresent(this::expr);
        }
      }
    }
  }

  private void call(Expr.Call c, boolean statement) {
    String word = c.name().text();
    boolean kernel = library.kernel(word).isPresent();
    if (!kernel && library.function(word).isEmpty() && !Builtins.TABLE.containsKey(word)) {
      l.error(l.calls.unknown(c.name()));
    } else if (kernel && !statement) {
      l.error(Diagnostic.error(Code.POSITION, "a kernel gives no value")
          .label(c.span(), "`" + word + "` is a kernel")
          .help("call it as a statement; it writes its `out` arguments"));
    }
    for (Expr.Arg a : c.args()) {
      boolean function = a.name().filter(n -> n.text().equals("fn")).isPresent();
      if (!function) {
        expr(a.value());
      }
    }
    if (kernel && statement && !library.isAmbiguous(word)) {
      calls.check(library.kernel(word).get(), c, scope);
    }
  }

  private void name(Name name) {
    String word = name.text();
    boolean known = scope.find(word) != null || WORDS.contains(word) || library.constant(word).isPresent()
        || Element.byText(word).isPresent();
    if (!known) {
      l.within(scope, () -> l.exprs.value(new Expr.Ref(name, name.span())));
    }
  }
}
