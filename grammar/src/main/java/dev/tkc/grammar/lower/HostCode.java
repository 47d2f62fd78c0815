package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Block;
import dev.tkc.grammar.syntax.Domain;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Index;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.ir.Builder;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Host code: the statements of tests, executed as they are lowered. The builder runs each instruction appended at the
 * top level; every scalar there is therefore known, conditions and loops are plain, and tensors are tiles of any size.
 *
 * <p>A user's error is among {@link #findings}; the statement that holds it has no effect.
 */
public final class HostCode {
  private final Lowerer l;
  private final Host host;
  private final Scope scope = new Scope(null);

  public HostCode(Library library, Builder builder, Host host) {
    this.host = host;
    this.l = new Lowerer(library, new Findings(), builder, Lowerer.Place.HOST, host);
  }

  /** Binds a name to a tensor or scalar; it may be assigned like a {@code var}. */
  public void define(String name, Value value) {
    scope.var(name, l.result(value), null);
  }

  public void defineInt(String name, long value) {
    scope.var(name, Val.Int.of(value), null);
  }

  /** What a name stands for now; a number is emitted as a constant. Empty for names without a value. */
  public Optional<Value> lookup(String name) {
    Scope.Entry e = scope.find(name);
    return e == null ? Optional.empty() : Optional.ofNullable(value(new Operand(e.val(), null)));
  }

  public List<Diagnostic> findings() {
    return l.findings.list();
  }

  /** Runs a statement; false if it, or one inside it, is in error. */
  public boolean run(Stmt statement) {
    int before = l.findings.errors();
    Lowering.guarded(l.findings, statement.span(), () -> l.within(scope, () -> {
      statement(statement);
      return null;
    }));
    return l.findings.errors() == before;
  }

  /** Runs a block's statements up to the first in error; false if there is one. */
  public boolean run(Block block) {
    return block.statements().stream().allMatch(this::run);
  }

  /** The value of an expression; empty if it is in error or has none. */
  public Optional<Value> eval(Expr e) {
    Value[] out = new Value[1];
    Lowering.guarded(l.findings, e.span(), () -> l.within(scope, () -> {
      out[0] = value(l.exprs.operand(e));
      return null;
    }));
    return Optional.ofNullable(out[0]);
  }

  /** A value for what stands on its own: literals are f32, ints i64; null for what has no value. */
  private Value value(Operand o) {
    dev.tkc.ir.Loc loc = o.span() == null ? dev.tkc.ir.Loc.UNKNOWN : l.loc(o.span());
    return switch (o.val()) {
      case Val.Int i -> i.isKnown() ? l.builder().at(loc).constant(Literal.ofInt(i.known())) : i.value();
      case Val.Num n -> l.builder().at(loc).constant(Literal.of(Element.F32, Promotion.round(Element.F32, n.value())));
      case Val.Bool b -> l.builder().at(loc).constant(Literal.of(b.value()));
      case Val.Tile t -> t.value();
      case Val.Failed _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> null;
    };
  }

  // ------------------------------------------------------------------------------------------------ statements

  private void block(Block b) {
    l.inner(() -> {
      for (Stmt s : b.statements()) {
        int before = l.findings.errors();
        statement(s);
        if (l.findings.errors() > before) {
          return;
        }
      }
    });
  }

  private void statement(Stmt s) {
    host.step(s.span());
    switch (s) {
      case Stmt.Let _, Stmt.Var _ -> l.statements.statement(s);
      case Stmt.Assign a -> assign(a);
      case Stmt.For f -> loop(f, 0);
      case Stmt.If f -> choose(f, 0);
      case Stmt.Assert a ->
          truth(l.exprs.operand(a.condition()), a.message().orElse("the assertion does not hold"), a.span());
      case Stmt.Expect e -> expect(e);
      case Stmt.ExpectClose e -> close(e);
      case Stmt.Run r -> run(r);
      case Stmt.Temp t ->
          misplaced(t.span(), "`temp`", "a test makes tensors with `zeros`, `empty`, `randn` and their like");
      case Stmt.Parallel p -> misplaced(p.span(), "`parallel`", "it stands in kernels; a test calls them");
      case Stmt.Return r -> misplaced(r.span(), "`return`", "only functions return");
    }
  }

  private void misplaced(Span at, String what, String note) {
    l.error(Diagnostic.error(Code.POSITION, what + " has no place in a test").label(at, "").note(note));
  }

  private void choose(Stmt.If f, int at) {
    if (at == f.branches().size()) {
      f.otherwise().ifPresent(this::block);
      return;
    }
    Val c = l.branches.condition(f.branches().get(at).condition());
    if (c instanceof Val.Bool b) {
      if (b.value()) {
        block(f.branches().get(at).body());
      } else {
        choose(f, at + 1);
      }
    } else if (!c.failed()) {
      throw new IllegalStateException("a condition of host code is not known");
    }
  }

