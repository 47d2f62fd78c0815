package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import dev.tkc.grammar.TkParser.ExprContext;
import dev.tkc.grammar.syntax.Expr.BinaryOp;
import dev.tkc.grammar.syntax.Expr.UnaryOp;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.Optional;
import org.antlr.v4.runtime.Token;

/** Makes names, types, indices and expressions from ANTLR's contexts, which must hold no syntax error. */
final class ExprBuilder {
  /** What other languages call the modules that functions on tiles come from. */
  private static final Set<String> MODULES = Set.of("tl", "np", "jnp", "torch", "math", "T", "F", "ct", "cute", "std");

  private static final Map<String, BinaryOp> BINARY = new HashMap<>();

  static {
    for (BinaryOp op : BinaryOp.values()) {
      BINARY.put(op.text(), op);
    }
  }

  private final Spans spans;
  private final Literals literals;
  private final List<Diagnostic> diagnostics;
  private int depth;

  ExprBuilder(Spans spans, List<Diagnostic> diagnostics) {
    this.spans = spans;
    this.literals = new Literals(diagnostics);
    this.diagnostics = diagnostics;
  }

  Name name(TkParser.NameContext ctx) {
    Token word = ctx.start;
    Span span = spans.of(word);
    if (word.getType() == TkParser.RESERVED) {
      diagnostics.add(reserved(span, word.getText()));
    }
    return new Name(word.getText(), span);
  }

  /** The finding about a word kept for programs on several devices. */
  static Diagnostic reserved(Span span, String word) {
    return Diagnostic.error(Code.RESERVED_WORD, "`" + word + "` is reserved")
        .label(span, "kept for programs that run on several devices")
        .note("programs on several devices are not supported yet")
        .help("if this is meant as a name, choose another");
  }

  Name binder(TkParser.BinderContext ctx) {
    return ctx.name() != null ? name(ctx.name()) : new Name("_", spans.of(ctx.start));
  }

  List<Name> binders(TkParser.NamesContext ctx) {
    return ctx.binder().stream().map(this::binder).toList();
  }

  List<Expr> exprs(List<ExprContext> list) {
    List<Expr> out = new ArrayList<>(list.size());
    for (ExprContext e : list) {
      out.add(expr(e));
    }
    return out;
  }

  TypeExpr type(TkParser.TypeContext ctx) {
    Name element = name(ctx.name());
    Span span = spans.of(ctx);
    if (ctx.any != null) {
      return new TypeExpr.AnyRank(element, span);
    }
    return ctx.expr().isEmpty()
        ? new TypeExpr.Scalar(element, span)
        : new TypeExpr.Shaped(element, exprs(ctx.expr()), span);
  }

  String string(Token token) {
    return literals.string(token, spans.of(token));
  }

  List<Index> indices(List<TkParser.IndexContext> list) {
    return list.stream().map(this::index).toList();
  }

  private Index index(TkParser.IndexContext ctx) {
    List<ExprContext> ends = ctx.expr();
    if (ctx.colon == null) {
      return ends.isEmpty() ? new Index.NewAxis(spans.of(ctx)) : new Index.At(expr(ends.get(0)));
    }
    Optional<Expr> low = Optional.empty();
    Optional<Expr> high = Optional.empty();
    for (ExprContext end : ends) {
      if (end.start.getTokenIndex() < ctx.colon.getTokenIndex()) {
        low = Optional.of(expr(end));
      } else {
        high = Optional.of(expr(end));
      }
    }
    return new Index.Slice(low, high, spans.of(ctx));
  }

  List<Expr.Arg> args(TkParser.ArgsContext ctx) {
    List<Expr.Arg> out = new ArrayList<>();
    for (TkParser.ArgContext arg : ctx.arg()) {
      out.add(new Expr.Arg(argName(arg), expr(arg.expr())));
    }
    return out;
  }

