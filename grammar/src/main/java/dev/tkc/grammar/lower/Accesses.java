package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Index;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.MemoryOp.AtomicKind;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.RangeType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Accesses to tensors: what each index gives, loads with their fill value, stores and atomic updates.
 *
 * <p>{@code shape} of a {@link Plan} is the tile as the program sees it, with a size 1 for each {@code _}; {@code bare}
 * is the tile that memory sees.
 */
final class Accesses {
  /** An access worked out: one IR index for each dimension of the tensor. */
  record Plan(Val.Tensor tensor, List<Value> indices, List<Integer> shape, List<Integer> bare) {}

  private final Lowerer l;

  Accesses(Lowerer l) {
    this.l = l;
  }

  Val load(Val.Tensor tensor, List<Index> indices, Span at, Optional<Operand> pad) {
    if (l.place() != Lowerer.Place.PHASE) {
      return l.error(Diagnostic.error(Code.POSITION, "tensors are read inside `parallel` only")
          .label(at, "this is a load between phases")
          .note("between its phases a kernel computes with scalars that are known before it starts"));
    }
    Plan plan = plan(tensor, indices, at);
    if (plan == null) {
      return Val.FAILED;
    }
    Optional<Value> fill = Optional.empty();
    if (pad.isPresent()) {
      Value f = fill(pad.get(), tensor);
      if (f == null) {
        return Val.FAILED;
      }
      fill = Optional.of(f);
    }
    Value v = l.emit(at, new MemoryOp.Load(tensor.value(), plan.indices(), fill));
    if (v.tile().isScalar() && plan.shape().isEmpty()) {
      return tensor.element().isStorageOnly() ? new Val.Tile(v) : l.scalarResult(at, v);
    }
    return new Val.Tile(l.shaping.reshape(at, v, plan.shape()));
  }

  /** The value of a {@code pad}: it must convert exactly to the element type. */
  private Value fill(Operand pad, Val.Tensor tensor) {
    Element e = tensor.element();
    Double known = switch (pad.val()) {
      case Val.Num n -> n.value();
      case Val.Int i when i.isKnown() -> (double) i.known();
      case Val.Failed _, Val.Int _, Val.Bool _, Val.Tile _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> null;
    };
    if (known != null && !Conversions.isExact(e, known)) {
      l.error(Diagnostic.error(Code.PAD, "the fill value is not exactly a " + e.text())
          .label(pad.span(), "this does not convert exactly")
          .label(tensor.declared(), "`" + tensor.name() + "` holds " + e.text()));
      return null;
    }
    if (known != null && !e.isFloat()) {
      return l.constant(pad.span(), Literal.of(e, (long) (double) known));
    }
    if (!pad.val().shape().isEmpty()) {
      l.error(Code.PAD, pad.span(), "the fill value is a literal or a scalar", "this is " + pad.val().describe());
      return null;
    }
    return l.promotion.widenTo(pad, e, "`" + tensor.name() + "` holds");
  }

  void store(Val.Tensor tensor, List<Index> indices, Operand value, Span at) {
    if (!writable(tensor, at)) {
      return;
    }
    Plan plan = plan(tensor, indices, at);
    Value v = plan == null ? null : stored(plan, value, at);
    if (v != null) {
      l.append(at, new MemoryOp.Store(tensor.value(), plan.indices(), v));
    }
  }

  void atomic(Val.Tensor tensor, List<Index> indices, Operand value, AtomicKind kind, Span at) {
    if (!writable(tensor, at)) {
      return;
    }
    if (tensor.access() == MemoryOp.Access.OUT) {
      l.error(Diagnostic.error(Code.NOT_ASSIGNABLE,
          "`" + tensor.name() + "` cannot be updated: it is undefined at first")
          .label(at, "an update reads what is there")
          .label(tensor.declared(), "declared `out` here")
          .help("declare it `inout`, or collect the value in a `var` and store it once"));
      return;
    }
    if (l.deterministic() && tensor.element().isFloat()) {
      l.error(Diagnostic.error(Code.DETERMINISTIC, "a deterministic kernel has no atomic updates of floats")
          .label(at, "the order of these updates would change the result")
          .label(tensor.declared(), "`" + tensor.name() + "` holds " + tensor.element().text())
          .help("write partial results to a `temp` and add them up in another phase"));
      return;
    }
    if (tensor.element().isBool() || tensor.element().isStorageOnly()) {
      l.error(Code.ELEMENT_TYPE, at, "elements of type " + tensor.element().text() + " cannot be updated in place", "");
      return;
    }
    Plan plan = plan(tensor, indices, at);
    Value v = plan == null ? null : stored(plan, value, at);
    if (v != null) {
      l.append(at, new MemoryOp.Atomic(tensor.value(), plan.indices(), v, kind));
    }
  }

