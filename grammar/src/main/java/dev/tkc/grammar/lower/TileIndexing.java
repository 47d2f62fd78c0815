package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Index;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ShapeOp;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Indices into a tile: constants, constant {@code a:b}, {@code :} and {@code _}. In a test every int is known. */
final class TileIndexing {
  private TileIndexing() {}

  /** Where a part of a tile lies: its corner, its extent, and the shape it is seen in. */
  record Part(List<Integer> offsets, List<Integer> sizes, List<Integer> shape) {}

  static Val index(Lowerer l, Operand base, List<Index> indices, Span at) {
    Val.Tile tile = (Val.Tile) base.val();
    Part part = part(l, base, tile.type().shape(), indices, at);
    if (part == null || !l.fits(part.shape(), tile.element(), at)) {
      return Val.FAILED;
    }
    Value v = tile.value();
    if (!part.sizes().equals(tile.type().shape())) {
      v = l.emit(at, new ShapeOp.Slice(v, part.offsets(), part.sizes()));
    }
    v = l.shaping.reshape(at, v, part.shape());
    return part.shape().isEmpty() && !tile.element().isStorageOnly() ? l.scalarResult(at, v) : new Val.Tile(v);
  }

  /** Works out the part, or null after a report. */
  static Part part(Lowerer l, Operand base, List<Integer> shape, List<Index> indices, Span at) {
    long given = indices.stream().filter(i -> !(i instanceof Index.NewAxis)).count();
    if (given != shape.size()) {
      Diagnostic d = Diagnostic.error(Code.INDEX_COUNT, "a tile of rank " + shape.size() + " is indexed by " + given)
          .label(at, given + (given == 1 ? " index" : " indices"))
          .label(base.span(), "this is " + base.val().describe());
      l.error(given < shape.size() ? d.help("`:` keeps a whole dimension") : d);
      return null;
    }
    List<Integer> offsets = new ArrayList<>();
    List<Integer> sizes = new ArrayList<>();
    List<Integer> seen = new ArrayList<>();
    int dim = 0;
    boolean ok = true;
    for (Index i : indices) {
      switch (i) {
        case Index.NewAxis _ -> seen.add(1);
        case Index.At a -> {
          OptionalLong n = position(l, base, a, shape.get(dim), dim);
          ok &= n.isPresent();
          offsets.add((int) n.orElse(0));
          sizes.add(1);
          dim++;
        }
        case Index.Slice s -> {
          OptionalLong lo = s.low().isPresent() ? l.ints.known(s.low().get(), "the start of a slice of a tile")
              : OptionalLong.of(0);
          OptionalLong hi = s.high().isPresent()
              ? l.ints.known(s.high().get(), "the end of a slice of a tile") : OptionalLong.of(shape.get(dim));
          boolean good = lo.isPresent() && hi.isPresent()
              && bounds(l, base, s, lo.getAsLong(), hi.getAsLong(), shape.get(dim), dim);
          ok &= good;
          offsets.add(good ? (int) lo.getAsLong() : 0);
          sizes.add(good ? (int) (hi.getAsLong() - lo.getAsLong()) : 1);
          seen.add(sizes.get(dim));
          dim++;
        }
      }
    }
    return ok ? new Part(offsets, sizes, seen) : null;
  }

  private static OptionalLong position(Lowerer l, Operand base, Index.At a, int size, int dim) {
    Operand o = l.exprs.operand(a.value());
    if (o.val().failed()) {
      return OptionalLong.empty();
    }
    Val.Int i = o.val() instanceof Val.Int n ? n : o.val() instanceof Val.Tile t && t.rank() == 0 ? l.ints.of(o) : null;
    if (i == null || !i.isKnown()) {
      l.error(Diagnostic.error(Code.INDEX_KIND, "a tile is indexed by constants only")
          .label(o.span(), i == null ? "this is " + o.val().describe() : "this is known only at run time")
          .label(base.span(), "this is a tile, " + base.val().describe())
          .help("pick run-time positions with `where` and `sum`: `sum(where(iota(n) == k, x, 0))`, or index the "
              + "tensor"));
      return OptionalLong.empty();
    }
    if (i.known() < 0 || i.known() >= size) {
      l.error(Diagnostic.error(Code.OUT_OF_BOUNDS, "index " + i.known() + " is outside the tile")
          .label(o.span(), "dimension " + dim + " has size " + size)
          .label(base.span(), "this is " + base.val().describe()));
      return OptionalLong.empty();
    }
    return OptionalLong.of(i.known());
  }

  private static boolean bounds(Lowerer l, Operand base, Index.Slice s, long lo, long hi, int size, int dim) {
    if (lo < 0 || hi > size || lo > hi || lo == hi && !l.isHost()) {
      l.error(Diagnostic.error(Code.OUT_OF_BOUNDS,
          "the slice " + lo + ":" + hi + (lo == hi ? " is empty" : " does not fit"))
          .label(s.span(), "dimension " + dim + " has size " + size)
          .label(base.span(), "this is " + base.val().describe()));
      return false;
    }
    return true;
  }
}