  private void loop(Stmt.For f, int depth) {
    if (depth == f.domains().size()) {
      block(f.body());
      return;
    }
    Domain d = f.domains().get(depth);
    int before = l.findings.errors();
    for (List<Val> round : rounds(d)) {
      host.step(d.span());
      l.inner(() -> {
        if (bind(d, round)) {
          loop(f, depth + 1);
        }
      });
      if (l.findings.errors() > before) {
        return;
      }
    }
  }

  private boolean bind(Domain d, List<Val> round) {
    if (round.size() != d.names().size()) {
      l.error(Diagnostic.error(Code.RESULT_COUNT, Plural.of(d.names().size(), "name") + " for "
              + Plural.of(round.size(), "value"))
          .label(d.names().get(0).span().to(d.names().get(d.names().size() - 1).span()), "names")
          .label(d.high().span(), "each of these gives " + round.size()));
      return false;
    }
    for (int i = 0; i < round.size(); i++) {
      l.loops.bind(d.names().get(i), round.get(i));
    }
    return true;
  }

  /** The values of a domain's names, round by round; lazily for ranges, which may be long. */
  private Iterable<List<Val>> rounds(Domain d) {
    boolean listed = d.low().isEmpty() && d.step().isEmpty();
    if (listed && d.high().bare() instanceof Expr.ListOf list) {
      return list.elements().stream().map(this::round).toList();
    }
    if (listed) {
      Operand o = l.exprs.operand(d.high());
      if (o.val() instanceof Val.Tile t && t.rank() > 0) {
        return slices(t, d);
      }
      Val.Int n = o.val().failed() ? null : l.ints.of(o);
      return n == null ? List.of() : positions(new Loops.Bounds(Val.Int.of(0), n, 0, null), d);
    }
    Loops.Bounds b = l.loops.bounds(d);
    return b == null ? List.of() : positions(b, d);
  }

  private List<Val> round(Expr e) {
    return e.bare() instanceof Expr.Tuple t ? t.elements().stream().map(l.exprs::one).toList()
        : List.of(l.exprs.one(e));
  }

  private List<List<Val>> slices(Val.Tile t, Domain d) {
    List<List<Val>> out = new ArrayList<>();
    for (int i = 0; i < t.type().shape().get(0); i++) {
      List<Index> indices = new ArrayList<>();
      Span at = d.high().span();
      indices.add(new Index.At(new Expr.IntLit(java.math.BigInteger.valueOf(i), at)));
      for (int k = 1; k < t.rank(); k++) {
        indices.add(new Index.Slice(Optional.empty(), Optional.empty(), at));
      }
      out.add(List.of(TileIndexing.index(l, new Operand(t, at), indices, at)));
    }
    return d.reversed() ? out.reversed() : out;
  }

  private Iterable<List<Val>> positions(Loops.Bounds b, Domain d) {
    long lo = b.lo().known();
    long step = Math.max(1, b.by());
    long rounds = b.hi().known() <= lo ? 0 : (b.hi().known() - lo + step - 1) / step;
    return () -> java.util.stream.LongStream.range(0, rounds)
        .map(i -> lo + step * (d.reversed() ? rounds - 1 - i : i))
        .mapToObj(p -> List.of(position(b, p, d)))
        .iterator();
  }

  private Val position(Loops.Bounds b, long p, Domain d) {
    return b.by() == 0 && b.walked() == null
        ? Val.Int.of(p) : l.loops.at(b, l.constant(d.span(), Literal.ofInt(p)), d.span());
  }

  // ------------------------------------------------------------------------------------------------ assignment

  private void assign(Stmt.Assign a) {
    if (a.places().stream().allMatch(p -> p.indices().isEmpty())) {
      l.assignments.assign(a);
      return;
    }
    if (a.places().size() != 1 || a.values().size() != 1) {
      l.error(Code.RESULT_COUNT, a.span(), "a part of a tensor is assigned by itself", "");
      return;
    }
    Stmt.Place place = a.places().get(0);
    Name name = place.name();
    Scope.Entry entry = l.scope().find(name.text());
    if (entry == null) {
      l.exprs.one(new Expr.Ref(name, name.span()));
      return;
    }
    if (!(entry.val() instanceof Val.Tile t) || !entry.isVariable()) {
      l.error(Diagnostic.error(Code.NOT_ASSIGNABLE, "`" + name + "` cannot be assigned in part")
          .label(place.span(), "this is " + entry.val().describe())
          .help("a tensor declared with `var` can be"));
      return;
    }
    Operand base = new Operand(t, name.span());
    TileIndexing.Part part = TileIndexing.part(l, base, t.type().shape(), place.indices(), place.span());
    Operand value = l.exprs.operand(a.values().get(0));
    if (part != null && !value.val().failed()) {
      patch(entry, t, part, value, a);
    }
  }

