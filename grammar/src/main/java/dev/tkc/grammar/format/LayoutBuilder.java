package dev.tkc.grammar.format;

import dev.tkc.grammar.TkParser;
import dev.tkc.grammar.TkParser.ExprContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/**
 * The layout of each construct. What is not listed is its words with blanks between; the author decides whether a block
 * that fits stays on one line, whether statements share a line, and where a list that must be broken has further
 * breaks.
 */
final class LayoutBuilder {
  static final int STEP = 2;
  private static final int CONTINUATION = 4;

  /** Operators of one level share a group, so that a long sum breaks before each of its signs. */
  private static final Map<String, Integer> LEVELS =
      Map.ofEntries(
          Map.entry("**", 0),
          Map.entry("*", 1),
          Map.entry("/", 1),
          Map.entry("%", 1),
          Map.entry("@", 1),
          Map.entry("+", 2),
          Map.entry("-", 2),
          Map.entry("<<", 3),
          Map.entry(">>", 3),
          Map.entry("&", 4),
          Map.entry("^", 5),
          Map.entry("|", 6),
          Map.entry("and", 8),
          Map.entry("or", 9));

  private final Trivia trivia;

  /** Blanks before an equals sign, beyond the one. */
  private final Map<Token, Integer> padding = new HashMap<>();

  LayoutBuilder(Trivia trivia) {
    this.trivia = trivia;
  }

  Doc program(TkParser.ProgramContext ctx) {
    List<Doc> parts = new ArrayList<>();
    for (TkParser.ItemContext item : ctx.item()) {
      parts.add(doc(item));
      parts.add(new Doc.NewLine(true));
    }
    parts.add(word(ctx.EOF().getSymbol()));
    return new Doc.Seq(parts);
  }

  private static Doc word(Token token) {
    return new Doc.Word(token);
  }

  private Doc doc(ParseTree tree) {
    return switch (tree) {
      case TerminalNode leaf -> word(leaf.getSymbol());
      case TkParser.BlockContext c -> block(c.children);
      case TkParser.FnItemContext c -> header(c, c.where(), c.block());
      case TkParser.KernelItemContext c -> header(c, c.where(), c.block());
      case TkParser.ScheduleItemContext c -> braced(c.children);
      case TkParser.PhaseSettingContext c -> braced(c.children);
      case TkParser.ParallelStmtContext c -> looped(c);
      case TkParser.ForStmtContext c -> looped(c);
      case TkParser.ConstsContext c -> list(c.children, 1, true);
      case TkParser.ParamsContext c -> list(c.children, 1, true);
      case TkParser.ArgsContext c -> list(c.children, 1, true);
      case TkParser.TypeContext c -> c.getChildCount() == 1 ? spaced(c.children) : bracketed(c.children);
      case TkParser.PlaceContext c -> bracketed(c.children);
      case TkParser.ValueContext c -> c.getChildCount() == 1 ? spaced(c.children) : list(c.children, 1, false);
      case TkParser.ParamContext c -> param(c);
      case TkParser.ExprsContext c when c.getChildCount() == 1 -> doc(c.expr(0));
      case TkParser.ExprsContext c -> Doc.group(Doc.indent(CONTINUATION, fill(c.children)));
      case TkParser.AssignContext c -> tight(c.children);
      case TkParser.IndexContext c -> tight(c.children);
      case TkParser.RunStmtContext c -> run(c);
      // A list and a call indent what stands in their brackets.
      case TkParser.ListExprContext c -> expr(c);
      case TkParser.NameExprContext c -> expr(c);
      case ExprContext c -> Doc.group(Doc.indent(CONTINUATION, expr(c)));
      case ParserRuleContext c -> spaced(c.children);
      default -> throw new IllegalStateException("no layout for " + tree.getClass().getSimpleName());
    };
  }

  private Doc run(TkParser.RunStmtContext c) {
    Doc call = Doc.seq(doc(c.name()), doc(c.args()));
    return c.expr() == null ? call : Doc.seq(call, Doc.SPACE, spaced(c.children.subList(2, c.children.size())));
  }

  private Doc tight(List<ParseTree> children) {
    return new Doc.Seq(children.stream().map(this::doc).toList());
  }

