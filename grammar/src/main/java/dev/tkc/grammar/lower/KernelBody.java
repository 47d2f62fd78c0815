package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Block;
import dev.tkc.grammar.syntax.Domain;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A kernel's own body: scalars, views, {@code temp}s, calls of kernels, and phases. */
final class KernelBody {
  private final Lowerer l;
  private final Specialisation.Schedule schedule;
  private final Set<String> labels = new HashSet<>();

  KernelBody(Lowerer l, Specialisation.Schedule schedule) {
    this.l = l;
    this.schedule = schedule;
  }

  void body(Block block) {
    block.statements().forEach(this::statement);
  }

  private void statement(Stmt s) {
    switch (s) {
      case Stmt.Let _, Stmt.Assert _ -> l.statements.statement(s);
      case Stmt.Temp t -> temp(t);
      case Stmt.Parallel p -> l.at(Lowerer.Place.PHASE, () -> parallel(p));
      case Stmt.Run r -> run(r);
      case Stmt.If f -> known(f, 0);
      case Stmt.Var v -> misplaced(v, "`var` has no place between phases", "scalars between phases are bound by `let`");
      case Stmt.Assign a -> misplaced(a, "nothing is assigned between phases", "tensors are written inside `parallel`");
      case Stmt.For f -> misplaced(f, "`for` has no place between phases", "loops stand inside `parallel`");
      case Stmt.Return r -> misplaced(r, "a kernel returns nothing", "it writes its `out` parameters");
      case Stmt.Expect e -> misplaced(e, "`expect` has no place here", "it stands in tests; a kernel has `assert`");
      case Stmt.ExpectClose e ->
          misplaced(e, "`expect` has no place here", "it stands in tests; a kernel has `assert`");
    }
  }

  private void misplaced(Stmt s, String message, String note) {
    l.error(Diagnostic.error(Code.POSITION, message)
        .label(s.span(), "in a kernel's own body")
        .note(note + "; a kernel's own body is `let`, `temp`, calls of kernels and `parallel`"));
  }

  /** An {@code if} whose condition is known chooses phases. */
  private void known(Stmt.If f, int at) {
    if (at == f.branches().size()) {
      f.otherwise().ifPresent(b -> l.inner(() -> body(b)));
      return;
    }
    Val c = l.branches.condition(f.branches().get(at).condition());
    if (c instanceof Val.Bool b) {
      if (b.value()) {
        l.inner(() -> body(f.branches().get(at).body()));
      } else {
        known(f, at + 1);
      }
    } else if (!c.failed()) {
      l.error(Diagnostic.error(Code.POSITION, "an `if` between phases needs a condition known at compile time")
          .label(f.branches().get(at).condition().span(), "known only at run time")
          .note("which phases a kernel has is decided when it is compiled"));
    }
  }

  private void run(Stmt.Run r) {
    String name = r.call().name().text();
    if (l.library.kernel(name).isPresent() && !l.library.isAmbiguous(name)) {
      new KernelCalls(l).call(l.library.kernel(r.call().name().text()).get(), r.call());
    } else {
      l.statements.statement(r);
    }
  }

  // ------------------------------------------------------------------------------------------------ temps

  private void temp(Stmt.Temp t) {
    Val made = tensor(t);
    l.scope().let(t.name().text(), made, t.name().span());
  }

  private Val tensor(Stmt.Temp t) {
    if (!(t.type() instanceof TypeExpr.Shaped shaped)) {
      return l.error(Diagnostic.error(Code.WRONG_KIND, "a `temp` is a tensor")
          .label(t.type().span(), "sizes are missing")
          .help("one element is `" + t.type().element() + "[1]`"));
    }
    Element e = l.types.element(shaped.element());
    List<Val.Int> dims = new ArrayList<>();
    shaped.dims().forEach(d -> dims.add(l.ints.of(d)));
    if (e == null || dims.contains(null)) {
      return Val.FAILED;
    }
    for (int i = 0; i < dims.size(); i++) {
      if (dims.get(i).isKnown() && dims.get(i).known() < 0) {
        return l.error(Code.TILE_SIZE, shaped.dims().get(i).span(), "a size cannot be negative",
            "this is " + dims.get(i).known());
      }
    }
    List<Value> sizes = dims.stream().map(d -> l.ints.value(d, t.span())).toList();
    Value v = l.emit(t.span(), new MemoryOp.Temp(sizes, e, t.name().text()));
    v.setName(t.name().text());
    return new Val.Tensor(v, e, dims, MemoryOp.Access.TEMP, t.name().text(), true, t.span());
  }