  private void patch(Scope.Entry entry, Val.Tile t, TileIndexing.Part part, Operand value, Stmt.Assign a) {
    Span at = a.places().get(0).span();
    Operand v = value;
    if (a.op() != Stmt.AssignOp.SET) {
      Value old = l.emit(at, new ShapeOp.Slice(t.value(), part.offsets(), part.sizes()));
      Operand before = new Operand(new Val.Tile(l.shaping.reshape(at, old, part.shape())), at);
      v = new Operand(l.assignments.combine(a.op(), before, value, a.span()), a.span());
    }
    Value x = v.val().failed() ? null : l.promotion.widenTo(v, t.element(), "`" + entry.name() + "` holds");
    if (x == null) {
      return;
    }
    if (!Shaping.repeats(x.tile().shape(), part.shape())) {
      l.error(Diagnostic.error(Code.SHAPE_MISMATCH, "the value does not have the shape of the place it is assigned to")
          .label(value.span(), "this is " + value.val().describe())
          .label(at, "this place is " + TileType.of(t.element(), part.shape())));
      return;
    }
    Value block = l.shaping.reshape(at, l.shaping.broadcast(at, x, part.shape()), part.sizes());
    entry.set(new Val.Tile(host.patch(t.value(), part.offsets(), block, at)));
  }

  // ------------------------------------------------------------------------------------------------ calls, expect

  private void run(Stmt.Run r) {
    var kernel = l.library.kernel(r.call().name().text());
    if (kernel.isEmpty()) {
      l.statements.statement(r);
      return;
    }
    new HostLaunch(l, host).call(kernel.get(), r.call());
  }

  private void expect(Stmt.Expect e) {
    if (e.claim().bare() instanceof Expr.Binary b && b.op() == Expr.BinaryOp.EQ) {
      Operand x = l.exprs.operand(b.left());
      Operand y = l.exprs.operand(b.right());
      if (x.val().failed() || y.val().failed()) {
        return;
      }
      if (x.val() instanceof Val.Int && y.val() instanceof Val.Int) {
        host.expectEqual(value(x), value(y), e.span());
        return;
      }
      Element t = l.promotion.common(List.of(x, y), Promotion.Rule.KEEP, e.span(), "`expect … == …`");
      if (t != null && sameShape(x, y)) {
        List<Integer> shape = x.val().shape().isEmpty() ? y.val().shape() : x.val().shape();
        Value p = l.shaping.broadcast(x.span(), l.promotion.to(x, t), shape);
        host.expectEqual(p, l.shaping.broadcast(y.span(), l.promotion.to(y, t), shape), e.span());
      }
      return;
    }
    truth(l.exprs.operand(e.claim()), "the expectation does not hold", e.span());
  }

  private boolean sameShape(Operand x, Operand y) {
    boolean same = x.val().shape().equals(y.val().shape()) || x.val().shape().isEmpty() || y.val().shape().isEmpty();
    if (!same) {
      l.error(Diagnostic.error(Code.SHAPE_MISMATCH, "`expect` compares tensors of one shape")
          .label(x.span(), "this is " + x.val().describe()).label(y.span(), "this is " + y.val().describe()));
    }
    return same;
  }

  private void truth(Operand o, String message, Span at) {
    if (o.val() instanceof Val.Bool || o.val() instanceof Val.Tile t && t.element().isBool()) {
      host.expectTrue(value(o), message, at);
    } else if (!o.val().failed()) {
      l.error(Code.CONDITION, o.span(), "a truth value is expected here", "this is " + o.val().describe());
    }
  }

  private void close(Stmt.ExpectClose e) {
    Operand x = l.exprs.operand(e.actual());
    Operand y = l.exprs.operand(e.expected());
    Double rel = bound(e.relative());
    Double abs = e.absolute().isPresent() ? bound(e.absolute().get()) : Double.valueOf(0);
    if (x.val().failed() || y.val().failed() || rel == null || abs == null) {
      return;
    }
    Value p = value(x);
    Value q = value(y);
    if (p == null || q == null) {
      l.promotion.wrongKind(p == null ? x : y, "a tensor or number");
    } else if (!p.tile().shape().equals(q.tile().shape())) {
      l.error(Diagnostic.error(Code.SHAPE_MISMATCH, "`expect` compares tensors of one shape")
          .label(x.span(), "this is " + x.val().describe()).label(y.span(), "this is " + y.val().describe()));
    } else {
      host.expectClose(p, q, rel, abs, e.span());
    }
  }

  /** A number that can be a bound; null after a report. */
  private Double bound(Expr e) {
    Double n = number(e);
    if (n != null && !(n >= 0 && n <= Double.MAX_VALUE)) {
      l.error(Code.LITERAL_RANGE, e.span(), "a bound is a finite number of at least 0", "this is " + n);
      return null;
    }
    return n;
  }

  private Double number(Expr e) {
    Operand o = l.exprs.operand(e);
    Optional<Double> n = switch (o.val()) {
      case Val.Num x -> Optional.of(x.value());
      case Val.Int i when i.isKnown() -> Optional.of((double) i.known());
      case Val.Tile t when t.rank() == 0 -> host.known(t.value()).map(Literal::asDouble);
      case Val.Failed _, Val.Int _, Val.Bool _, Val.Tile _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ ->
          Optional.empty();
    };
    if (n.isEmpty() && !o.val().failed()) {
      l.promotion.wrongKind(o, "a number");
    }
    return n.orElse(null);
  }
}