  /** Words with blanks between, but none before a comma or colon and none around {@code ..}. */
  private Doc spaced(List<ParseTree> children) {
    List<Doc> parts = new ArrayList<>();
    String before = "..";
    for (ParseTree child : children) {
      String text = child instanceof TerminalNode ? child.getText() : "";
      boolean close = text.equals(",") || text.equals(":") || text.equals("..") || before.equals("..");
      if (!close) {
        parts.add(Doc.SPACE);
        Integer pad = padding.get(first(child));
        if (pad != null) {
          parts.add(new Doc.Pad(pad));
        }
      }
      parts.add(doc(child));
      before = text;
    }
    return new Doc.Seq(parts);
  }

  /** {@code children} separated by commas, as many on a line as fit and the source's line breaks kept. */
  private Doc fill(List<ParseTree> children) {
    List<Doc> parts = new ArrayList<>();
    List<Boolean> kept = new ArrayList<>();
    ParseTree comma = null;
    for (int i = 0; i < children.size(); i += 2) {
      ParseTree child = children.get(i);
      kept.add(comma != null && trivia.line(first(comma)) < trivia.line(first(child)));
      comma = i + 1 < children.size() ? children.get(i + 1) : null;
      parts.add(comma == null ? doc(child) : Doc.seq(doc(child), doc(comma)));
    }
    return new Doc.Fill(parts, kept);
  }

  /** A list in brackets: the first and last {@code brackets} children. */
  private Doc list(List<ParseTree> children, int brackets, boolean breakAfterOpening) {
    int end = children.size() - brackets;
    List<ParseTree> inner = children.subList(brackets, end);
    if (inner.isEmpty()) {
      return tight(children);
    }
    Doc fill = breakAfterOpening ? Doc.seq(Doc.SOFT, fill(inner)) : fill(inner);
    return Doc.group(
        tight(children.subList(0, brackets)),
        Doc.indent(CONTINUATION, fill),
        tight(children.subList(end, children.size())));
  }

  /** {@code x.member(…)[i, j]}: what comes before the bracket, and the list in it. */
  private Doc bracketed(List<ParseTree> children) {
    int open = 0;
    while (open < children.size() && !(children.get(open) instanceof TerminalNode t && t.getText().equals("["))) {
      open++;
    }
    return open == children.size() ? tight(children) : list(children, open + 1, children.size() - 1);
  }

  private Doc list(List<ParseTree> children, int from, int to) {
    return Doc.group(
        tight(children.subList(0, from)),
        Doc.indent(CONTINUATION, fill(children.subList(from, to))),
        tight(children.subList(to, children.size())));
  }

  /** A type on one line: where a head is too long, its parameters give way, not its results. */
  private Doc unbroken(TkParser.TypeContext c) {
    List<Doc> parts = new ArrayList<>();
    for (ParseTree child : c.children) {
      parts.add(child instanceof ExprContext e ? expr(e) : doc(child));
      if (child.getText().equals(",")) {
        parts.add(Doc.SPACE);
      }
    }
    return new Doc.Seq(parts);
  }

  /** {@code out x: f32[M] strides [S, 1]}. */
  private Doc param(TkParser.ParamContext c) {
    if (c.expr().isEmpty()) {
      return spaced(c.children);
    }
    int open = c.children.indexOf(c.expr(0)) - 1;
    return Doc.seq(
        spaced(c.children.subList(0, open)), Doc.SPACE, bracketed(c.children.subList(open, c.children.size())));
  }

  /**
   * A function or kernel: if its head takes more than a line, its {@code where} and its brace stand on lines of their
   * own.
   */
  private Doc header(ParserRuleContext c, TkParser.WhereContext where, TkParser.BlockContext block) {
    List<Doc> head = new ArrayList<>();
    boolean started = false;
    for (ParseTree child : c.children) {
      boolean close =
          child instanceof TkParser.ConstsContext || child instanceof TkParser.ParamsContext
          || child.getText().equals(",");
      if (child == where || child == block) {
        continue;
      }
      if (started && !close) {
        head.add(Doc.SPACE);
      }
      head.add(child instanceof TkParser.TypeContext result ? unbroken(result) : doc(child));
      started = true;
    }
    if (where == null) {
      return Doc.seq(new Doc.Seq(head), Doc.SPACE, doc(block));
    }
    Doc fact = Doc.indent(STEP, Doc.LINE, doc(where));
    return Doc.seq(Doc.group(new Doc.Seq(head), fact, Doc.LINE), doc(block));
  }

