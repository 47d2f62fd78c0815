package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The rules of {@link Canonicalize} for one instruction: the value that replaces its result, where there is one. */
final class Folding {
  private Folding() {}

  static Optional<Value> fold(Inst inst, Builder builder) {
    return switch (inst.op()) {
      case ElementwiseOp.Binary op -> binary(op, inst, builder);
      case ElementwiseOp.Compare op -> compare(op, inst, builder);
      case ElementwiseOp.Select op -> select(op);
      case ElementwiseOp.Cast op -> cast(op, inst, builder);
      case ElementwiseOp.Unary op -> splatOperand(op.x())
          .map(s -> resplat(builder, builder.emit(new ElementwiseOp.Unary(op.kind(), s, op.exact())), inst));
      case ShapeOp.Broadcast op -> op.shape().equals(op.x().tile().shape())
          ? Optional.of(op.x()) : splatOperand(op.x()).map(s -> resplat(builder, s, inst));
      case ShapeOp.Reshape op -> reshape(op, inst, builder);
      case ShapeOp.Permute op -> permute(op, inst, builder);
      case ShapeOp.Slice op -> op.shape().equals(op.x().tile().shape())
          ? Optional.of(op.x()) : splatOperand(op.x()).map(s -> resplat(builder, s, inst));
      case dev.tkc.ir.op.ControlOp _, dev.tkc.ir.op.MemoryOp _, ElementwiseOp _, ShapeOp _,
          dev.tkc.ir.op.ReductionOp _, dev.tkc.ir.op.MatrixOp _, dev.tkc.ir.op.SharedOp _ -> Optional.empty();
    };
  }

  private static Optional<Value> binary(ElementwiseOp.Binary op, Inst inst, Builder builder) {
    TileType type = inst.result().tile();
    if (!type.isScalar()) {
      Optional<Value> left = splatOperand(op.lhs());
      Optional<Value> right = splatOperand(op.rhs());
      return left.isPresent() && right.isPresent()
          ? Optional.of(resplat(
              builder, builder.emit(new ElementwiseOp.Binary(op.kind(), left.get(), right.get(), op.exact())), inst))
          : Optional.empty();
    }
    return type.element() == Element.I64 ? integers(op, builder)
        : type.element() == Element.BOOL ? bools(op) : Optional.empty();
  }

  private static Optional<Value> integers(ElementwiseOp.Binary op, Builder builder) {
    OptionalLong left = Regions.integer(op.lhs());
    OptionalLong right = Regions.integer(op.rhs());
    if (left.isPresent() && right.isPresent()) {
      OptionalLong value = compute(op.kind(), left.getAsLong(), right.getAsLong());
      return value.isPresent() ? Optional.of(builder.constant(value.getAsLong())) : Optional.empty();
    }
    long r = right.orElse(-1);
    long l = left.orElse(-1);
    boolean leftStays = switch (op.kind()) {
      case ADD, SUB, OR, XOR, SHL, SHR -> r == 0;
      case MUL, DIV -> r == 1;
      case MIN, MAX, AND -> op.lhs() == op.rhs();
      case REM, POW -> false;
    };
    if (leftStays) {
      return Optional.of(op.lhs());
    }
    boolean rightStays = op.kind() == BinaryKind.ADD && l == 0 || op.kind() == BinaryKind.MUL && l == 1;
    if (rightStays) {
      return Optional.of(op.rhs());
    }
    boolean zero = op.kind() == BinaryKind.MUL && (l == 0 || r == 0) || op.kind() == BinaryKind.REM && r == 1
        || op.kind() == BinaryKind.SUB && op.lhs() == op.rhs();
    return zero ? Optional.of(builder.constant(0L)) : cancelled(op);
  }

  /** {@code (x + y) - x} and {@code (x - y) + y}, with every order of the sum. */
  private static Optional<Value> cancelled(ElementwiseOp.Binary op) {
    if (op.kind() == BinaryKind.SUB && definition(op.lhs()) instanceof ElementwiseOp.Binary sum
        && sum.kind() == BinaryKind.ADD) {
      return sum.lhs() == op.rhs() ? Optional.of(sum.rhs())
          : sum.rhs() == op.rhs() ? Optional.of(sum.lhs()) : Optional.empty();
    }
    if (op.kind() == BinaryKind.ADD && definition(op.lhs()) instanceof ElementwiseOp.Binary difference
        && difference.kind() == BinaryKind.SUB && difference.rhs() == op.rhs()) {
      return Optional.of(difference.lhs());
    }
    if (op.kind() == BinaryKind.ADD && definition(op.rhs()) instanceof ElementwiseOp.Binary difference
        && difference.kind() == BinaryKind.SUB && difference.rhs() == op.lhs()) {
      return Optional.of(difference.lhs());
    }
    return Optional.empty();
  }

  private static Object definition(Value v) {
    return v.definition() == null ? null : v.definition().op();
  }

  private static OptionalLong compute(BinaryKind kind, long a, long b) {
    return switch (kind) {
      case ADD -> OptionalLong.of(a + b);
      case SUB -> OptionalLong.of(a - b);
      case MUL -> OptionalLong.of(a * b);
      case DIV -> b == 0 ? OptionalLong.empty() : OptionalLong.of(Math.floorDiv(a, b));
      case REM -> b == 0 ? OptionalLong.empty() : OptionalLong.of(Math.floorMod(a, b));
      case MIN -> OptionalLong.of(Math.min(a, b));
      case MAX -> OptionalLong.of(Math.max(a, b));
      case AND -> OptionalLong.of(a & b);
      case OR -> OptionalLong.of(a | b);
      case XOR -> OptionalLong.of(a ^ b);
      case SHL -> OptionalLong.of(b < 0 || b >= 64 ? 0 : a << b);
      case SHR -> OptionalLong.of(b < 0 || b >= 64 ? a >> 63 : a >> b);
      case POW -> OptionalLong.empty();
    };
  }

