package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.Cast;
import dev.tkc.ir.op.ElementwiseOp.CastKind;
import dev.tkc.ir.op.ElementwiseOp.Compare;
import dev.tkc.ir.op.ElementwiseOp.Select;
import dev.tkc.ir.op.ElementwiseOp.Unary;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scalars;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The local rules of {@link Canonicalize}: given one instruction, a value that is the same and simpler. New
 * instructions are appended through the builder, which stands right before it.
 */
final class Simplify {
  private Simplify() {}

  static Optional<Value> simpler(Inst inst, Builder b) {
    return Optional.ofNullable(switch (inst.op()) {
      case Unary u -> unary(u, b);
      case Binary o -> binary(o, b);
      case Compare c -> compare(c, b);
      case Select s -> select(s, b);
      case Cast c -> cast(c, b);
      case ShapeOp o -> shape(o, inst.result().tile(), b);
      case MemoryOp.Valid v -> valid(v, b);
      default -> null;
    });
  }

  // ------------------------------------------------------------------------------------------------ elementwise

  private static Value unary(Unary u, Builder b) {
    Optional<Literal> x = Scalars.literal(u.x());
    if (x.isPresent()) {
      Optional<Literal> y = Fold.unary(u.kind(), x.get());
      if (y.isPresent()) {
        return b.full(u.x().tile(), y.get());
      }
    }
    if (definition(u.x()) instanceof Unary inner && inner.kind() == u.kind()) {
      switch (u.kind()) {
        case NOT, NEG -> {
          return inner.x();
        }
        case ABS, FLOOR, CEIL, ROUND -> {
          return u.x();
        }
        case SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID -> { }
      }
    }
    return underMove(u.x(), v -> new Unary(u.kind(), v, u.exact()), b);
  }

  private static Value binary(Binary o, Builder b) {
    Optional<Literal> x = Scalars.literal(o.lhs());
    Optional<Literal> y = Scalars.literal(o.rhs());
    if (x.isPresent() && y.isPresent()) {
      Optional<Literal> z = Fold.binary(o.kind(), x.get(), y.get());
      if (z.isPresent()) {
        return b.full(o.lhs().tile(), z.get());
      }
    }
    Element e = o.lhs().tile().element();
    Value v = null;
    if (e.isBool()) {
      v = logical(o, x, y, b);
    } else if (e.isInteger()) {
      v = Algebra.integer(o, x, y, b);
    } else if (y.isPresent()) {
      v = floatIdentity(o.kind(), o.lhs(), y.get());
    }
    if (v == null && x.isPresent() && e.isFloat() && commutes(o.kind())) {
      v = floatIdentity(o.kind(), o.rhs(), x.get());
    }
    return v != null ? v : underMove(o.lhs(), o.rhs(), (p, q) -> new Binary(o.kind(), p, q, o.exact()), b);
  }

  /** What leaves every value as it is, the sign of a zero included. */
  private static Value floatIdentity(BinaryKind kind, Value x, Literal y) {
    double c = y.asDouble();
    boolean negativeZero = c == 0 && 1 / c < 0;
    boolean positiveZero = c == 0 && 1 / c > 0;
    return switch (kind) {
      case ADD -> negativeZero ? x : null;
      case SUB -> positiveZero ? x : null;
      case MUL, DIV, POW -> c == 1 ? x : null;
      case MIN, MAX, REM, AND, OR, XOR, SHL, SHR -> null;
    };
  }

  static boolean commutes(BinaryKind kind) {
    return switch (kind) {
      case ADD, MUL, MIN, MAX, AND, OR, XOR -> true;
      case SUB, DIV, REM, POW, SHL, SHR -> false;
    };
  }

  private static Value logical(Binary o, Optional<Literal> x, Optional<Literal> y, Builder b) {
    if (o.lhs() == o.rhs() && o.kind() != BinaryKind.XOR) {
      return o.lhs();
    }
    if (x.isPresent() == y.isPresent()) {
      return null;
    }
    boolean c = x.or(() -> y).get().asBool();
    Value other = x.isPresent() ? o.rhs() : o.lhs();
    Value constant = x.isPresent() ? o.lhs() : o.rhs();
    return switch (o.kind()) {
      case AND -> c ? other : constant;
      case OR -> c ? constant : other;
      case XOR -> c ? b.emit(new Unary(ElementwiseOp.UnaryKind.NOT, other)) : other;
      case ADD, SUB, MUL, DIV, REM, POW, MIN, MAX, SHL, SHR -> null;
    };
  }

