package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import dev.tkc.grammar.TkParser.ExprContext;
import dev.tkc.grammar.syntax.Stmt.AssignOp;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;

/**
 * Makes the syntax tree from ANTLR's parse tree. A statement, setting or item whose context holds a syntax error is
 * left out; the parser reported it. What the grammar accepts only to be refused with a better message is reported here.
 */
final class TreeBuilder {
  private final Spans spans;
  private final List<? extends Token> tokens;
  private final List<Diagnostic> diagnostics;
  private final ExprBuilder exprs;

  /** {@code tokens}: all of them, hidden ones too, at their token index. */
  TreeBuilder(Spans spans, List<? extends Token> tokens, List<Diagnostic> diagnostics) {
    this.spans = spans;
    this.tokens = tokens;
    this.diagnostics = diagnostics;
    this.exprs = new ExprBuilder(spans, diagnostics);
  }

  Program program(TkParser.ProgramContext ctx) {
    List<Item> items = new ArrayList<>();
    for (TkParser.ItemContext item : ctx.item()) {
      if (sound(item)) {
        items.add(item(item));
      }
    }
    return new Program(items, new Span(spans.source(), 0, spans.source().text().length()));
  }

  /** Read without an error of its own; a context that did not get as far as choosing its alternative was not. */
  private static boolean sound(ParserRuleContext ctx) {
    TkParser.ParamsContext params =
        switch (ctx) {
          case TkParser.FnItemContext c -> c.params();
          case TkParser.KernelItemContext c -> c.params();
          default -> null;
        };
    boolean chosen =
        ctx.getClass() != TkParser.ItemContext.class
            && ctx.getClass() != TkParser.StmtContext.class
            && ctx.getClass() != TkParser.SettingContext.class;
    return chosen && ctx.exception == null && (params == null || params.exception == null);
  }

  private Item item(TkParser.ItemContext ctx) {
    Span span = spans.of(ctx);
    String doc = doc(ctx.start);
    return switch (ctx) {
      case TkParser.ImportItemContext c -> {
        Token path = c.STRING().getSymbol();
        yield new Item.Import(exprs.string(path), spans.of(path), doc, span);
      }
      case TkParser.ConstItemContext c ->
          new Item.Const(exprs.name(c.name()), type(c.type()), exprs.expr(c.expr()), doc, span);
      case TkParser.FnItemContext c ->
          new Item.Fn(
              exprs.name(c.name()),
              params(c.params()),
              c.type().stream().map(exprs::type).toList(),
              where(c.where()),
              block(c.block()),
              doc,
              span);
      case TkParser.KernelItemContext c -> kernel(c, doc, span);
      case TkParser.ScheduleItemContext c ->
          new Item.Schedule(
              exprs.name(c.name(0)), exprs.name(c.name(1)), where(c.where()), settings(c.setting()), doc, span);
      case TkParser.TestItemContext c -> {
        Token title = c.STRING().getSymbol();
        yield new Item.Test(exprs.string(title), spans.of(title), block(c.block()), doc, span);
      }
      default -> throw new IllegalStateException("no tree for " + ctx.getClass().getSimpleName());
    };
  }

  private Item.Kernel kernel(TkParser.KernelItemContext c, String doc, Span span) {
    List<Constant> constants = new ArrayList<>();
    if (c.consts() != null) {
      for (TkParser.ConstantContext k : c.consts().constant()) {
        Optional<Name> type = k.name().size() > 1 ? Optional.of(exprs.name(k.name(1))) : Optional.empty();
        constants.add(new Constant(exprs.name(k.name(0)), type, expr(k.expr()), spans.of(k)));
      }
    }
    boolean deterministic = c.start.getText().equals("deterministic");
    return new Item.Kernel(
        deterministic, exprs.name(c.name()), constants, params(c.params()), where(c.where()), block(c.block()),
        doc, span);
  }

  /** The {@code ///} lines right before {@code first}. */
  private String doc(Token first) {
    List<String> lines = new ArrayList<>();
    for (int i = first.getTokenIndex() - 1; i >= 0 && tokens.get(i).getChannel() != Token.DEFAULT_CHANNEL; i--) {
      Token t = tokens.get(i);
      if (t.getType() == TkParser.DOC && !t.getText().startsWith("////")) {
        String text = t.getText().substring(3);
        lines.add(0, (text.startsWith(" ") ? text.substring(1) : text).stripTrailing());
      }
    }
    return String.join("\n", lines);
  }