  private static Optional<Value> bools(ElementwiseOp.Binary op) {
    Optional<Literal> left = Regions.literal(op.lhs());
    Optional<Literal> right = Regions.literal(op.rhs());
    if (left.isEmpty() && right.isEmpty() || op.kind() != BinaryKind.AND && op.kind() != BinaryKind.OR) {
      return Optional.empty();
    }
    boolean known = left.or(() -> right).orElseThrow().asBool();
    Value constant = left.isPresent() ? op.lhs() : op.rhs();
    Value other = left.isPresent() ? op.rhs() : op.lhs();
    return Optional.of(known == (op.kind() == BinaryKind.AND) ? other : constant);
  }

  private static Optional<Value> compare(ElementwiseOp.Compare op, Inst inst, Builder builder) {
    if (!inst.result().tile().isScalar()) {
      Optional<Value> left = splatOperand(op.lhs());
      Optional<Value> right = splatOperand(op.rhs());
      return left.isPresent() && right.isPresent()
          ? Optional.of(resplat(builder, builder.compare(op.kind(), left.get(), right.get()), inst)) : Optional.empty();
    }
    OptionalLong left = Regions.integer(op.lhs());
    OptionalLong right = Regions.integer(op.rhs());
    if (left.isEmpty() || right.isEmpty() || op.lhs().tile().element() != Element.I64) {
      return Optional.empty();
    }
    int order = Long.compare(left.getAsLong(), right.getAsLong());
    boolean holds = switch (op.kind()) {
      case EQ -> order == 0;
      case NE -> order != 0;
      case LT -> order < 0;
      case LE -> order <= 0;
      case GT -> order > 0;
      case GE -> order >= 0;
    };
    return Optional.of(builder.constant(Literal.of(holds)));
  }

  private static Optional<Value> select(ElementwiseOp.Select op) {
    if (op.then() == op.otherwise()) {
      return Optional.of(op.then());
    }
    Optional<Literal> known = splatOperand(op.condition()).flatMap(Regions::literal).or(() -> Regions.literal(op.condition()));
    return known.map(k -> k.asBool() ? op.then() : op.otherwise());
  }

  private static Optional<Value> cast(ElementwiseOp.Cast op, Inst inst, Builder builder) {
    TileType from = op.x().tile();
    if (from.element() == op.to()) {
      return Optional.of(op.x());
    }
    Optional<Value> splat = splatOperand(op.x());
    if (splat.isPresent()) {
      return Optional.of(
          resplat(builder, builder.emit(new ElementwiseOp.Cast(splat.get(), op.to(), op.kind())), inst));
    }
    OptionalLong value = from.isScalar() ? Regions.integer(op.x()) : OptionalLong.empty();
    if (value.isEmpty() || from.element() != Element.I64) {
      return Optional.empty();
    }
    long v = value.getAsLong();
    return switch (op.to()) {
      case I32 -> (int) v == v ? Optional.of(builder.constant(Literal.of(Element.I32, v))) : Optional.empty();
      case F32 -> (long) (float) v == v && Math.abs(v) < 1L << 53
          ? Optional.of(builder.constant(Literal.of(Element.F32, (double) (float) v))) : Optional.empty();
      case F64 -> Math.abs(v) < 1L << 53
          ? Optional.of(builder.constant(Literal.of(Element.F64, (double) v))) : Optional.empty();
      case BOOL, I8, I16, I64, U8, U16, U32, U64, F16, BF16, E4M3, E5M2, I4, U4, E2M1, E8M0 -> Optional.empty();
    };
  }

  private static Optional<Value> reshape(ShapeOp.Reshape op, Inst inst, Builder builder) {
    if (op.shape().equals(op.x().tile().shape())) {
      return Optional.of(op.x());
    }
    if (definition(op.x()) instanceof ShapeOp.Reshape inner) {
      return Optional.of(inner.x().tile().shape().equals(op.shape())
          ? inner.x() : builder.emit(new ShapeOp.Reshape(inner.x(), op.shape())));
    }
    return splatOperand(op.x()).map(s -> resplat(builder, s, inst));
  }

  private static Optional<Value> permute(ShapeOp.Permute op, Inst inst, Builder builder) {
    boolean identity = true;
    for (int i = 0; i < op.order().size(); i++) {
      identity &= op.order().get(i) == i;
    }
    if (identity) {
      return Optional.of(op.x());
    }
    if (definition(op.x()) instanceof ShapeOp.Permute inner) {
      List<Integer> both = new ArrayList<>();
      op.order().forEach(i -> both.add(inner.order().get(i)));
      return Optional.of(builder.emit(new ShapeOp.Permute(inner.x(), both)));
    }
    return splatOperand(op.x()).map(s -> resplat(builder, s, inst));
  }

  /** The scalar whose splat the value is. */
  private static Optional<Value> splatOperand(Value value) {
    return definition(value) instanceof ShapeOp.Splat splat ? Optional.of(splat.scalar()) : Optional.empty();
  }

  private static Value resplat(Builder builder, Value scalar, Inst inst) {
    TileType type = inst.result().tile();
    return type.isScalar() ? scalar : builder.emit(new ShapeOp.Splat(scalar, type.shape()));
  }
}
