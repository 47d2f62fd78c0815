package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code reduce} and {@code scan} by a function of the program, over one or several tiles. */
final class Combines {
  private Combines() {}

  static Val reduce(Arguments a) {
    return combine(a, (xs, axis, region) -> new ReductionOp.ReduceWith(xs, axis, region));
  }

  static Val scan(Arguments a) {
    Boolean reverse = a.flag("reverse");
    return reverse == null ? Val.FAILED
        : combine(a, (xs, axis, region) -> new ReductionOp.ScanWith(xs, axis, reverse, region));
  }

  private interface Make {
    ReductionOp op(List<Value> xs, int axis, Region region);
  }

  private static Val combine(Arguments a, Make make) {
    Lowerer l = a.l();
    List<Operand> xs = a.rest().stream().map(l.exprs::operand).toList();
    for (Operand x : xs) {
      if (x.val().failed() || a.tile(x) == null) {
        return Val.FAILED;
      }
      if (!x.val().shape().equals(xs.get(0).val().shape())) {
        return l.error(Diagnostic.error(Code.SHAPE_MISMATCH, "`" + a.call().name() + "` takes tiles of one shape")
            .label(x.span(), "this is " + x.val().describe())
            .label(xs.get(0).span(), "this is " + xs.get(0).val().describe()));
      }
      if (x.val().typed().isStorageOnly()) {
        return l.operators.notDefined("`" + a.call().name() + "`", List.of(x));
      }
    }
    int axis = a.axis(a.expr("axis"), xs.get(0));
    Optional<Item.Fn> fn = function(a);
    if (axis < 0 || fn.isEmpty()) {
      return Val.FAILED;
    }
    Region region = region(a, fn.get(), xs);
    if (region == null) {
      return Val.FAILED;
    }
    List<Value> values = xs.stream().map(o -> ((Val.Tile) o.val()).value()).toList();
    Inst inst = l.append(a.span(), make.op(values, axis, region));
    List<Val> results = new ArrayList<>();
    inst.results().forEach(v -> results.add(new Val.Tile(v)));
    return results.size() == 1 ? results.get(0) : new Val.Many(results);
  }

  private static Optional<Item.Fn> function(Arguments a) {
    Expr e = a.expr("fn").bare();
    if (!(e instanceof Expr.Ref r)) {
      a.l().error(Code.WRONG_KIND, e.span(), "the name of a function is expected here", "");
      return Optional.empty();
    }
    Optional<Item.Fn> fn = a.l().library.function(r.name().text());
    if (fn.isEmpty() && Builtins.TABLE.containsKey(r.name().text())) {
      a.l().error(Diagnostic.error(Code.WRONG_KIND, "`" + r.name() + "` is a built-in function")
          .label(e.span(), "a function of the program is expected here")
          .help("write one that calls it: `fn larger(a: f32, b: f32) { return max(a, b) }`"));
    } else if (fn.isEmpty()) {
      a.l().error(a.l().calls.unknown(r.name()));
    }
    return fn;
  }

  /** The function on two tuples of scalars, left then right; null after a report. */
  private static Region region(Arguments a, Item.Fn fn, List<Operand> xs) {
    Lowerer l = a.l();
    List<Value> params = new ArrayList<>();
    List<Operand> operands = new ArrayList<>();
    for (int side = 0; side < 2; side++) {
      for (Operand x : xs) {
        Value v = new Value(TileType.scalar(x.val().typed()));
        params.add(v);
        operands.add(new Operand(new Val.Tile(v), x.span()));
      }
    }
    Region region = new Region(params);
    boolean[] ok = {true};
    l.builder().in(region, () -> {
      Val result = l.fns.call(fn, operands, a.expr("fn").span());
      List<Val> values = result instanceof Val.Many m ? m.values() : List.of(result);
      if (result.failed() || values.size() != xs.size()) {
        ok[0] = false;
        if (!result.failed()) {
          l.error(Diagnostic.error(Code.RESULT_COUNT,
              "`" + fn.name() + "` gives " + values.size() + " results for " + xs.size() + " tiles")
              .label(a.expr("fn").span(), "one result for each tile is wanted"));
        }
        return;
      }
      List<Value> yields = new ArrayList<>();
      for (int i = 0; i < values.size(); i++) {
        Element e = xs.get(i).val().typed();
        Value v = values.get(i).shape().isEmpty()
            ? l.promotion.widenTo(new Operand(values.get(i), a.expr("fn").span()), e, "the tile combined holds") : null;
        if (v == null) {
          ok[0] = false;
          if (!values.get(i).shape().isEmpty()) {
            l.error(Code.RANK_MISMATCH, a.expr("fn").span(), "`" + fn.name() + "` must give scalars for scalars", "");
          }
          return;
        }
        yields.add(v);
      }
      l.builder().at(l.loc(a.span())).yield(yields);
    });
    return ok[0] ? region : null;
  }
}
