package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Promotion.Rule;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Choices on scalars. A condition known now leaves only the side taken; sides that only compute scalars become a {@code
 * select}, others regions of an {@code if}, so that what is not chosen is not executed.
 */
final class Branches {
  /** One side, lowered into a region of its own that still lacks its yield. */
  record Side(Region region, List<Operand> values) {
    boolean failed() {
      return values.stream().anyMatch(o -> o.val().failed());
    }
  }

  private final Lowerer l;

  Branches(Lowerer l) {
    this.l = l;
  }

  /** A condition: a bool scalar. {@link Val#FAILED} after a report. */
  Val condition(Expr e) {
    Operand o = l.exprs.operand(e);
    return switch (o.val()) {
      case Val.Bool b -> b;
      case Val.Failed f -> f;
      case Val.Tile t when t.rank() == 0 && t.element().isBool() -> t;
      case Val.Int _, Val.Num _, Val.Tile _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> {
        Diagnostic d = Diagnostic.error(Code.CONDITION, "a condition is a truth value")
            .label(o.span(), "this is " + o.val().describe());
        boolean tile = o.val() instanceof Val.Tile t && t.rank() > 0;
        yield l.error(tile
            ? d.help("choose element by element with `where(condition, a, b)`, or reduce it with `any(…)` or `all(…)`")
            : d.help("compare it: `" + o.span().text() + " != 0`"));
      }
    };
  }

  Val choose(Expr.Choose c) {
    Val condition = condition(c.condition());
    if (condition.failed()) {
      discard(c.yes());
      discard(c.no());
      return Val.FAILED;
    }
    if (condition instanceof Val.Bool b) {
      return l.exprs.one(b.value() ? c.yes() : c.no());
    }
    Side yes = side(() -> List.of(l.exprs.operand(c.yes())));
    Side no = side(() -> List.of(l.exprs.operand(c.no())));
    List<Val> joined = join(((Val.Tile) condition).value(), yes, no, c.span());
    return joined == null ? Val.FAILED : joined.get(0);
  }

  /** Looks for errors in what will not be used. */
  private void discard(Expr e) {
    l.builder().in(new Region(), () -> l.exprs.one(e));
  }

  /** {@code and} and {@code or}: on scalars the right side is evaluated only where it matters. */
  Val logical(Expr.Binary b) {
    boolean and = b.op() == Expr.BinaryOp.AND;
    Operand left = l.exprs.operand(b.left());
    if (left.val() instanceof Val.Bool x && x.value() != and) {
      discard(b.right());
      return x;
    }
    if (!(left.val() instanceof Val.Tile t && t.rank() == 0 && t.element().isBool())) {
      return l.operators.binary(b.op(), left, l.exprs.operand(b.right()), b.span());
    }
    Side right = side(() -> List.of(l.exprs.operand(b.right())));
    Operand r = right.values().get(0);
    if (right.failed()) {
      return Val.FAILED;
    }
    boolean scalar = r.val() instanceof Val.Tile s && s.rank() == 0 && s.element().isBool();
    if (!scalar || isCheap(right.region())) {
      inline(right.region());
      return l.operators.binary(b.op(), left, r, b.span());
    }
    Side constant = side(() -> List.of(new Operand(new Val.Bool(!and), b.span())));
    Value condition = ((Val.Tile) left.val()).value();
    List<Val> joined = and ? join(condition, right, constant, b.span()) : join(condition, constant, right, b.span());
    return joined == null ? Val.FAILED : joined.get(0);
  }

  Side side(Supplier<List<Operand>> body) {
    Region region = new Region();
    List<Operand> values = new ArrayList<>();
    l.builder().in(region, () -> values.addAll(body.get()));
    return new Side(region, values);
  }

  /** Both sides' values in common types, one value each, or null after a report. */
  List<Val> join(Value condition, Side yes, Side no, Span at) {
    if (yes.failed() || no.failed()) {
      return null;
    }
    if (yes.values().size() != no.values().size()) {
      l.error(Code.RESULT_COUNT, at, "the two sides give different numbers of values",
          yes.values().size() + " and " + no.values().size());
      return null;
    }
    List<TileType> types = new ArrayList<>();
    for (int i = 0; i < yes.values().size(); i++) {
      TileType t = type(yes.values().get(i), no.values().get(i), at);
      if (t == null) {
        return null;
      }
      types.add(t);
    }
    return join(condition, yes, no, types, at);
  }