  private boolean writable(Val.Tensor tensor, Span at) {
    if (tensor.access() == MemoryOp.Access.IN) {
      l.error(Diagnostic.error(Code.NOT_ASSIGNABLE, "`" + tensor.name() + "` is read-only")
          .label(at, "written here")
          .label(tensor.declared(), "declared without `out` or `inout`")
          .help("declare it `out` or `inout`"));
      return false;
    }
    if (l.place() != Lowerer.Place.PHASE) {
      l.error(Diagnostic.error(Code.POSITION, "tensors are written inside `parallel` only")
          .label(at, "this is a store between phases"));
      return false;
    }
    return true;
  }

  /** The value in the type and shape that memory takes, or null after a report. */
  private Value stored(Plan plan, Operand value, Span at) {
    if (value.val().failed()) {
      return null;
    }
    Value v = l.promotion.widenTo(value, plan.tensor().element(), "`" + plan.tensor().name() + "` holds");
    if (v == null) {
      return null;
    }
    if (!Shaping.repeats(v.tile().shape(), plan.shape())) {
      String place = plan.tensor().element().text() + dev.tkc.ir.type.Shapes.text(plan.shape());
      Diagnostic d = Diagnostic.error(
              v.tile().rank() == plan.shape().size() ? Code.SHAPE_MISMATCH : Code.RANK_MISMATCH,
              "the value does not have the shape of the place it is stored to")
          .label(value.span(), "this is " + value.val().describe())
          .label(at, "this place is " + place);
      if (v.tile().rank() == plan.shape().size() + 1 && v.tile().shape().contains(1)) {
        d = d.help("a dimension of size 1 is stored by `_` in the index");
      }
      l.error(d);
      return null;
    }
    return l.shaping.reshape(at, l.shaping.broadcast(at, v, plan.shape()), plan.bare());
  }

  // ------------------------------------------------------------------------------------------------ indices

  private static String counted(int n, String noun) {
    return n + " " + noun + (n == 1 ? "" : "s");
  }

  /** Works out the indices, or null after a report. */
  Plan plan(Val.Tensor tensor, List<Index> indices, Span at) {
    long given = indices.stream().filter(i -> !(i instanceof Index.NewAxis)).count();
    if (given != tensor.dims().size()) {
      Diagnostic d = Diagnostic.error(Code.INDEX_COUNT,
              "`" + tensor.name() + "` has " + counted(tensor.dims().size(), "dimension") + " and is indexed by "
              + given)
          .label(at, given + (given == 1 ? " index" : " indices"))
          .label(tensor.declared(), "declared as " + tensor.text());
      l.error(given < tensor.dims().size() ? d.help("`:` takes a whole dimension of constant size") : d);
      return null;
    }
    List<Operand> found = new ArrayList<>();
    boolean ok = true;
    int dim = 0;
    for (Index i : indices) {
      Operand o = i instanceof Index.NewAxis ? new Operand(null, i.span()) : index(tensor, dim++, i);
      ok &= o != null;
      found.add(o);
    }
    if (!ok) {
      return null;
    }
    boolean pointwise = found.stream().anyMatch(o -> o.val() instanceof Val.Tile t && t.rank() >= 2);
    return pointwise ? pointwise(tensor, found, at) : outer(tensor, found, at);
  }

  /** Each index by itself gives a dimension or drops one. */
  private Plan outer(Val.Tensor tensor, List<Operand> found, Span at) {
    List<Value> values = new ArrayList<>();
    List<Integer> shape = new ArrayList<>();
    List<Integer> bare = new ArrayList<>();
    for (Operand o : found) {
      if (o.val() == null) {
        shape.add(1);
        continue;
      }
      Value v = value(o);
      values.add(v);
      if (v.type() instanceof RangeType r) {
        shape.add(r.size());
        bare.add(r.size());
      } else if (v.tile().rank() == 1) {
        shape.add(v.tile().shape().get(0));
        bare.add(v.tile().shape().get(0));
      }
    }
    return l.fits(shape, tensor.element(), at) ? new Plan(tensor, values, shape, bare) : null;
  }

