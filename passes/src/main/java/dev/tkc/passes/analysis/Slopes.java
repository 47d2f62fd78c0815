package dev.tkc.passes.analysis;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * By how much an integer tile's elements grow from one to the next along each axis, where that is the same everywhere:
 * positions of ranges, numbers that all elements share, and sums, differences and multiples of them. Elements wrap, so
 * differences are those of the element type.
 */
public record Slopes(List<Long> along) {
  public Slopes {
    along = List.copyOf(along);
  }

  /** The slopes of a tile of one axis or more, if it is of that kind. */
  public static Optional<Slopes> of(Value v) {
    if (!(v.type() instanceof TileType t) || !t.element().isInteger() || t.isScalar() || v.definition() == null) {
      return Optional.empty();
    }
    return switch (v.definition().op()) {
      case MemoryOp.Lanes l -> stride(l).map(s -> new Slopes(List.of(s)));
      case ShapeOp.Iota _ -> Optional.of(new Slopes(List.of(1L)));
      case ShapeOp.Splat _ -> Optional.of(new Slopes(t.shape().stream().map(_ -> 0L).toList()));
      case ShapeOp.Reshape r -> of(r.x()).flatMap(s -> s.reshaped(r.x().tile().shape(), r.shape()));
      case ShapeOp.Broadcast b -> of(b.x()).map(s -> s.broadcast(b.x().tile().shape()));
      case ShapeOp.Permute p -> of(p.x()).map(s -> new Slopes(p.order().stream().map(s.along::get).toList()));
      case ShapeOp.ConvertLayout c -> of(c.x());
      case ElementwiseOp.Cast c when isWider(c.x().tile().element(), c.to()) -> of(c.x());
      case ElementwiseOp.Unary u when u.kind() == ElementwiseOp.UnaryKind.NEG -> of(u.x()).map(s -> s.times(-1));
      case Binary b -> binary(b);
      default -> Optional.empty();
    };
  }

  private static Optional<Long> stride(MemoryOp.Lanes l) {
    if (l.range().definition() == null || !(l.range().definition().op() instanceof MemoryOp.Range r)) {
      return Optional.empty();
    }
    OptionalLong stride = Regions.integer(r.stride());
    return stride.isPresent() ? Optional.of(stride.getAsLong()) : Optional.empty();
  }

  private static boolean isWider(Element from, Element to) {
    return from.isSigned() && to.isSigned() && to.isInteger() && to.bits() >= from.bits();
  }

  private static Optional<Slopes> binary(Binary b) {
    return switch (b.kind()) {
      case ADD -> of(b.lhs()).flatMap(x -> of(b.rhs()).map(y -> x.plus(y, 1)));
      case SUB -> of(b.lhs()).flatMap(x -> of(b.rhs()).map(y -> x.plus(y, -1)));
      case MUL -> factor(b.rhs()).flatMap(k -> of(b.lhs()).map(s -> s.times(k)))
          .or(() -> factor(b.lhs()).flatMap(k -> of(b.rhs()).map(s -> s.times(k))));
      case DIV, REM, POW, MIN, MAX, AND, OR, XOR, SHL, SHR -> Optional.empty();
    };
  }

  /** The number that all elements are. */
  private static Optional<Long> factor(Value v) {
    if (v.definition() == null || !(v.definition().op() instanceof ShapeOp.Splat s)) {
      return Optional.empty();
    }
    OptionalLong k = Regions.integer(s.scalar());
    return k.isPresent() ? Optional.of(k.getAsLong()) : Optional.empty();
  }

  private Slopes plus(Slopes other, long sign) {
    return new Slopes(IntStream.range(0, along.size())
        .mapToObj(i -> along.get(i) + sign * other.along.get(i)).toList());
  }

  private Slopes times(long k) {
    return new Slopes(along.stream().map(s -> k * s).toList());
  }

  /** Of an axis of one element nothing is known; all that is made of it are the same. */
  private Slopes broadcast(List<Integer> from) {
    return new Slopes(IntStream.range(0, from.size()).mapToObj(i -> from.get(i) == 1 ? 0 : along.get(i)).toList());
  }

  /** Axes of one element come and go; others stay in order. */
  private Optional<Slopes> reshaped(List<Integer> from, List<Integer> to) {
    List<Long> kept = IntStream.range(0, from.size()).filter(i -> from.get(i) > 1).mapToObj(along::get).toList();
    if (!from.stream().filter(n -> n > 1).toList().equals(to.stream().filter(n -> n > 1).toList())) {
      return Optional.empty();
    }
    List<Long> result = new ArrayList<>();
    int next = 0;
    for (int n : to) {
      result.add(n > 1 ? kept.get(next++) : 0);
    }
    return Optional.of(new Slopes(result));
  }

  /** How much further the element is that lies so far along each axis. */
  public long at(List<Integer> coordinates) {
    return LongStream.range(0, along.size()).map(i -> along.get((int) i) * coordinates.get((int) i)).sum();
  }
}
