package dev.tkc.host;

import dev.tkc.grammar.syntax.Block;
import dev.tkc.grammar.syntax.Domain;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Index;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Stmt;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** Which names statements of host code read and which they set, inner blocks included. */
final class StatementNames {
  private final Set<String> read = new LinkedHashSet<>();
  private final Set<String> set = new LinkedHashSet<>();

  private StatementNames() {}

  static Set<String> read(Stmt statement) {
    StatementNames names = new StatementNames();
    names.statement(statement);
    return names.read;
  }

  static Set<String> set(Stmt statement) {
    StatementNames names = new StatementNames();
    names.statement(statement);
    return names.set;
  }

  static Set<String> read(Expr expr) {
    StatementNames names = new StatementNames();
    names.expr(expr);
    return names.read;
  }

  private void names(Collection<Name> bound) {
    bound.stream().filter(n -> !n.isDiscard()).forEach(n -> set.add(n.text()));
  }

  private void block(Block block) {
    block.statements().forEach(this::statement);
  }

  private void statement(Stmt statement) {
    switch (statement) {
      case Stmt.Let let -> {
        let.values().forEach(this::expr);
        names(let.names());
      }
      case Stmt.Var var -> {
        var.values().forEach(this::expr);
        names(var.names());
      }
      case Stmt.Assign assign -> assign(assign);
      case Stmt.Run run -> call(run);
      case Stmt.For loop -> {
        loop.domains().forEach(this::domain);
        block(loop.body());
      }
      case Stmt.If choice -> {
        choice.branches().forEach(b -> {
          expr(b.condition());
          block(b.body());
        });
        choice.otherwise().ifPresent(this::block);
      }
      case Stmt.Assert check -> expr(check.condition());
      case Stmt.Expect expect -> expr(expect.claim());
      case Stmt.ExpectClose expect -> {
        expr(expect.actual());
        expr(expect.expected());
        expr(expect.relative());
        expect.absolute().ifPresent(this::expr);
      }
      case Stmt.Return result -> result.values().forEach(this::expr);
      case Stmt.Temp _, Stmt.Parallel _ -> { }
    }
  }

  private void assign(Stmt.Assign assign) {
    assign.values().forEach(this::expr);
    for (Stmt.Place place : assign.places()) {
      set.add(place.name().text());
      place.indices().forEach(this::index);
      if (!place.indices().isEmpty() || assign.op() != Stmt.AssignOp.SET) {
        read.add(place.name().text());
      }
    }
  }

  /** A kernel may write each variable that it is given. */
  private void call(Stmt.Run run) {
    for (Expr.Arg arg : run.call().args()) {
      expr(arg.value());
      if (arg.value().bare() instanceof Expr.Ref ref) {
        set.add(ref.name().text());
      }
    }
  }

  private void domain(Domain domain) {
    domain.low().ifPresent(this::expr);
    expr(domain.high());
    domain.step().ifPresent(this::expr);
    names(domain.names());
  }

  private void index(Index index) {
    switch (index) {
      case Index.NewAxis _ -> { }
      case Index.At at -> expr(at.value());
      case Index.Slice slice -> {
        slice.low().ifPresent(this::expr);
        slice.high().ifPresent(this::expr);
      }
    }
  }

  private void expr(Expr expr) {
    switch (expr) {
      case Expr.IntLit _, Expr.FloatLit _, Expr.BoolLit _, Expr.StringLit _ -> { }
      case Expr.Ref ref -> read.add(ref.name().text());
      case Expr.Call call -> call.args().forEach(a -> expr(a.value()));
      case Expr.Member member -> expr(member.base());
      case Expr.At at -> {
        expr(at.base());
        at.indices().forEach(this::index);
      }
      case Expr.Pad pad -> {
        expr(pad.load());
        expr(pad.value());
      }
      case Expr.Unary unary -> expr(unary.operand());
      case Expr.Binary binary -> {
        expr(binary.left());
        expr(binary.right());
      }
      case Expr.Cast cast -> expr(cast.value());
      case Expr.Choose choose -> {
        expr(choose.condition());
        expr(choose.yes());
        expr(choose.no());
      }
      case Expr.Paren paren -> expr(paren.inner());
      case Expr.Tuple tuple -> tuple.elements().forEach(this::expr);
      case Expr.ListOf list -> list.elements().forEach(this::expr);
    }
  }

  /** The name that an expression is, through parentheses. */
  static Optional<String> name(Expr expr) {
    return expr.bare() instanceof Expr.Ref ref ? Optional.of(ref.name().text()) : Optional.empty();
  }
}