  /** {@code parallel} and {@code for}: the domains may take several lines. */
  private Doc looped(ParserRuleContext c) {
    List<Doc> parts = new ArrayList<>();
    String before = "";
    for (ParseTree child : c.children.subList(0, c.children.size() - 1)) {
      String text = child instanceof TerminalNode ? child.getText() : "";
      if (!parts.isEmpty() && !text.equals(",") && !text.equals(":")) {
        parts.add(before.equals(",") ? Doc.LINE : Doc.SPACE);
      }
      parts.add(doc(child));
      before = text;
    }
    Doc head = new Doc.Seq(parts);
    boolean breaks = parts.contains(Doc.LINE);
    return Doc.seq(breaks ? Doc.group(Doc.indent(CONTINUATION, head)) : head, Doc.SPACE, doc(c.children.getLast()));
  }

  /** Words, then settings in braces. */
  private Doc braced(List<ParseTree> children) {
    int open = 0;
    while (!children.get(open).getText().equals("{")) {
      open++;
    }
    return Doc.seq(spaced(children.subList(0, open)), Doc.SPACE, block(children.subList(open, children.size())));
  }

  /** Statements or settings in braces. */
  private Doc block(List<ParseTree> children) {
    Token open = first(children.getFirst());
    Token close = first(children.getLast());
    List<ParserRuleContext> entries = new ArrayList<>();
    for (ParseTree child : children) {
      if (child instanceof ParserRuleContext entry) {
        entries.add(entry);
      }
    }
    if (entries.isEmpty()) {
      Doc between = trivia.comments(close).isEmpty() ? Doc.EMPTY : new Doc.NewLine(false);
      return Doc.seq(word(open), between, word(close));
    }
    if (trivia.line(open) == trivia.line(close)) {
      return Doc.group(word(open), Doc.indent(STEP, Doc.LINE, joined(entries)), Doc.LINE, word(close));
    }
    align(entries);
    List<Doc> lines = new ArrayList<>();
    int from = 0;
    for (int i = 1; i <= entries.size(); i++) {
      if (i == entries.size() || !sharesLine(entries.get(i - 1), entries.get(i))) {
        lines.add(new Doc.NewLine(from > 0));
        lines.add(Doc.group(joined(entries.subList(from, i))));
        from = i;
      }
    }
    return Doc.seq(word(open), new Doc.Indent(STEP, new Doc.Seq(lines)), new Doc.NewLine(false), word(close));
  }

  /**
   * Where the source aligns the equals signs of statements on successive lines, so does the layout. Signs in one column
   * of which none has more than one blank before it are not aligned on purpose.
   */
  private void align(List<ParserRuleContext> entries) {
    int from = 0;
    for (int i = 1; i <= entries.size(); i++) {
      if (i == entries.size() || !aligned(entries.get(i - 1), entries.get(i))) {
        pad(entries.subList(from, i));
        from = i;
      }
    }
  }

  private boolean aligned(ParserRuleContext above, ParserRuleContext below) {
    Token a = equalsSign(above);
    Token b = equalsSign(below);
    return a != null
        && b != null
        && trivia.column(a) == trivia.column(b)
        && trivia.line(above.stop) + 1 == trivia.line(below.start)
        && trivia.line(above.start) == trivia.line(a)
        && trivia.line(below.start) == trivia.line(b)
        && trivia.comments(below.start).stream().allMatch(trivia::trails);
  }

  private void pad(List<ParserRuleContext> run) {
    if (run.size() < 2 || run.stream().noneMatch(entry -> trivia.gapBefore(equalsSign(entry)) > 1)) {
      return;
    }
    List<Integer> widths = run.stream().map(this::headWidth).toList();
    int widest = widths.stream().mapToInt(Integer::intValue).max().orElse(0);
    for (int i = 0; i < run.size(); i++) {
      if (widths.get(i) < widest) {
        padding.put(equalsSign(run.get(i)), widest - widths.get(i));
      }
    }
  }

  /** How wide the part before the equals sign is when laid out. */
  private int headWidth(ParserRuleContext entry) {
    int sign = equalsSign(entry).getTokenIndex();
    List<ParseTree> head = entry.children.stream().filter(c -> first(c).getTokenIndex() < sign).toList();
    return DocPrinter.print(spaced(head), trivia.withoutComments()).stripTrailing().length();
  }