  private Optional<TypeExpr> type(TkParser.TypeContext ctx) {
    return Optional.ofNullable(ctx).map(exprs::type);
  }

  private Optional<Expr> expr(ExprContext ctx) {
    return Optional.ofNullable(ctx).map(exprs::expr);
  }

  private Optional<Expr> where(TkParser.WhereContext ctx) {
    return ctx == null ? Optional.empty() : expr(ctx.expr());
  }

  private List<Param> params(TkParser.ParamsContext ctx) {
    return ctx.param().stream().map(this::param).toList();
  }

  private Param param(TkParser.ParamContext ctx) {
    if (ctx.start.getText().equals("sym")) {
      diagnostics.add(ExprBuilder.reserved(spans.of(ctx.start), "sym"));
    }
    Param.Mode mode = Param.Mode.IN;
    if (ctx.dir != null) {
      mode = ctx.dir.getText().equals("out") ? Param.Mode.OUT : Param.Mode.INOUT;
    }
    return new Param(mode, exprs.name(ctx.name()), exprs.type(ctx.type()), exprs.exprs(ctx.expr()), spans.of(ctx));
  }

  private List<Setting> settings(List<TkParser.SettingContext> list) {
    return list.stream().filter(TreeBuilder::sound).map(this::setting).toList();
  }

  private Setting setting(TkParser.SettingContext ctx) {
    Span span = spans.of(ctx);
    return switch (ctx) {
      case TkParser.PlainSettingContext c -> {
        Name name = exprs.name(c.name());
        List<Expr> values = exprs.exprs(c.value().expr());
        boolean search = c.value().start.getText().equals("{");
        yield search ? new Setting.Search(name, values, span) : new Setting.Plain(name, values.get(0), span);
      }
      case TkParser.RoleSettingContext c -> {
        List<Setting.Role> roles = new ArrayList<>();
        for (TkParser.RoleContext r : c.role()) {
          roles.add(new Setting.Role(exprs.name(r.name()), exprs.expr(r.expr())));
        }
        yield new Setting.Roles(exprs.name(c.name()), roles, span);
      }
      case TkParser.PhaseSettingContext c -> new Setting.Phase(exprs.name(c.name()), settings(c.setting()), span);
      default -> throw new IllegalStateException("no tree for " + ctx.getClass().getSimpleName());
    };
  }

  private Block block(TkParser.BlockContext ctx) {
    return new Block(ctx.stmt().stream().filter(TreeBuilder::sound).map(this::stmt).toList(), spans.of(ctx));
  }

  private Stmt stmt(TkParser.StmtContext ctx) {
    Span span = spans.of(ctx);
    return switch (ctx) {
      case TkParser.LetStmtContext c -> new Stmt.Let(exprs.binders(c.names()), exprs.exprs(c.exprs().expr()), span);
      case TkParser.VarStmtContext c ->
          new Stmt.Var(exprs.binders(c.names()), type(c.type()), exprs.exprs(c.exprs().expr()), span);
      case TkParser.TempStmtContext c -> new Stmt.Temp(exprs.name(c.name()), exprs.type(c.type()), span);
      case TkParser.AssignStmtContext c ->
          new Stmt.Assign(
              c.place().stream().map(this::place).toList(),
              assignOp(c.assign()),
              spans.of(c.assign()),
              exprs.exprs(c.exprs().expr()),
              span);
      case TkParser.RunStmtContext c -> run(c, span);
      case TkParser.ParallelStmtContext c ->
          new Stmt.Parallel(Optional.ofNullable(c.name()).map(exprs::name), domains(c.domain()),
              block(c.block()), span);
      case TkParser.ForStmtContext c -> new Stmt.For(domains(c.domain()), block(c.block()), span);
      case TkParser.IfStmtContext c -> ifStmt(c, span);
      case TkParser.ReturnStmtContext c -> new Stmt.Return(exprs.exprs(c.exprs().expr()), span);
      case TkParser.AssertStmtContext c -> {
        Optional<String> message = Optional.ofNullable(c.STRING()).map(s -> exprs.string(s.getSymbol()));
        yield new Stmt.Assert(exprs.expr(c.expr()), message, span);
      }
      case TkParser.ExpectStmtContext c -> expect(exprs.exprs(c.expr()), span);
      default -> throw new IllegalStateException("no tree for " + ctx.getClass().getSimpleName());
    };
  }

