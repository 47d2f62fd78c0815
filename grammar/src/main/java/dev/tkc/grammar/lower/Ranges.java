package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Index;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MemoryOp;
import java.util.ArrayList;
import java.util.List;

/** Ranges: making them, their members, the affine arithmetic on them, and the tiles of their indices. */
final class Ranges {
  private static final List<String> MEMBERS = List.of("start", "end", "size", "count", "index", "valid");

  private final Lowerer l;

  Ranges(Lowerer l) {
    this.l = l;
  }

  /** A range of {@code size} lanes from {@code start}; without {@code left} every lane is valid. */
  Val.Range make(Val.Int start, Val.Int stride, Val.Int left, Val.Int limit, int size, Span at) {
    return make(start, stride, left, limit, size, Val.Int.of(0), Val.Int.of(0), at);
  }

  /** The same in a loop that began at {@code first} and is at {@code position}. */
  Val.Range make(
      Val.Int start, Val.Int stride, Val.Int left, Val.Int limit, int size, Val.Int position, Val.Int first, Span at) {
    Val.Int count = left == null ? Val.Int.of(size) : left;
    Value v = l.emit(at,
        new MemoryOp.Range(l.ints.value(start, at), l.ints.value(stride, at), l.ints.value(count, at), size));
    return new Val.Range(v, start, stride, left, limit, size, position, first);
  }

  /** {@code n * range + m}: the lanes move, validity stays with the lane. */
  Val affine(BinaryKind kind, Operand a, Operand b, Span at) {
    boolean rangeFirst = a.val() instanceof Val.Range;
    Operand other = rangeFirst ? b : a;
    Val.Range r = (Val.Range) (rangeFirst ? a : b).val();
    if (!(other.val() instanceof Val.Int) && !(other.val() instanceof Val.Range)) {
      return l.promotion.wrongKind(rangeFirst ? a : b, "a tile or a number");
    }
    boolean fits = other.val() instanceof Val.Int
        && (kind == BinaryKind.ADD || kind == BinaryKind.MUL || kind == BinaryKind.SUB && rangeFirst);
    if (!fits) {
      return l.error(Diagnostic.error(Code.WRONG_KIND, "a range takes part in `n * i + m` only")
          .label(a.span(), "this is " + a.val().describe())
          .label(b.span(), "this is " + b.val().describe())
          .help("`" + (rangeFirst ? a : b).span().text() + "[:]` is the tile of its indices, for any arithmetic"));
    }
    Val.Int n = (Val.Int) other.val();
    return switch (kind) {
      case ADD -> make(l.ints.add(r.start(), n, at), r.stride(), r.left(), moved(r, n, at), r.size(), r.position(),
          r.first(), at);
      case SUB -> {
        Val.Int back = l.ints.sub(Val.Int.of(0), n, at);
        yield make(l.ints.sub(r.start(), n, at), r.stride(), r.left(), moved(r, back, at), r.size(), r.position(),
            r.first(), at);
      }
      case MUL -> make(l.ints.mul(r.start(), n, at), l.ints.mul(r.stride(), n, at), r.left(), null, r.size(),
          r.position(), r.first(), at);
      case DIV, REM, POW, MIN, MAX, AND, OR, XOR, SHL, SHR ->
          throw new IllegalStateException("no " + kind + " of a range");
    };
  }

  private Val.Int moved(Val.Range r, Val.Int by, Span at) {
    return r.limit() == null ? null : l.ints.add(r.limit(), by, at);
  }

  /** How many lanes are valid, at most {@code size}. */
  Val.Int count(Val.Range r, Span at) {
    return r.left() == null ? Val.Int.of(r.size()) : l.ints.min(r.left(), Val.Int.of(r.size()), at);
  }

  Val member(Val.Range r, Name name, Span at) {
    return switch (name.text()) {
      case "start" -> r.start();
      case "end" -> {
        if (r.limit() != null) {
          yield l.ints.min(l.ints.add(r.start(), Val.Int.of(r.size()), at), r.limit(), at);
        }
        Val.Int last = l.ints.mul(l.ints.sub(count(r, at), Val.Int.of(1), at), r.stride(), at);
        yield r.stride().is(1)
            ? l.ints.add(r.start(), count(r, at), at)
            : l.ints.add(l.ints.add(r.start(), last, at), Val.Int.of(1), at);
      }
      case "size" -> Val.Int.of(r.size());
      case "count" -> count(r, at);
      case "index" -> l.ints.binary(BinaryKind.DIV, l.ints.sub(r.position(), r.first(), at), Val.Int.of(r.size()), at);
      case "valid" -> new Val.Tile(l.emit(at, new MemoryOp.Valid(r.value())));
      default -> {
        Diagnostic d = Diagnostic.error(Code.UNKNOWN_MEMBER, "a range has no member `" + name + "`")
            .label(name.span(), "not one of " + String.join(", ", MEMBERS));
        var close = Suggest.closest(name.text(), MEMBERS);
        yield l.error(close.isPresent() ? d.help("did you mean `" + close.get() + "`?", name.span(), close.get()) : d);
      }
    };
  }

  /** {@code i[:]}, {@code i[:, _]}, {@code i[_, :]}. */
  Val indices(Val.Range r, List<Index> indices, Span at) {
    List<Integer> shape = new ArrayList<>();
    int wholes = 0;
    for (Index i : indices) {
      switch (i) {
        case Index.NewAxis _ -> shape.add(1);
        case Index.Slice s when s.isWhole() -> {
          shape.add(r.size());
          wholes++;
        }
        case Index.Slice s -> {
          return badIndex(s.span());
        }
        case Index.At a -> {
          return badIndex(a.span());
        }
      }
    }
    if (wholes != 1) {
      return badIndex(at);
    }
    Value lanes = l.emit(at, new MemoryOp.Lanes(r.value()));
    return l.fits(shape, lanes.tile().element(), at) ? new Val.Tile(l.shaping.reshape(at, lanes, shape)) : Val.FAILED;
  }

  private Val badIndex(Span at) {
    return l.error(Diagnostic.error(Code.INDEX_KIND, "a range is indexed by `:` and `_` only")
        .label(at, "")
        .note("`i[:]`, `i[:, _]` and `i[_, :]` are its indices as tiles"));
  }
}