  /** Index tiles of rank 2 and up: all of them meet in one shape, which is the access's. */
  private Plan pointwise(Val.Tensor tensor, List<Operand> found, Span at) {
    List<Operand> tiles = new ArrayList<>();
    Operand large = found.stream()
        .filter(o -> o.val() instanceof Val.Tile t && t.rank() >= 2).findFirst().orElseThrow();
    for (Operand o : found) {
      boolean fine = o.val() instanceof Val.Int || o.val() instanceof Val.Tile;
      if (!fine) {
        String what = o.val() == null ? "`_`" : o.val().describe();
        Diagnostic d = Diagnostic.error(Code.INDEX_KIND,
            "beside an index tile of rank 2 and up stand only integers and tiles of that rank")
            .label(o.span(), "this is " + what)
            .label(large.span(), "this is " + large.val().describe());
        if (o.val() instanceof Val.Range) {
          d = d.help("write the range's indices as a tile: `" + o.span().text() + "[:, _]` or `" + o.span().text()
              + "[_, :]`");
        }
        l.error(d);
        return null;
      }
      if (o.val() instanceof Val.Tile) {
        tiles.add(o);
      }
    }
    List<Integer> shape = l.shaping.common(tiles, at);
    if (shape == null) {
      return null;
    }
    List<Value> values = new ArrayList<>();
    for (Operand o : found) {
      values.add(o.val() instanceof Val.Tile ? l.shaping.broadcast(o.span(), value(o), shape) : value(o));
    }
    return new Plan(tensor, values, shape, shape);
  }

  private Value value(Operand o) {
    return switch (o.val()) {
      case Val.Int i -> l.ints.value(i, o.span());
      case Val.Range r -> r.value();
      case Val.Tile t -> t.value();
      case Val.Failed _, Val.Num _, Val.Bool _, Val.Tensor _, Val.Many _, Val.Type _ ->
          throw new IllegalStateException("no index: " + o.val().describe());
    };
  }

  /** What one index is, or null after a report. */
  private Operand index(Val.Tensor tensor, int dim, Index index) {
    return switch (index) {
      case Index.NewAxis _ -> throw new IllegalStateException("`_` indexes no dimension");
      case Index.Slice s -> slice(tensor, dim, s);
      case Index.At a -> {
        Operand o = l.exprs.operand(a.value());
        Val v = o.val();
        if (v instanceof Val.Tile t && t.rank() == 0 && t.element().isInteger()) {
          v = l.ints.of(o);
        }
        boolean fine = v instanceof Val.Int || v instanceof Val.Range
            || v instanceof Val.Tile t && t.element().isInteger() && !t.element().isStorageOnly();
        if (v instanceof Val.Int i && !inside(tensor, dim, i, o.span())) {
          yield null;
        }
        if (!fine && !v.failed()) {
          Diagnostic d = Diagnostic.error(Code.INDEX_KIND, "an index is an int, a range or a tile of integers")
              .label(o.span(), "this is " + v.describe());
          boolean mask = v instanceof Val.Tile t && t.element().isBool();
          l.error(mask ? d.help("choose by a truth value after loading: `where(mask, x[…], 0)`") : d);
        }
        yield fine ? new Operand(v, o.span()) : null;
      }
    };
  }

  private boolean inside(Val.Tensor tensor, int dim, Val.Int index, Span at) {
    Val.Int size = tensor.dims().get(dim);
    boolean bad = index.isKnown() && (index.known() < 0 || size.isKnown() && index.known() >= size.known());
    if (bad) {
      l.error(Diagnostic.error(Code.OUT_OF_BOUNDS, "index " + index.known() + " is outside the tensor")
          .label(at, "dimension " + dim + " of `" + tensor.name() + "` has size " + size.text())
          .label(tensor.declared(), "declared as " + tensor.text()));
    }
    return !bad;
  }

  /** {@code :} and constant {@code a:b} on a dimension of constant size. */
  private Operand slice(Val.Tensor tensor, int dim, Index.Slice s) {
    Val.Int size = tensor.dims().get(dim);
    var n = l.ints.known(size, s.span(), "the size of a dimension taken by `:`");
    var lo = s.low().isPresent() ? l.ints.known(s.low().get(), "the start of a slice") : java.util.OptionalLong.of(0);
    var hi = s.high().isPresent() ? l.ints.known(s.high().get(), "the end of a slice") : n;
    if (n.isEmpty() || lo.isEmpty() || hi.isEmpty()) {
      return null;
    }
    long from = lo.getAsLong();
    long to = hi.getAsLong();
    if (from < 0 || to > n.getAsLong() || from >= to || to - from > Lowerer.MAX_TILE) {
      boolean empty = from == to && from >= 0 && to <= n.getAsLong();
      Diagnostic d = Diagnostic.error(empty || to - from > Lowerer.MAX_TILE ? Code.TILE_SIZE : Code.OUT_OF_BOUNDS,
              empty ? "this slice is empty" : "the slice " + from + ":" + to + " does not fit")
          .label(s.span(), "dimension " + dim + " of `" + tensor.name() + "` has size " + n.getAsLong())
          .label(tensor.declared(), "declared as " + tensor.text());
      l.error(empty ? d.note("a tile has at least one element in each dimension") : d);
      return null;
    }
    Val.Int count = Val.Int.of(to - from);
    return new Operand(
        l.ranges.make(Val.Int.of(from), Val.Int.of(1), count, Val.Int.of(to), (int) (to - from), s.span()), s.span());
  }
}
