package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Arguments.Signature;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.ReductionOp.ArgKind;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ReductionOp.ScanKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The functions of the language, one row each: what it takes and what lowers it. In a row's parameters {@code ?} marks
 * one that may be left out and a leading {@code *} a list of tiles of any length.
 */
final class Builtins {
  /** A row: the signature, whether only tests may call it, and its lowering. */
  record Builtin(Signature signature, boolean testOnly, Function<Arguments, Val> lowering) {}

  static final Map<String, Builtin> TABLE = table();

  private Builtins() {}

  private static Map<String, Builtin> table() {
    Map<String, Builtin> t = new LinkedHashMap<>();
    for (UnaryKind k : List.of(UnaryKind.FLOOR, UnaryKind.CEIL, UnaryKind.ROUND, UnaryKind.SQRT, UnaryKind.RSQRT,
        UnaryKind.RCP, UnaryKind.EXP, UnaryKind.EXP2, UnaryKind.LOG, UnaryKind.LOG2, UnaryKind.SIN, UnaryKind.COS,
        UnaryKind.TANH, UnaryKind.ERF, UnaryKind.SIGMOID)) {
      String name = k.mnemonic();
      row(t, name, "x", a -> a.l().operators.function(k, name, a.operand("x"), a.span()));
    }
    row(t, "abs", "x", Elementwise::abs);
    row(t, "neg", "x", a -> a.operand("x").val() instanceof Val.Failed f ? f
        : a.l().operators.neg(a.operand("x"), a.span()));
    row(t, "min", "x y? axis?", a -> Reductions.minMax(a, BinaryKind.MIN, ReduceKind.MIN));
    row(t, "max", "x y? axis?", a -> Reductions.minMax(a, BinaryKind.MAX, ReduceKind.MAX));
    row(t, "fma", "a b c", Elementwise::fma);
    row(t, "where", "condition a b", Elementwise::where);
    row(t, "clamp", "x low high", Elementwise::clamp);
    row(t, "exact", "e", a -> a.l().exactly(() -> a.l().exprs.value(a.expr("e"))));

    row(t, "sum", "x axis?", a -> Reductions.reduce(a, ReduceKind.SUM));
    row(t, "prod", "x axis?", a -> Reductions.reduce(a, ReduceKind.PROD));
    row(t, "mean", "x axis?", Reductions::mean);
    row(t, "any", "x axis?", a -> Reductions.reduce(a, ReduceKind.ANY));
    row(t, "all", "x axis?", a -> Reductions.reduce(a, ReduceKind.ALL));
    row(t, "argmax", "x axis?", a -> Reductions.arg(a, ArgKind.ARGMAX));
    row(t, "argmin", "x axis?", a -> Reductions.arg(a, ArgKind.ARGMIN));
    row(t, "rowsum", "x", a -> Reductions.lines(a, ReduceKind.SUM, 1));
    row(t, "rowmax", "x", a -> Reductions.lines(a, ReduceKind.MAX, 1));
    row(t, "colsum", "x", a -> Reductions.lines(a, ReduceKind.SUM, 0));
    row(t, "colmax", "x", a -> Reductions.lines(a, ReduceKind.MAX, 0));
    row(t, "cumsum", "x axis reverse? exclusive?", a -> Reductions.scan(a, ScanKind.SUM));
    row(t, "cumprod", "x axis reverse? exclusive?", a -> Reductions.scan(a, ScanKind.PROD));
    row(t, "cummax", "x axis reverse? exclusive?", a -> Reductions.scan(a, ScanKind.MAX));
    row(t, "reduce", "* axis fn", Combines::reduce);
    row(t, "scan", "* axis fn reverse?", Combines::scan);

    row(t, "dot", "a b precision?", Elementwise::dot);
    row(t, "reshape", "x shape", Shapings::reshape);
    row(t, "concat", "* axis", Shapings::concat);
    row(t, "split", "x n axis", Shapings::split);
    row(t, "permute", "x order", Shapings::permute);
    row(t, "iota", "n", Shapings::iota);
    row(t, "zeros", "type", Shapings::zeros);
    row(t, "fill", "value type", Shapings::fill);
    row(t, "bitcast", "x type", Shapings::bitcast);

    row(t, "cdiv", "a b", Scalars::cdiv);
    row(t, "align_up", "a b", Scalars::alignUp);
    row(t, "align_down", "a b", Scalars::alignDown);
    row(t, "log2_ceil", "n", Scalars::log2Ceil);
    row(t, "rows", "i", a -> Scalars.lines(a, true));
    row(t, "cols", "j", a -> Scalars.lines(a, false));
    row(t, "valid", "j", Scalars::valid);
    row(t, "span", "lo size hi?", Scalars::span);
    row(t, "view", "x shape", Scalars::view);
    row(t, "philox", "seed offset", Scalars::philox);
    row(t, "uniform", "seed offset", Scalars::uniform);

    testOnly(t, "randn", "type seed?", HostValues::randn);
    testOnly(t, "rand", "type seed?", HostValues::rand);
    testOnly(t, "randint", "lo hi type seed?", HostValues::randint);
    testOnly(t, "empty", "type", HostValues::empty);
    testOnly(t, "len", "x", HostValues::len);
    return java.util.Collections.unmodifiableMap(t);
  }

  private static void row(Map<String, Builtin> t, String name, String params, Function<Arguments, Val> lowering) {
    t.put(name, new Builtin(signature(name, params), false, lowering));
  }

  private static void testOnly(Map<String, Builtin> t, String name, String params, Function<Arguments, Val> lowering) {
    t.put(name, new Builtin(signature(name, params), true, lowering));
  }

  private static Signature signature(String name, String params) {
    List<String> words = new ArrayList<>(Arrays.asList(params.split(" ")));
    boolean variadic = words.remove("*");
    List<String> optional = words.stream().filter(w -> w.endsWith("?"))
        .map(w -> w.substring(0, w.length() - 1)).toList();
    return new Signature(name, words.stream().map(w -> w.replace("?", "")).toList(), optional, variadic);
  }
}
