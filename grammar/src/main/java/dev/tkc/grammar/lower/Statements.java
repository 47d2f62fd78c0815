package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Block;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Statements inside functions and phases. Those of a kernel's own body are {@link KernelBody}'s. */
final class Statements {
  private final Lowerer l;

  Statements(Lowerer l) {
    this.l = l;
  }

  /** A function's body: what its {@code return} gives, converted by {@code finish}; null if it ends without one. */
  List<Operand> function(Block body, UnaryOperator<List<Operand>> finish) {
    return returning(body.statements(), 0, finish);
  }

  private List<Operand> returning(List<Stmt> all, int from, UnaryOperator<List<Operand>> finish) {
    for (int i = from; i < all.size(); i++) {
      switch (all.get(i)) {
        case Stmt.Return r -> {
          return finish.apply(values(r.values()));
        }
        case Stmt.If f when Assigned.returns(List.of(f)) -> {
          int next = i + 1;
          return branch(f, 0, () -> returning(all, next, finish), finish);
        }
        case Stmt s -> statement(s);
      }
    }
    return null;
  }

  /** An {@code if} that returns on some side; {@code rest} is what follows for the sides that do not. */
  private List<Operand> branch(Stmt.If f, int at, java.util.function.Supplier<List<Operand>> rest,
      UnaryOperator<List<Operand>> finish) {
    if (at == f.branches().size()) {
      return f.otherwise().map(b -> blockThen(b, rest, finish)).orElseGet(rest);
    }
    Stmt.Branch b = f.branches().get(at);
    Val condition = l.branches.condition(b.condition());
    if (condition instanceof Val.Bool known) {
      return known.value() ? blockThen(b.body(), rest, finish) : branch(f, at + 1, rest, finish);
    }
    if (condition.failed()) {
      return List.of(new Operand(Val.FAILED, b.condition().span()));
    }
    List<Scope.Entry> entries = visibleVariables();
    List<Val> before = entries.stream().map(Scope.Entry::val).toList();
    Branches.Side yes = l.branches.side(() -> orFailed(blockThen(b.body(), rest, finish), f.span()));
    restore(entries, before);
    Branches.Side no = l.branches.side(() -> orFailed(branch(f, at + 1, rest, finish), f.span()));
    restore(entries, before);
    List<Val> joined = l.branches.join(((Val.Tile) condition).value(), yes, no, f.span());
    if (joined == null) {
      return List.of(new Operand(Val.FAILED, f.span()));
    }
    return joined.stream().map(v -> new Operand(v, f.span())).toList();
  }

  private List<Operand> orFailed(List<Operand> results, Span at) {
    if (results != null) {
      return results;
    }
    l.error(Code.RETURN, at, "one side of this `if` returns and the function ends without a `return` on the other", "");
    return List.of(new Operand(Val.FAILED, at));
  }

  private List<Operand> blockThen(Block block, java.util.function.Supplier<List<Operand>> rest,
      UnaryOperator<List<Operand>> finish) {
    List<Operand> r = l.inner(() -> returning(block.statements(), 0, finish));
    return r != null ? r : rest.get();
  }

  private List<Scope.Entry> visibleVariables() {
    return l.scope().names().stream().map(n -> l.scope().find(n)).filter(Scope.Entry::isVariable).toList();
  }

  static void restore(List<Scope.Entry> entries, List<Val> before) {
    for (int i = 0; i < entries.size(); i++) {
      entries.get(i).set(before.get(i));
    }
  }

  /** The values of several expressions, results of calls taken apart where there is one expression. */
  List<Operand> values(List<Expr> exprs) {
    if (exprs.size() == 1 && l.exprs.value(exprs.get(0)) instanceof Val v) {
      Span at = exprs.get(0).span();
      return v instanceof Val.Many m ? m.values().stream().map(x -> new Operand(x, at)).toList()
          : List.of(new Operand(v, at));
    }
    return exprs.stream().map(l.exprs::operand).toList();
  }

  void block(Block block) {
    l.inner(() -> block.statements().forEach(this::statement));
  }