  private static Stmt expect(List<Expr> parts, Span span) {
    if (parts.size() == 1) {
      return new Stmt.Expect(parts.get(0), span);
    }
    Optional<Expr> absolute = parts.size() > 3 ? Optional.of(parts.get(3)) : Optional.empty();
    return new Stmt.ExpectClose(parts.get(0), parts.get(1), parts.get(2), absolute, span);
  }

  private Stmt run(TkParser.RunStmtContext ctx, Span span) {
    Name callee = exprs.name(ctx.name());
    Span call = callee.span().to(spans.of(ctx.args()));
    if (ctx.expr() != null) {
      Token across = tokens.get(nextVisible(ctx.args().stop.getTokenIndex() + 1));
      diagnostics.add(ExprBuilder.reserved(spans.of(across), "across"));
    }
    return new Stmt.Run(new Expr.Call(callee, exprs.args(ctx.args()), call), span);
  }

  private int nextVisible(int index) {
    int i = index;
    while (tokens.get(i).getChannel() != Token.DEFAULT_CHANNEL) {
      i++;
    }
    return i;
  }

  private Stmt ifStmt(TkParser.IfStmtContext ctx, Span span) {
    List<ExprContext> conditions = ctx.expr();
    List<TkParser.BlockContext> blocks = ctx.block();
    List<Stmt.Branch> branches = new ArrayList<>();
    for (int i = 0; i < conditions.size(); i++) {
      branches.add(new Stmt.Branch(exprs.expr(conditions.get(i)), block(blocks.get(i))));
    }
    boolean hasElse = blocks.size() > branches.size();
    Optional<Block> otherwise = hasElse ? Optional.of(block(blocks.getLast())) : Optional.empty();
    return new Stmt.If(branches, otherwise, span);
  }

  private Stmt.Place place(TkParser.PlaceContext ctx) {
    Span span = spans.of(ctx);
    if (ctx.name().isEmpty()) {
      return new Stmt.Place(new Name("_", span), List.of(), span);
    }
    if (ctx.args() != null) {
      Name member = exprs.name(ctx.name(1));
      diagnostics.add(
          member.text().equals("on")
              ? ExprBuilder.reserved(member.span(), ".on(…)")
              : Diagnostic.error(Code.SYNTAX, "a statement cannot begin with a member")
                  .label(member.span(), "members cannot be called or assigned"));
    }
    return new Stmt.Place(exprs.name(ctx.name(0)), exprs.indices(ctx.index()), span);
  }

  private static AssignOp assignOp(TkParser.AssignContext ctx) {
    return switch (ctx.start.getText()) {
      case "=" -> AssignOp.SET;
      case "+=" -> AssignOp.ADD;
      case "-=" -> AssignOp.SUB;
      case "*=" -> AssignOp.MUL;
      case "/=" -> AssignOp.DIV;
      case "min" -> AssignOp.MIN;
      case "max" -> AssignOp.MAX;
      default -> throw new IllegalStateException("no assignment operator " + ctx.getText());
    };
  }

  private List<Domain> domains(List<TkParser.DomainContext> list) {
    return list.stream().map(this::domain).toList();
  }

  /** The expressions of a domain come as {@code [low] high [step]}; the words between them say which are there. */
  private Domain domain(TkParser.DomainContext ctx) {
    List<Expr> parts = exprs.exprs(ctx.expr());
    boolean ranged = ctx.dots != null;
    Optional<Expr> low = ranged ? Optional.of(parts.get(0)) : Optional.empty();
    Optional<Expr> step = ctx.by != null ? Optional.of(parts.get(parts.size() - 1)) : Optional.empty();
    Expr high = parts.get(ranged ? 1 : 0);
    return new Domain(exprs.binders(ctx.names()), low, high, step, ctx.reversed != null, spans.of(ctx));
  }
}