  // ------------------------------------------------------------------------------------------------ phases

  private void parallel(Stmt.Parallel p) {
    if (p.label().isPresent() && !labels.add(p.label().get().text())) {
      l.error(Code.DUPLICATE_NAME, p.label().get().span(), "two phases are called `" + p.label().get() + "`",
          "again here");
    }
    l.loops.distinct(p.domains());
    l.inner(() -> nest(p, 0));
  }

  private void nest(Stmt.Parallel p, int depth) {
    if (depth == p.domains().size()) {
      l.statements.block(p.body());
      return;
    }
    Domain d = p.domains().get(depth);
    if (d.reversed()) {
      l.error(Diagnostic.error(Code.POSITION, "`reversed` has no meaning in `parallel`")
          .label(d.span(), "blocks run in any order"));
    }
    Loops.Bounds[] bounds = new Loops.Bounds[1];
    Region aside = new Region();
    l.builder().in(aside, () -> bounds[0] = l.loops.bounds(d));
    if (bounds[0] == null) {
      failed(p, depth);
      return;
    }
    if (depth == 0 && needsBlock(aside)) {
      // A load needs a block around it: one block, inside which the phase's real domains are ragged work.
      Region one = new Region(List.of(new Value(TileType.integer())));
      l.builder().in(one, () -> {
        phase(p, depth, bounds[0], aside);
        l.builder().yield(List.of());
      });
      Value zero = l.constant(d.span(), dev.tkc.ir.op.Literal.ofInt(0));
      Value end = l.constant(d.span(), dev.tkc.ir.op.Literal.ofInt(1));
      annotate(p, l.append(d.span(), new ControlOp.Parallel(zero, end, 1, one)));
      return;
    }
    Inst inst = phase(p, depth, bounds[0], aside);
    if (depth == 0) {
      annotate(p, inst);
    }
  }

  private Inst phase(Stmt.Parallel p, int depth, Loops.Bounds bounds, Region aside) {
    Domain d = p.domains().get(depth);
    l.branches.inline(aside);
    Value position = new Value(TileType.integer(), d.names().get(0).isDiscard() ? "" : d.names().get(0).text());
    Region body = new Region(List.of(position));
    Value lo = l.ints.value(bounds.lo(), d.span());
    Value hi = l.ints.value(bounds.hi(), d.span());
    l.builder().in(body, () -> l.inner(() -> {
      l.loops.bind(d.names().get(0), l.loops.at(bounds, position, d.span()));
      nest(p, depth + 1);
      l.builder().at(l.loc(d.span())).yield(List.of());
    }));
    return l.append(d.span(), new ControlOp.Parallel(lo, hi, Math.max(1, bounds.by()), body));
  }

  private void annotate(Stmt.Parallel p, Inst inst) {
    p.label().ifPresent(label -> {
      inst.annotate("label", label.text());
      schedule.phases().getOrDefault(label.text(), Map.of()).forEach(inst::annotate);
    });
  }

  /**
   * Whether bounds read tensors or compute tiles. Tensors must then be read-only: no phase may change how much work it
   * is.
   */
  private boolean needsBlock(Region aside) {
    boolean[] any = {false};
    aside.walk(i -> {
      any[0] |= i.results().stream().anyMatch(r -> !(r.type() instanceof TileType t && t.isScalar()));
      if (i.op() instanceof MemoryOp.Load load) {
        any[0] = true;
        boolean readOnly = load.tensor().definition() != null
            && (load.tensor().definition().op() instanceof MemoryOp.MakeTensor m
            ? m.access() == MemoryOp.Access.IN : load.tensor().definition().op() instanceof MemoryOp.View);
        if (!readOnly && i.loc().span().isPresent()) {
          l.error(Diagnostic.error(Code.POSITION, "the bounds of `parallel` read read-only tensors only")
              .label(i.loc().span().get(), "this tensor may be written"));
        }
      }
    });
    return any[0];
  }

  private void failed(Stmt.Parallel p, int depth) {
    l.builder().in(new Region(), () -> l.inner(() -> {
      for (Domain d : p.domains().subList(depth, p.domains().size())) {
        d.names().forEach(n -> l.loops.bind(n, Val.FAILED));
      }
      l.statements.block(p.body());
    }));
  }
}