  void statement(Stmt s) {
    switch (s) {
      case Stmt.Let x -> let(x);
      case Stmt.Var x -> var(x);
      case Stmt.Assign x -> l.assignments.assign(x);
      case Stmt.For x -> l.loops.loop(x);
      case Stmt.If x -> ifStatement(x);
      case Stmt.Assert x -> assertion(x);
      case Stmt.Return x -> l.error(Diagnostic.error(Code.RETURN, "`return` has no place here")
          .label(x.span(), "")
          .note(l.frames().stream().anyMatch(f -> f.item() instanceof dev.tkc.grammar.syntax.Item.Fn)
              ? "a function returns at its end, or at the end of a side of an `if`, not out of a loop"
              : "only functions return; a kernel writes its `out` parameters"));
      case Stmt.Temp x -> {
        misplaced(x.span(), "`temp`", "scratch tensors are declared in a kernel's own body, between phases");
        l.scope().let(x.name().text(), Val.FAILED, x.name().span());
      }
      case Stmt.Parallel x ->
          misplaced(x.span(), "`parallel`", "a phase stands in a kernel's own body; inside it blocks use `for`");
      case Stmt.Expect x -> misplaced(x.span(), "`expect`", "it stands in tests; a kernel or function has `assert`");
      case Stmt.ExpectClose x ->
          misplaced(x.span(), "`expect`", "it stands in tests; a kernel or function has `assert`");
      case Stmt.Run x -> run(x);
    }
  }

  private void misplaced(Span at, String what, String note) {
    l.error(Diagnostic.error(Code.POSITION, what + " has no place here").label(at, "").note(note));
  }

  private void run(Stmt.Run run) {
    String name = run.call().name().text();
    if (l.library.kernel(name).isPresent()) {
      l.error(Diagnostic.error(Code.POSITION, "a kernel is called between phases only")
          .label(run.span(), "`" + name + "` is a kernel")
          .note("inside a phase, `fn`s are called"));
      return;
    }
    int before = l.findings.errors();
    Val v = l.calls.call(run.call());
    if (!v.failed() && l.findings.errors() == before) {
      l.error(Diagnostic.error(Code.RESULT_COUNT, "the result of `" + name + "` is not used")
          .label(run.span(), "this gives " + v.describe())
          .help("assign it, or discard it with `_ = …`", run.span(), "_ = " + run.span().text()));
    }
  }

  // ------------------------------------------------------------------------------------------------ names

  private void let(Stmt.Let s) {
    List<Operand> values = matched(s.names(), s.values(), s.span());
    for (int i = 0; i < s.names().size(); i++) {
      Name n = s.names().get(i);
      if (!n.isDiscard()) {
        Val v = values.get(i).val();
        hint(v, n.text());
        l.scope().let(n.text(), v, n.span());
      }
    }
  }

  private static void hint(Val v, String name) {
    Value value = v instanceof Val.Tile t ? t.value() : v instanceof Val.Int i ? i.value() : null;
    if (value != null && value.name().isEmpty()) {
      value.setName(name);
    }
  }

  /** As many values as names; failed ones after a report. */
  private List<Operand> matched(List<Name> names, List<Expr> exprs, Span at) {
    List<Operand> values = values(exprs);
    if (values.size() == names.size()) {
      return values;
    }
    if (values.stream().noneMatch(o -> o.val().failed())) {
      l.error(Diagnostic.error(Code.RESULT_COUNT, Plural.of(names.size(), "name") + " for "
              + Plural.of(values.size(), "value"))
          .label(names.get(0).span().to(names.get(names.size() - 1).span()), "names")
          .label(exprs.get(0).span().to(exprs.get(exprs.size() - 1).span()), "values")
          .help("`_` discards a value"));
    }
    List<Operand> out = new ArrayList<>();
    names.forEach(n -> out.add(new Operand(Val.FAILED, at)));
    return out;
  }

  private void var(Stmt.Var s) {
    List<Operand> values = matched(s.names(), s.values(), s.span());
    for (int i = 0; i < s.names().size(); i++) {
      Name n = s.names().get(i);
      Val v = variable(values.get(i), s.type());
      hint(v, n.text());
      if (!n.isDiscard()) {
        l.scope().var(n.text(), v, n.span());
      }
    }
  }