  private static Value compare(Compare c, Builder b) {
    Optional<Literal> x = Scalars.literal(c.lhs());
    Optional<Literal> y = Scalars.literal(c.rhs());
    TileType type = c.lhs().tile().withElement(Element.BOOL);
    if (x.isPresent() && y.isPresent()) {
      return b.full(type, Fold.compare(c.kind(), x.get(), y.get()));
    }
    if (c.lhs() == c.rhs() && !c.lhs().tile().element().isFloat()) {
      return b.full(type, Literal.of(switch (c.kind()) {
        case EQ, LE, GE -> true;
        case NE, LT, GT -> false;
      }));
    }
    return underMove(c.lhs(), c.rhs(), (p, q) -> new Compare(c.kind(), p, q), b);
  }

  private static Value select(Select s, Builder b) {
    Optional<Literal> c = Scalars.literal(s.condition());
    if (c.isPresent()) {
      return c.get().asBool() ? s.then() : s.otherwise();
    }
    if (s.then() == s.otherwise()) {
      return s.then();
    }
    if (s.then().tile().element().isBool()) {
      Optional<Literal> x = Scalars.literal(s.then());
      Optional<Literal> y = Scalars.literal(s.otherwise());
      if (x.isPresent() && y.isPresent()) {
        // The two differ, or CSE will make them one.
        return x.get().asBool() == y.get().asBool() ? s.then()
            : x.get().asBool() ? s.condition() : b.emit(new Unary(ElementwiseOp.UnaryKind.NOT, s.condition()));
      }
    }
    return null;
  }

  private static Value cast(Cast c, Builder b) {
    Element from = c.x().tile().element();
    if (from == c.to()) {
      return c.x();
    }
    Optional<Literal> x = Scalars.literal(c.x());
    if (x.isPresent()) {
      Optional<Literal> y = Fold.cast(x.get(), c.to(), c.kind());
      if (y.isPresent()) {
        return b.full(c.x().tile().withElement(c.to()), y.get());
      }
    }
    if (definition(c.x()) instanceof Cast inner && widens(inner.x().tile().element(), from)
        && c.kind() != CastKind.FIT) {
      Element source = inner.x().tile().element();
      if (source == c.to()) {
        return inner.x();
      }
      if (widens(from, c.to())) {
        return b.emit(new Cast(inner.x(), c.to()));
      }
    }
    return underMove(c.x(), v -> new Cast(v, c.to(), c.kind()), b);
  }

  /** Whether every value of {@code from} is one of {@code to}, so that there and back is nothing. */
  static boolean widens(Element from, Element to) {
    if (from.isFloat() && to.isFloat()) {
      return switch (to) {
        case F64 -> true;
        case F32 -> from != Element.F64;
        case F16 -> from.isFp8();
        case BF16, E4M3, E5M2, E2M1, E8M0, BOOL, I4, I8, I16, I32, I64, U4, U8, U16, U32, U64 -> false;
      };
    }
    if (from.isInteger() && to.isInteger()) {
      return from.isSigned() == to.isSigned() ? from.bits() <= to.bits() : from.isUnsigned() && from.bits() < to.bits();
    }
    return false;
  }

  // ------------------------------------------------------------------------------------------------ moves

  private static Value shape(ShapeOp op, TileType result, Builder b) {
    return switch (op) {
      case ShapeOp.Splat s -> result.isScalar() ? s.scalar() : null;
      case ShapeOp.Broadcast o -> broadcast(o, b);
      case ShapeOp.Reshape o -> reshape(o, result, b);
      case ShapeOp.Permute o -> permute(o, b);
      case ShapeOp.Slice o -> slice(o, b);
      case ShapeOp.Concat o -> o.parts().size() == 1 ? o.parts().get(0) : null;
      case ShapeOp.Iota _, ShapeOp.ConvertLayout _ -> null;
    };
  }

  private static Value broadcast(ShapeOp.Broadcast o, Builder b) {
    if (o.x().tile().shape().equals(o.shape())) {
      return o.x();
    }
    return switch (definition(o.x())) {
      case ShapeOp.Splat s -> b.emit(new ShapeOp.Splat(s.scalar(), o.shape()));
      case ShapeOp.Broadcast inner -> b.emit(new ShapeOp.Broadcast(inner.x(), o.shape()));
      case null, default -> null;
    };
  }