  private Optional<Name> argName(TkParser.ArgContext ctx) {
    if (ctx.name() != null) {
      return Optional.of(name(ctx.name()));
    }
    // `fn = f` is the one argument whose name is a keyword.
    boolean named = ctx.start.getTokenIndex() < ctx.expr().start.getTokenIndex();
    return named ? Optional.of(new Name(ctx.start.getText(), spans.of(ctx.start))) : Optional.empty();
  }

  Expr expr(ExprContext ctx) {
    if (++depth > SyntaxReader.MAX_TREE_DEPTH) {
      throw new TooDeep(ctx.start);
    }
    try {
      return build(ctx);
    } finally {
      depth--;
    }
  }

  private Expr build(ExprContext ctx) {
    Span span = spans.of(ctx);
    return switch (ctx) {
      case TkParser.NameExprContext c when c.args() == null -> new Expr.Ref(name(c.name()), span);
      case TkParser.NameExprContext c -> new Expr.Call(name(c.name()), args(c.args()), span);
      case TkParser.LiteralExprContext c -> literals.literal(c.start, span);
      case TkParser.AtExprContext c -> new Expr.At(expr(c.expr()), indices(c.index()), span);
      case TkParser.MemberExprContext c -> member(c, span);
      case TkParser.GroupExprContext c when c.expr().size() == 1 -> new Expr.Paren(expr(c.expr(0)), span);
      case TkParser.GroupExprContext c -> new Expr.Tuple(exprs(c.expr()), span);
      case TkParser.ListExprContext c -> new Expr.ListOf(exprs(c.expr()), span);
      case TkParser.PadExprContext c -> new Expr.Pad(expr(c.expr(0)), expr(c.expr(1)), span);
      case TkParser.BinaryExprContext c -> {
        BinaryOp op = BINARY.get(c.op.getText());
        yield new Expr.Binary(op, spans.of(c.op), expr(c.expr(0)), expr(c.expr(1)), span);
      }
      case TkParser.UnaryExprContext c -> new Expr.Unary(unary(c.op), spans.of(c.op), expr(c.expr()), span);
      case TkParser.CastExprContext c ->
          new Expr.Cast(expr(c.expr()), name(c.name()), c.stop.getText().equals("wrap"), span);
      case TkParser.ChooseExprContext c -> new Expr.Choose(expr(c.expr(0)), expr(c.expr(1)), expr(c.expr(2)), span);
      default -> throw new IllegalStateException("no tree for " + ctx.getClass().getSimpleName());
    };
  }

  private Expr member(TkParser.MemberExprContext ctx, Span span) {
    Expr base = expr(ctx.expr());
    Name member = name(ctx.name());
    if (ctx.args() != null) {
      diagnostics.add(methodCall(member, ctx.args(), base));
    }
    return new Expr.Member(base, member, span);
  }

  private Diagnostic methodCall(Name member, TkParser.ArgsContext args, Expr base) {
    if (member.text().equals("on")) {
      return reserved(member.span(), ".on(…)");
    }
    boolean module = base instanceof Expr.Ref r && MODULES.contains(r.name().text());
    if (module) {
      return Diagnostic.error(Code.SYNTAX, "there are no modules")
          .label(base.span().to(member.span()), "functions have plain names")
          .help("leave out the module", base.span().to(member.span()), member.text());
    }
    String rest = args.arg().isEmpty() ? "" : ", …";
    return Diagnostic.error(Code.SYNTAX, "there are no method calls")
        .label(member.span(), "`" + member + "` is called as a member")
        .help("write `" + member + "(" + shorten(base.span().text()) + rest + ")`");
  }

  private static String shorten(String text) {
    return text.length() > 24 || text.contains("\n") ? "…" : text;
  }

  private static UnaryOp unary(Token op) {
    return switch (op.getText()) {
      case "-" -> UnaryOp.NEG;
      case "~" -> UnaryOp.BIT_NOT;
      case "not" -> UnaryOp.NOT;
      default -> throw new IllegalStateException("no unary operator " + op.getText());
    };
  }
}