  /** The equals sign of a statement that binds or stores; null if it has none. */
  private static Token equalsSign(ParserRuleContext entry) {
    return switch (entry) {
      case TkParser.LetStmtContext c -> first(c.getChild(2));
      case TkParser.VarStmtContext c -> first(c.getChild(c.getChildCount() - 2));
      case TkParser.AssignStmtContext c when c.assign().getText().equals("=") -> c.assign().start;
      default -> null;
    };
  }

  private Doc joined(List<? extends ParserRuleContext> entries) {
    List<Doc> parts = new ArrayList<>();
    for (ParserRuleContext entry : entries) {
      if (!parts.isEmpty()) {
        parts.add(Doc.LINE);
      }
      parts.add(doc(entry));
      if (entry != entries.getLast() && !hasBlock(entry)) {
        parts.add(new Doc.Separator());
      }
    }
    return new Doc.Seq(parts);
  }

  private boolean sharesLine(ParserRuleContext before, ParserRuleContext after) {
    return !hasBlock(before)
        && !hasBlock(after)
        && trivia.line(before.stop) == trivia.line(after.start)
        && trivia.comments(after.start).isEmpty();
  }

  private static boolean hasBlock(ParserRuleContext entry) {
    return switch (entry) {
      case TkParser.ParallelStmtContext _, TkParser.ForStmtContext _, TkParser.IfStmtContext _ -> true;
      case TkParser.PhaseSettingContext _ -> true;
      default -> false;
    };
  }

  private static Token first(ParseTree tree) {
    return tree instanceof TerminalNode leaf ? leaf.getSymbol() : ((ParserRuleContext) tree).start;
  }

  /** An expression without a group or indentation of its own. */
  private Doc expr(ExprContext ctx) {
    return switch (ctx) {
      case TkParser.BinaryExprContext c -> binary(c);
      case TkParser.AtExprContext c -> access(c);
      case TkParser.GroupExprContext c when c.expr().size() == 1 -> {
        List<ParseTree> parts = c.children;
        yield Doc.group(doc(parts.get(0)), expr(c.expr(0)), doc(parts.get(2)));
      }
      case TkParser.GroupExprContext c -> list(c.children, 1, false);
      case TkParser.ListExprContext c -> list(c.children, 1, true);
      case TkParser.MemberExprContext c ->
          Doc.seq(expr(c.expr()), tight(c.children.subList(1, c.children.size())));
      case TkParser.NameExprContext c -> tight(c.children);
      case TkParser.UnaryExprContext c when c.op.getText().equals("not") -> operands(c.children, Doc.SPACE);
      case TkParser.UnaryExprContext c -> operands(c.children, Doc.EMPTY);
      case TkParser.ChooseExprContext c -> choice(c);
      default -> operands(ctx.children, Doc.SPACE);
    };
  }

  private Doc operands(List<ParseTree> children, Doc between) {
    List<Doc> parts = new ArrayList<>();
    for (ParseTree child : children) {
      if (!parts.isEmpty()) {
        parts.add(between);
      }
      parts.add(child instanceof ExprContext operand ? expr(operand) : doc(child));
    }
    return new Doc.Seq(parts);
  }

  private Doc access(TkParser.AtExprContext c) {
    List<ParseTree> rest = c.children.subList(1, c.children.size());
    return Doc.seq(expr(c.expr()), list(rest, 1, rest.size() - 1));
  }

  private Doc choice(TkParser.ChooseExprContext c) {
    List<ParseTree> parts = c.children;
    return Doc.group(
        operands(parts.subList(0, 2), Doc.SPACE),
        Doc.LINE,
        operands(parts.subList(2, 4), Doc.SPACE),
        Doc.LINE,
        operands(parts.subList(4, 6), Doc.SPACE));
  }

  private Doc binary(TkParser.BinaryExprContext c) {
    List<Doc> parts = new ArrayList<>();
    chain(c, parts);
    return Doc.group(new Doc.Seq(parts));
  }

  /** {@code a + b - c}: the operands of one level, a break before each operator. */
  private void chain(TkParser.BinaryExprContext c, List<Doc> parts) {
    ExprContext left = c.expr(0);
    if (left instanceof TkParser.BinaryExprContext l && level(l) == level(c)) {
      chain(l, parts);
    } else {
      parts.add(expr(left));
    }
    parts.add(Doc.LINE);
    parts.add(word(c.op));
    parts.add(Doc.SPACE);
    parts.add(expr(c.expr(1)));
  }

  private static int level(TkParser.BinaryExprContext c) {
    return LEVELS.getOrDefault(c.op.getText(), 7);
  }
}