  private static Value reshape(ShapeOp.Reshape o, TileType result, Builder b) {
    if (o.x().tile().shape().equals(o.shape())) {
      return o.x();
    }
    return switch (definition(o.x())) {
      case ShapeOp.Splat s -> result.isScalar() ? s.scalar() : b.emit(new ShapeOp.Splat(s.scalar(), o.shape()));
      case ShapeOp.Reshape inner -> b.emit(new ShapeOp.Reshape(inner.x(), o.shape()));
      case null, default -> null;
    };
  }

  private static Value permute(ShapeOp.Permute o, Builder b) {
    boolean identity = true;
    for (int i = 0; i < o.order().size(); i++) {
      identity &= o.order().get(i) == i;
    }
    if (identity) {
      return o.x();
    }
    return switch (definition(o.x())) {
      case ShapeOp.Splat s ->
          b.emit(new ShapeOp.Splat(s.scalar(), o.order().stream().map(o.x().tile().shape()::get).toList()));
      case ShapeOp.Permute inner -> b.emit(
          new ShapeOp.Permute(inner.x(), o.order().stream().map(inner.order()::get).toList()));
      case null, default -> null;
    };
  }

  private static Value slice(ShapeOp.Slice o, Builder b) {
    if (o.x().tile().shape().equals(o.shape())) {
      return o.x();
    }
    return definition(o.x()) instanceof ShapeOp.Splat s ? b.emit(new ShapeOp.Splat(s.scalar(), o.shape())) : null;
  }

  private static Value valid(MemoryOp.Valid v, Builder b) {
    if (definition(v.range()) instanceof MemoryOp.Range r) {
      OptionalLong count = Regions.integer(r.count());
      int size = ((RangeType) v.range().type()).size();
      if (count.isPresent() && (count.getAsLong() >= size || count.getAsLong() <= 0)) {
        return b.full(TileType.of(Element.BOOL, size), Literal.of(count.getAsLong() > 0));
      }
    }
    return null;
  }

  // ------------------------------------------------------------------------------------------------ computing less

  interface One {
    Op of(Value x);
  }

  interface Two {
    Op of(Value x, Value y);
  }

  /** {@code f(splat x) = splat f(x)}, {@code f(broadcast x) = broadcast f(x)}. */
  private static Value underMove(Value x, One f, Builder b) {
    return switch (definition(x)) {
      case ShapeOp.Splat s -> b.emit(new ShapeOp.Splat(b.emit(f.of(s.scalar())), s.shape()));
      case ShapeOp.Broadcast c -> b.emit(new ShapeOp.Broadcast(b.emit(f.of(c.x())), c.shape()));
      case null, default -> null;
    };
  }

  private static Value underMove(Value x, Value y, Two f, Builder b) {
    Op p = definition(x);
    Op q = definition(y);
    if (p instanceof ShapeOp.Splat s && q instanceof ShapeOp.Splat t) {
      return b.emit(new ShapeOp.Splat(b.emit(f.of(s.scalar(), t.scalar())), s.shape()));
    }
    if (p instanceof ShapeOp.Broadcast s && q instanceof ShapeOp.Broadcast t
        && s.x().tile().shape().equals(t.x().tile().shape())) {
      return b.emit(new ShapeOp.Broadcast(b.emit(f.of(s.x(), t.x())), s.shape()));
    }
    if (p instanceof ShapeOp.Broadcast s && q instanceof ShapeOp.Splat t) {
      Value small = b.emit(new ShapeOp.Splat(t.scalar(), s.x().tile().shape()));
      return b.emit(new ShapeOp.Broadcast(b.emit(f.of(s.x(), small)), s.shape()));
    }
    if (p instanceof ShapeOp.Splat s && q instanceof ShapeOp.Broadcast t) {
      Value small = b.emit(new ShapeOp.Splat(s.scalar(), t.x().tile().shape()));
      return b.emit(new ShapeOp.Broadcast(b.emit(f.of(small, t.x())), t.shape()));
    }
    return null;
  }

  static Op definition(Value v) {
    return v.definition() == null ? null : v.definition().op();
  }

  static List<Integer> shape(Value v) {
    return v.tile().shape();
  }
}
