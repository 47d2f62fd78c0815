package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Domain;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Domains of {@code for} and {@code parallel}, and {@code for} itself with the variables it carries. */
final class Loops {
  /**
   * A domain worked out.
   *
   * @param by lanes of the range bound in each round; 0 where the name is an int
   * @param walked the strided range whose lanes are walked, or null
   */
  record Bounds(Val.Int lo, Val.Int hi, int by, Val.Range walked) {}

  private final Lowerer l;

  Loops(Lowerer l) {
    this.l = l;
  }

  /** Works out a domain, or null after a report. */
  Bounds bounds(Domain d) {
    if (d.names().size() != 1) {
      l.error(Diagnostic.error(Code.POSITION, "several names take a list of tuples apart, in a test")
          .label(d.names().get(0).span().to(d.names().get(d.names().size() - 1).span()),
              d.names().size() + " names here"));
      return null;
    }
    int by = 0;
    if (d.step().isPresent()) {
      Expr step = d.step().get();
      if (step.bare() instanceof Expr.Unary u && u.op() == Expr.UnaryOp.NEG) {
        l.error(Diagnostic.error(Code.TILE_SIZE, "the size of a range, after `by`, must be at least 1")
            .label(step.span(), "this is negative")
            .help("`lo..hi by B reversed` walks the same tiles from the last one"));
        return null;
      }
      by = l.ints.size(step, "the size of a range, after `by`,");
      if (by == 0) {
        l.error(Code.TILE_SIZE, d.step().get().span(), "a range has at least one lane", "this is 0");
      }
      if (by < 1 || !l.fits(List.of(by), dev.tkc.ir.type.Element.I32, d.step().get().span())) {
        return null;
      }
    }
    Operand high = l.exprs.operand(d.high());
    Val.Int lo = d.low().isPresent() ? l.ints.of(d.low().get()) : Val.Int.of(0);
    if (high.val() instanceof Val.Range r && d.low().isEmpty()) {
      return walk(r, by, d.span());
    }
    if (high.val() instanceof Val.Tile t && t.rank() > 0) {
      l.error(Diagnostic.error(Code.WRONG_KIND, "the end of a range is an int")
          .label(high.span(), "this is " + t.describe())
          .note("a list or tensor is walked in tests only"));
      return null;
    }
    Val.Int hi = high.val().failed() ? null : l.ints.of(high);
    return lo == null || hi == null ? null : new Bounds(lo, hi, by, null);
  }

  private Bounds walk(Val.Range r, int by, Span at) {
    if (r.stride().is(1)) {
      Val.Int end = r.limit() != null
          ? l.ints.min(l.ints.add(r.start(), Val.Int.of(r.size()), at), r.limit(), at)
          : l.ints.add(r.start(), l.ranges.count(r, at), at);
      return new Bounds(r.start(), end, by, null);
    }
    return new Bounds(Val.Int.of(0), l.ranges.count(r, at), by, r);
  }

  /** What the domain's name stands for at a position. */
  Val at(Bounds b, Value position, Span span) {
    Val.Int p = Val.Int.of(position);
    Val.Range w = b.walked();
    if (b.by() == 0) {
      return w == null ? p : l.ints.add(w.start(), l.ints.mul(p, w.stride(), span), span);
    }
    Val.Int left = l.ints.sub(b.hi(), p, span);
    if (w == null) {
      return l.ranges.make(p, Val.Int.of(1), left, b.hi(), b.by(), p, b.lo(), span);
    }
    Val.Int start = l.ints.add(w.start(), l.ints.mul(p, w.stride(), span), span);
    return l.ranges.make(start, w.stride(), left, null, b.by(), p, b.lo(), span);
  }

  /** Reports names that two domains of one statement bind. */
  void distinct(List<Domain> domains) {
    Map<String, Name> seen = new HashMap<>();
    domains.stream().flatMap(d -> d.names().stream()).filter(n -> !n.isDiscard()).forEach(n -> {
      Name first = seen.putIfAbsent(n.text(), n);
      if (first != null) {
        l.error(Diagnostic.error(Code.DUPLICATE_NAME, "two domains bind `" + n + "`")
            .label(n.span(), "bound again here").label(first.span(), "first bound here"));
      }
    });
  }

  void loop(Stmt.For f) {
    distinct(f.domains());
    List<Scope.Entry> carried = Assigned.entries(l.scope(), List.of(f.body()));
    nest(f, 0, carried);
  }

  private void nest(Stmt.For f, int depth, List<Scope.Entry> carried) {
    if (depth == f.domains().size()) {
      l.statements.block(f.body());
      return;
    }
    Domain d = f.domains().get(depth);
    Bounds bounds = bounds(d);
    if (bounds == null) {
      failed(f, depth);
      return;
    }
    List<Value> inits = carried.stream().map(e -> value(e, d.span())).toList();
    Value position = new Value(TileType.integer(), d.names().get(0).isDiscard() ? "" : d.names().get(0).text());
    List<Value> params = new ArrayList<>(List.of(position));
    for (int i = 0; i < inits.size(); i++) {
      params.add(new Value(inits.get(i).type(), carried.get(i).name()));
    }
    Region body = new Region(params);
    l.builder().in(body, () -> l.inner(() -> {
      // Inside, for what a region is given is not known to host code, which knows all numbers outside.
      for (int i = 0; i < carried.size(); i++) {
        carried.get(i).set(l.result(params.get(i + 1)));
      }
      bind(d.names().get(0), at(bounds, position, d.span()));
      nest(f, depth + 1, carried);
      List<Value> out = carried.stream().map(e -> value(e, d.span())).toList();
      l.builder().at(l.loc(d.span())).yield(out);
    }));
    Value lo = l.ints.value(bounds.lo(), d.span());
    Value hi = l.ints.value(bounds.hi(), d.span());
    Inst loop = l.append(d.span(), new ControlOp.For(lo, hi, Math.max(1, bounds.by()), inits, d.reversed(), body));
    for (int i = 0; i < carried.size(); i++) {
      loop.results().get(i).setName(carried.get(i).name());
      carried.get(i).set(l.result(loop.results().get(i)));
    }
  }

  /** Looks at the rest of a loop whose domain is in error, with its names unknown. */
  private void failed(Stmt.For f, int depth) {
    l.builder().in(new Region(), () -> l.inner(() -> {
      for (Domain d : f.domains().subList(depth, f.domains().size())) {
        d.names().forEach(n -> bind(n, Val.FAILED));
      }
      l.statements.block(f.body());
    }));
  }

  private Value value(Scope.Entry e, Span at) {
    return switch (e.val()) {
      case Val.Int i -> l.ints.value(i, at);
      case Val.Bool b -> l.constant(at, dev.tkc.ir.op.Literal.of(b.value()));
      case Val.Tile t -> t.value();
      case Val.Failed _, Val.Num _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ ->
          throw new IllegalStateException("a variable holds " + e.val().describe());
    };
  }

  void bind(Name name, Val v) {
    if (!name.isDiscard()) {
      l.scope().let(name.text(), v, name.span());
    }
  }
}
