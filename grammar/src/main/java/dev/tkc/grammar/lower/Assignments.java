package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.grammar.syntax.Stmt.AssignOp;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.op.MemoryOp.AtomicKind;
import dev.tkc.ir.type.TileType;
import java.util.List;

/** Assignments to variables and stores to tensors. All values are computed before the first place is written. */
final class Assignments {
  private final Lowerer l;

  Assignments(Lowerer l) {
    this.l = l;
  }

  void assign(Stmt.Assign s) {
    if (s.op() != AssignOp.SET && (s.places().size() != 1 || s.values().size() != 1)) {
      l.error(Diagnostic.error(Code.RESULT_COUNT, "`" + s.op().text() + "` takes one place and one value")
          .label(s.opSpan(), ""));
      return;
    }
    if (s.op() != AssignOp.SET) {
      update(s.places().get(0), s);
      return;
    }
    List<Operand> values = l.statements.values(s.values());
    if (values.size() != s.places().size()) {
      if (values.stream().noneMatch(o -> o.val().failed())) {
        l.error(Diagnostic.error(Code.RESULT_COUNT, Plural.of(s.places().size(), "place") + " for "
                + Plural.of(values.size(), "value"))
            .label(s.places().get(0).span().to(s.places().get(s.places().size() - 1).span()), "places")
            .label(s.values().get(0).span().to(s.values().get(s.values().size() - 1).span()), "values")
            .help("`_` discards a value"));
      }
      return;
    }
    for (int i = 0; i < values.size(); i++) {
      set(s.places().get(i), values.get(i));
    }
  }

  private void set(Stmt.Place place, Operand value) {
    if (place.name().isDiscard()) {
      return;
    }
    Scope.Entry entry = find(place);
    if (entry == null || entry.val().failed()) {
      return;
    }
    if (entry.val() instanceof Val.Tensor t) {
      if (place.indices().isEmpty()) {
        whole(t, place);
      } else {
        l.accesses.store(t, place.indices(), value, place.span());
      }
      return;
    }
    if (isVariable(entry, place)) {
      Val v = converted(entry, value);
      if (!v.failed()) {
        entry.set(v);
      }
    }
  }

  private void whole(Val.Tensor t, Stmt.Place place) {
    String every = String.join(", ", java.util.Collections.nCopies(t.dims().size(), "…"));
    l.error(Diagnostic.error(Code.NOT_ASSIGNABLE, "a tensor is written a tile at a time")
        .label(place.span(), "this is " + t.describe())
        .help("say where: `" + t.name() + "[" + every + "] = …`"));
  }

  private Scope.Entry find(Stmt.Place place) {
    Scope.Entry entry = l.scope().find(place.name().text());
    if (entry == null) {
      Diagnostic d = Diagnostic.error(Code.UNKNOWN_NAME, "there is no `" + place.name() + "` here")
          .label(place.name().span(), "not found");
      var close = Suggest.closest(place.name().text(), l.scope().names());
      l.error(close.isPresent()
          ? d.help("did you mean `" + close.get() + "`?", place.name().span(), close.get())
          : d.help(place.indices().isEmpty() ? "declare it: `var " + place.name() + " = …`"
              : "a tensor is a parameter, `out " + place.name() + ": …`, or a `temp`"));
    }
    return entry;
  }

  private boolean isVariable(Scope.Entry entry, Stmt.Place place) {
    if (!place.indices().isEmpty()) {
      l.error(Diagnostic.error(Code.NOT_ASSIGNABLE, "a part of a tile cannot be assigned")
          .label(place.span(), "`" + entry.name() + "` is " + entry.val().describe())
          .help("make a new tile: `" + entry.name() + " = where(…, value, " + entry.name() + ")`"));
      return false;
    }
    if (!entry.isVariable()) {
      Diagnostic d = Diagnostic.error(Code.NOT_ASSIGNABLE, "`" + entry.name() + "` cannot be assigned")
          .label(place.span(), "assigned here");
      d = entry.declared() != null ? d.label(entry.declared(), "declared here without `var`") : d;
      l.error(d.help("declare it with `var`, or give the new value a name with `let`"));
      return false;
    }
    return true;
  }

  /** The type of a variable that holds {@code v}. */
  static TileType type(Val v) {
    return switch (v) {
      case Val.Int _ -> TileType.integer();
      case Val.Bool _ -> TileType.bool();
      case Val.Tile t -> t.type();
      case Val.Failed _, Val.Num _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ ->
          throw new IllegalStateException("a variable holds " + v.describe());
    };
  }