  /** The first value of a variable; its type is the variable's for good. */
  private Val variable(Operand o, Optional<dev.tkc.grammar.syntax.TypeExpr> type) {
    if (type.isPresent() && !(type.get().element().text().equals("int"))) {
      TileType t = l.types.tile(type.get());
      Value v = t == null || o.val().failed() ? null : l.promotion.widenTo(o, t.element(), "the variable is");
      if (v == null) {
        return Val.FAILED;
      }
      if (!v.tile().shape().equals(t.shape())) {
        return l.error(Diagnostic.error(Code.SHAPE_MISMATCH, "the value does not have the variable's shape")
            .label(o.span(), "this is " + o.val().describe())
            .label(type.get().span(), "declared as " + t.text()));
      }
      return new Val.Tile(v);
    }
    return switch (o.val()) {
      case Val.Num _ -> new Val.Tile(l.promotion.to(o, dev.tkc.ir.type.Element.F32));
      case Val.Bool b -> b;
      case Val.Int i -> i;
      case Val.Tile t -> t;
      case Val.Failed f -> f;
      case Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> l.promotion.wrongKind(o, "a tile or a number");
    };
  }

  // ------------------------------------------------------------------------------------------------ if, assert

  private void ifStatement(Stmt.If f) {
    ifStatement(f, 0);
  }

  private void ifStatement(Stmt.If f, int at) {
    if (at == f.branches().size()) {
      f.otherwise().ifPresent(this::block);
      return;
    }
    Stmt.Branch b = f.branches().get(at);
    Val condition = l.branches.condition(b.condition());
    if (condition instanceof Val.Bool known) {
      if (known.value()) {
        block(b.body());
      } else {
        ifStatement(f, at + 1);
      }
      return;
    }
    List<Block> blocks = new ArrayList<>(f.branches().stream().map(Stmt.Branch::body).toList());
    f.otherwise().ifPresent(blocks::add);
    List<Scope.Entry> entries = Assigned.entries(l.scope(), blocks);
    List<Val> before = entries.stream().map(Scope.Entry::val).toList();
    List<TileType> types = entries.stream().map(e -> Assignments.type(e.val())).toList();
    Branches.Side yes = l.branches.side(() -> sideOf(entries, f.span(), () -> block(b.body())));
    restore(entries, before);
    Branches.Side no = l.branches.side(() -> sideOf(entries, f.span(), () -> ifStatement(f, at + 1)));
    restore(entries, before);
    if (condition.failed() || yes.failed() || no.failed()) {
      return;
    }
    List<Val> joined = l.branches.join(((Val.Tile) condition).value(), yes, no, types, f.span());
    for (int i = 0; i < entries.size(); i++) {
      entries.get(i).set(joined.get(i));
    }
  }

  private List<Operand> sideOf(List<Scope.Entry> entries, Span at, Runnable body) {
    body.run();
    return entries.stream().map(e -> new Operand(e.val(), at)).toList();
  }

  void assertion(Stmt.Assert s) {
    Operand o = l.exprs.operand(s.condition());
    String message = s.message().orElse("`" + s.condition().span().text() + "` does not hold");
    if (o.val() instanceof Val.Bool b) {
      if (!b.value()) {
        l.append(s.span(), new ControlOp.Assert(l.constant(s.span(), dev.tkc.ir.op.Literal.of(false)), message));
      }
      return;
    }
    Val v = o.val();
    if (v instanceof Val.Tile t && t.element().isBool() && t.rank() > 0) {
      List<Integer> axes = java.util.stream.IntStream.range(0, t.rank()).boxed().toList();
      Value all = l.emit(s.span(),
          new dev.tkc.ir.op.ReductionOp.Reduce(dev.tkc.ir.op.ReductionOp.ReduceKind.ALL, t.value(), axes));
      v = new Val.Tile(l.shaping.reshape(s.span(), all, List.of()));
    }
    if (v instanceof Val.Tile t && t.element().isBool()) {
      l.append(s.span(), new ControlOp.Assert(t.value(), message));
    } else if (!v.failed()) {
      l.error(Code.CONDITION, o.span(), "a condition is a truth value", "this is " + v.describe());
    }
  }
}