  /** The type in which the two sides meet, or null after a report. */
  private TileType type(Operand a, Operand b, Span at) {
    if (a.val() instanceof Val.Int && b.val() instanceof Val.Int) {
      return TileType.integer();
    }
    if (a.val() instanceof Val.Bool && b.val() instanceof Val.Bool) {
      return TileType.bool();
    }
    Element e = l.promotion.common(List.of(a, b), Rule.KEEP, at, "`if … then … else`");
    if (e == null) {
      return null;
    }
    if (!a.val().shape().equals(b.val().shape())) {
      l.error(Diagnostic.error(Code.SHAPE_MISMATCH, "the two sides of a choice have different shapes")
          .label(b.span(), "this is " + b.val().describe())
          .label(a.span(), "this is " + a.val().describe()));
      return null;
    }
    return TileType.of(e, a.val().shape());
  }

  /** The sides' values in the given types. */
  List<Val> join(Value condition, Side yes, Side no, List<TileType> types, Span at) {
    List<Value> a = converted(yes, types);
    List<Value> b = converted(no, types);
    boolean cheap = types.stream().allMatch(TileType::isScalar) && isCheap(yes.region()) && isCheap(no.region());
    List<Val> out = new ArrayList<>();
    if (cheap) {
      inline(yes.region());
      inline(no.region());
      for (int i = 0; i < types.size(); i++) {
        Value v = a.get(i) == b.get(i) ? a.get(i) : l.emit(at, new ElementwiseOp.Select(condition, a.get(i), b.get(i)));
        out.add(l.result(v));
      }
      return out;
    }
    l.builder().in(yes.region(), () -> l.builder().at(l.loc(at)).yield(a));
    l.builder().in(no.region(), () -> l.builder().at(l.loc(at)).yield(b));
    Inst inst = l.append(at, new ControlOp.If(condition, yes.region(), no.region()));
    inst.results().forEach(v -> out.add(l.result(v)));
    return out;
  }

  private List<Value> converted(Side side, List<TileType> types) {
    List<Value> out = new ArrayList<>();
    l.builder().in(side.region(), () -> {
      for (int i = 0; i < types.size(); i++) {
        out.add(value(side.values().get(i), types.get(i)));
      }
    });
    return out;
  }

  /** A value that is known to fit, in a type. */
  Value value(Operand o, TileType type) {
    if (o.val() instanceof Val.Int i && type.equals(TileType.integer())) {
      return l.ints.value(i, o.span());
    }
    return l.shaping.broadcast(o.span(), l.promotion.to(o, type.element()), type.shape());
  }

  /** Scalars only, and nothing that could stop the program where it is not reached. */
  static boolean isCheap(Region region) {
    return region.insts().size() <= 8 && region.insts().stream().allMatch(i -> switch (i.op()) {
      case ElementwiseOp.Binary b -> i.result().tile().isScalar()
          && (i.result().tile().element().isFloat() || b.kind() != BinaryKind.DIV && b.kind() != BinaryKind.REM
              && b.kind() != BinaryKind.POW);
      case ElementwiseOp.Constant _, ElementwiseOp.Compare _, ElementwiseOp.Select _ -> i.result().tile().isScalar();
      case ElementwiseOp.Cast c -> i.result().tile().isScalar() && c.kind() != ElementwiseOp.CastKind.FIT;
      case ElementwiseOp.Unary _ -> i.result().tile().isScalar();
      case ElementwiseOp _, ControlOp _, dev.tkc.ir.op.MemoryOp _, dev.tkc.ir.op.ShapeOp _, dev.tkc.ir.op.ReductionOp _,
          dev.tkc.ir.op.MatrixOp _, dev.tkc.ir.op.SharedOp _, dev.tkc.ir.op.AsyncOp _ -> false;
    });
  }

  /** Moves what was built aside to the current place. */
  void inline(Region region) {
    region.insts().forEach(l.builder()::insert);
  }
}