  /** A value in the type of the variable it is assigned to. */
  private Val converted(Scope.Entry entry, Operand value) {
    if (value.val().failed()) {
      return Val.FAILED;
    }
    TileType type = type(entry.val());
    if (entry.val() instanceof Val.Int && (value.val() instanceof Val.Num
        || value.val() instanceof Val.Tile t && t.rank() == 0 && t.element().isFloat())) {
      return l.error(Diagnostic.error(Code.WRONG_KIND, "`" + entry.name() + "` is an `int`")
          .label(value.span(), "this is " + value.val().describe())
          .label(entry.declared(), "its first value says so")
          .help("declare it with its type: `var " + entry.name() + ": f32 = …`"));
    }
    if (entry.val() instanceof Val.Int) {
      Val.Int i = l.ints.of(value);
      return i == null ? Val.FAILED : i;
    }
    if (entry.val() instanceof Val.Bool && value.val() instanceof Val.Bool b) {
      return b;
    }
    Value v = l.promotion.widenTo(value, type.element(), "`" + entry.name() + "` is");
    if (v == null) {
      return Val.FAILED;
    }
    if (!v.tile().shape().equals(type.shape())) {
      Diagnostic d = Diagnostic.error(v.tile().rank() == type.rank() ? Code.SHAPE_MISMATCH : Code.RANK_MISMATCH,
              "the value does not have the shape of `" + entry.name() + "`")
          .label(value.span(), "this is " + value.val().describe())
          .label(entry.declared(), "`" + entry.name() + "` is " + entry.val().describe());
      if (type.isScalar()) {
        String tile = v.tile().withoutLayout().text();
        return l.error(d.help("declare it as a tile, as in `var " + entry.name() + " = fill(…, " + tile + ")`"));
      }
      return l.error(v.tile().isScalar()
          ? d.help("repeat the scalar: `fill(" + value.span().text() + ", " + type.text() + ")`") : d);
    }
    return new Val.Tile(v);
  }

  // ------------------------------------------------------------------------------------------------ updates

  private void update(Stmt.Place place, Stmt.Assign s) {
    Expr e = s.values().get(0);
    Scope.Entry entry = place.name().isDiscard() ? null : find(place);
    if (entry == null || entry.val().failed()) {
      l.exprs.one(e);
      return;
    }
    if (entry.val() instanceof Val.Tensor t) {
      updateTensor(t, place, s);
      return;
    }
    if (!isVariable(entry, place)) {
      return;
    }
    if (s.op() == AssignOp.ADD && accumulate(entry, e)) {
      return;
    }
    Operand old = new Operand(entry.val(), place.span());
    Operand value = l.exprs.operand(e);
    if (value.val().failed()) {
      return;
    }
    Val v = combine(s.op(), old, value, s.span());
    Val c = converted(entry, new Operand(v, s.span()));
    if (!c.failed()) {
      entry.set(c);
    }
  }

  Val combine(AssignOp op, Operand old, Operand value, Span at) {
    return switch (op) {
      case SET -> value.val();
      case ADD -> l.operators.arithmetic(BinaryKind.ADD, "+", old, value, at);
      case SUB -> l.operators.arithmetic(BinaryKind.SUB, "-", old, value, at);
      case MUL -> l.operators.arithmetic(BinaryKind.MUL, "*", old, value, at);
      case DIV -> l.operators.arithmetic(BinaryKind.DIV, "/", old, value, at);
      case MIN -> l.operators.minMax(BinaryKind.MIN, "min", old, value, at);
      case MAX -> l.operators.minMax(BinaryKind.MAX, "max", old, value, at);
    };
  }

  /** {@code acc += a @ b} accumulates in place if the variable has the product's type; false if it is no such thing. */
  private boolean accumulate(Scope.Entry entry, Expr value) {
    if (!(entry.val() instanceof Val.Tile acc)) {
      return false;
    }
    Expr bare = value.bare();
    Operand a;
    Operand b;
    Precision precision = Precision.DEFAULT;
    if (bare instanceof Expr.Binary x && x.op() == Expr.BinaryOp.MATMUL) {
      a = l.exprs.operand(x.left());
      b = l.exprs.operand(x.right());
    } else if (bare instanceof Expr.Call c && c.name().text().equals("dot")) {
      var args = Arguments.bind(l, c, Builtins.TABLE.get("dot").signature());
      if (args.isEmpty()) {
        return true;
      }
      precision = Elementwise.precision(args.get());
      if (precision == null) {
        return true;
      }
      a = args.get().operand("a");
      b = args.get().operand("b");
    } else {
      return false;
    }
    TileType type = l.products.resultType(a, b, precision, bare.span());
    if (type == null) {
      return true;
    }
    Val v;
    if (type.equals(acc.type())) {
      v = l.products.product(a, b, acc.value(), precision, value.span());
    } else {
      Val product = l.products.product(a, b, null, precision, value.span());
      Val sum = l.operators.arithmetic(BinaryKind.ADD, "+", new Operand(acc, entry.declared()),
          new Operand(product, value.span()), value.span());
      v = converted(entry, new Operand(sum, value.span()));
    }
    if (!v.failed()) {
      entry.set(v);
    }
    return true;
  }

  private void updateTensor(Val.Tensor t, Stmt.Place place, Stmt.Assign s) {
    Operand value = l.exprs.operand(s.values().get(0));
    if (place.indices().isEmpty()) {
      whole(t, place);
      return;
    }
    AtomicKind kind = switch (s.op()) {
      case ADD -> AtomicKind.ADD;
      case SUB -> AtomicKind.SUB;
      case MIN -> AtomicKind.MIN;
      case MAX -> AtomicKind.MAX;
      case SET, MUL, DIV -> null;
    };
    if (kind == null) {
      l.error(Diagnostic.error(Code.NOT_ASSIGNABLE, "`" + s.op().text() + "` does not update a tensor")
          .label(s.opSpan(), "tensors are updated by `+= -= min= max=`")
          .label(place.span(), "this is a place in " + t.describe())
          .help("load, compute and store: `x[…] = x[…] * …`"));
      return;
    }
    l.accesses.atomic(t, place.indices(), value, kind, place.span());
  }
}
