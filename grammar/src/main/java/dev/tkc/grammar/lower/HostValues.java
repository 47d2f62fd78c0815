package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Promotion.Rule;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What only tests have: lists as tensors, random and poisoned tensors, {@code len}. */
final class HostValues {
  private HostValues() {}

  /** {@code [1, 2, 3]}: an i32 tensor, or f32 if any has a fraction. */
  static Val list(Lowerer l, Expr.ListOf list) {
    if (!l.isHost()) {
      return l.error(Diagnostic.error(Code.POSITION, "a list is a tensor in a test only")
          .label(list.span(), "not a value in a kernel or function")
          .help("pass the values as a tensor"));
    }
    Optional<Expr> nested = list.elements().stream().filter(e -> e.bare() instanceof Expr.ListOf).findFirst();
    if (nested.isPresent()) {
      return l.error(Diagnostic.error(Code.WRONG_KIND, "lists of lists are not tensors")
          .label(nested.get().span(), "a number is expected here")
          .help("write all elements in one list: `reshape([1, 2, 3, 4], [2, 2])`"));
    }
    List<Operand> all = list.elements().stream().map(l.exprs::operand).toList();
    if (all.stream().anyMatch(o -> o.val().failed())) {
      return Val.FAILED;
    }
    for (Operand o : all) {
      boolean constant = o.val() instanceof Val.Int i && i.isKnown() || o.val() instanceof Val.Num
          || o.val() instanceof Val.Bool;
      if (!constant && !(o.val() instanceof Val.Tile t && t.rank() == 0 && l.host().known(t.value()).isPresent())) {
        return l.promotion.wrongKind(o, "a number");
      }
    }
    Element e = all.isEmpty() ? Element.I32 : l.promotion.common(all, Rule.KEEP, list.span(), "a list");
    if (e == null) {
      return Val.FAILED;
    }
    List<Literal> elements = new ArrayList<>();
    for (Operand o : all) {
      elements.add(l.host().known(l.promotion.to(o, e)).orElseThrow());
    }
    return new Val.Tile(l.host().literal(TileType.of(e, List.of(all.size())), elements));
  }

  static Val randn(Arguments a) {
    return random(a, Host.Fill.RANDN);
  }

  static Val rand(Arguments a) {
    return random(a, Host.Fill.RAND);
  }

  private static Val random(Arguments a, Host.Fill fill) {
    TileType type = a.l().types.argument(a.expr("type"));
    OptionalLong seed = seed(a);
    if (type == null || seed.isEmpty()) {
      return Val.FAILED;
    }
    if (!type.element().isFloat() || type.element().isStorageOnly()) {
      return a.l().error(Diagnostic.error(Code.ELEMENT_TYPE, "`" + a.call().name() + "` makes tensors of floats")
          .label(a.expr("type").span(), "not a float type")
          .help("`randint(lo, hi, T[…], seed = n)` makes integers"));
    }
    return new Val.Tile(a.l().host().make(fill, type, seed.getAsLong(), 0, 0, a.span()));
  }

  static Val randint(Arguments a) {
    OptionalLong lo = a.l().ints.known(a.expr("lo"), "`lo`");
    OptionalLong hi = a.l().ints.known(a.expr("hi"), "`hi`");
    TileType type = a.l().types.argument(a.expr("type"));
    OptionalLong seed = seed(a);
    if (type == null || lo.isEmpty() || hi.isEmpty() || seed.isEmpty()) {
      return Val.FAILED;
    }
    Element e = type.element();
    if (!e.isInteger() && !e.isBool()) {
      return a.l().error(Code.ELEMENT_TYPE, a.expr("type").span(), "`randint` makes tensors of integers",
          "not an integer type");
    }
    long top = hi.getAsLong() - 1;
    if (lo.getAsLong() >= hi.getAsLong() || e.isInteger()
        && (!Integers.fits(e, lo.getAsLong()) || !Integers.fits(e, top))) {
      return a.l().error(Diagnostic.error(Code.LITERAL_RANGE,
          "no " + e.text() + " lies from " + lo.getAsLong() + " up to " + hi.getAsLong())
          .label(a.expr("lo").span(), "").label(a.expr("hi").span(), "excluded"));
    }
    return new Val.Tile(a.l().host().make(
        Host.Fill.RANDINT, type, seed.getAsLong(), lo.getAsLong(), hi.getAsLong(), a.span()));
  }

  private static OptionalLong seed(Arguments a) {
    return a.has("seed") ? a.l().ints.known(a.expr("seed"), "a seed") : OptionalLong.of(0);
  }

  static Val empty(Arguments a) {
    TileType type = a.l().types.argument(a.expr("type"));
    return type == null ? Val.FAILED : new Val.Tile(a.l().host().make(Host.Fill.EMPTY, type, 0, 0, 0, a.span()));
  }

  static Val len(Arguments a) {
    Operand x = a.operand("x");
    Val.Tile t = x.val().failed() ? null : a.tile(x);
    return t == null ? Val.FAILED : Val.Int.of(t.type().shape().get(0));
  }
}
