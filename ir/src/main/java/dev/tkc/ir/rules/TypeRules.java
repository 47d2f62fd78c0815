package dev.tkc.ir.rules;

import static dev.tkc.ir.type.Element.BOOL;
import static dev.tkc.ir.type.Element.F32;
import static dev.tkc.ir.type.Element.F64;
import static dev.tkc.ir.type.Element.I32;
import static dev.tkc.ir.type.Element.I64;
import static dev.tkc.ir.type.Element.U32;
import static dev.tkc.ir.type.Element.U64;

import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.Shapes;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TensorMapType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The type rule of every op, in one place: checks operands and attributes and gives the result types.
 *
 * <p>Result types carry no layout; layouts are assigned by passes and compared by the verifier apart from this.
 */
public final class TypeRules {
  private TypeRules() {}

  /**
   * The result types of {@code op}.
   *
   * @throws TypeException if the operands or attributes do not fit
   */
  public static List<Type> infer(Op op) {
    return switch (op) {
      case ControlOp o -> control(o);
      case MemoryOp o -> memory(o);
      case ElementwiseOp o -> List.of(elementwise(o));
      case ShapeOp o -> List.of(shape(o));
      case ReductionOp o -> reduction(o);
      case MatrixOp.Dot o -> List.of(dot(o));
      case SharedOp o -> shared(o);
      case AsyncOp o -> AsyncRules.infer(o);
    };
  }

  // ------------------------------------------------------------------------------------------------ control

  private static List<Type> control(ControlOp op) {
    return switch (op) {
      case ControlOp.For o -> {
        scalar(op, o.lo(), I64);
        scalar(op, o.hi(), I64);
        parameters(op, o.body(), concat(List.of(TileType.integer()), types(o.inits())));
        yields(op, o.body(), types(o.inits()));
        yield types(o.inits());
      }
      case ControlOp.While o -> {
        scalar(op, o.start(), I64);
        scalar(op, o.limit(), I64);
        List<Type> all = concat(List.of(TileType.integer()), types(o.inits()));
        parameters(op, o.body(), all);
        yields(op, o.body(), all);
        yield types(o.inits());
      }
      case ControlOp.If o -> {
        scalar(op, o.condition(), BOOL);
        parameters(op, o.then(), List.of());
        parameters(op, o.otherwise(), List.of());
        List<Type> results = yielded(op, o.then());
        yields(op, o.otherwise(), results);
        yield results;
      }
      case ControlOp.Parallel o -> {
        scalar(op, o.lo(), I64);
        scalar(op, o.hi(), I64);
        parameters(op, o.body(), List.of(TileType.integer()));
        yields(op, o.body(), List.of());
        yield List.of();
      }
      case ControlOp.Yield _ -> List.of();
      case ControlOp.Assert o -> {
        scalar(op, o.condition(), BOOL);
        yield List.of();
      }
      case ControlOp.Launch o -> {
        scalar(op, o.grid(), I64);
        yield List.of();
      }
      case ControlOp.Role o -> {
        check(o.warps() >= 1 && o.registers() >= 0, op, "a role has warps, and registers are not negative");
        parameters(op, o.body(), List.of());
        yields(op, o.body(), List.of());
        yield List.of();
      }
      case ControlOp.BlockId _, ControlOp.BlockCount _ -> List.of(TileType.integer());
    };
  }

  private static void parameters(Op op, Region region, List<Type> expected) {
    List<Type> actual = bare(types(region.params()));
    check(actual.equals(bare(expected)), op, "its region has parameters " + actual + " and should have " + expected);
  }

  private static List<Type> yielded(Op op, Region region) {
    check(!region.insts().isEmpty() && region.terminator().op() instanceof ControlOp.Yield, op,
        "a region that does not end in yield");
    return bare(types(((ControlOp.Yield) region.terminator().op()).values()));
  }

  private static void yields(Op op, Region region, List<Type> expected) {
    List<Type> actual = yielded(op, region);
    check(actual.equals(bare(expected)), op, "its region yields " + actual + " and should yield " + expected);
  }

  // ------------------------------------------------------------------------------------------------ memory

  private static List<Type> memory(MemoryOp op) {
    return switch (op) {
      case MemoryOp.MakeTensor o -> {
        check(o.pointer().type() instanceof PointerType, op, "a pointer is wanted, not " + o.pointer().type());
        check(o.sizes().size() == o.strides().size(), op, "as many strides as sizes are wanted");
        scalars(op, o.sizes(), I64);
        scalars(op, o.strides(), I64);
        yield List.of(new TensorType(((PointerType) o.pointer().type()).element(), o.sizes().size()));
      }
      case MemoryOp.Temp o -> {
        scalars(op, o.sizes(), I64);
        yield List.of(new TensorType(o.element(), o.sizes().size()));
      }
      case MemoryOp.Counter o -> {
        scalar(op, o.count(), I64);
        yield List.of(new PointerType(Element.I32));
      }
      case MemoryOp.LastArrival o -> {
        check(o.counters().type().equals(new PointerType(Element.I32)), op,
            "counters are wanted, not " + o.counters().type());
        scalars(op, List.of(o.number(), o.expected()), I64);
        yield List.of(TileType.bool());
      }
      case MemoryOp.View o -> {
        scalars(op, o.sizes(), I64);
        yield List.of(new TensorType(tensor(op, o.tensor()).element(), o.sizes().size()));
      }
      case MemoryOp.MakeTensorMap o -> {
        check(tensor(op, o.tensor()).rank() == o.box().size(), op,
            "a box of rank " + o.box().size() + " in " + o.tensor().type());
        yield List.of(new TensorMapType());
      }
      case MemoryOp.AddressOf o -> List.of(new PointerType(tensor(op, o.tensor()).element()));
      case MemoryOp.Range o -> {
        scalar(op, o.start(), I64);
        scalar(op, o.stride(), I64);
        scalar(op, o.count(), I64);
        check(o.size() >= 1, op, "a range has at least one lane");
        yield List.of(new RangeType(o.size()));
      }
      case MemoryOp.Lanes o -> List.of(TileType.of(I32, range(op, o.range()).size()));
      case MemoryOp.Valid o -> List.of(TileType.of(BOOL, range(op, o.range()).size()));
      case MemoryOp.Load o -> {
        TileType t = accessed(op, o.tensor(), o.indices());
        o.pad().ifPresent(p -> scalar(op, p, t.element()));
        yield List.of(t);
      }
      case MemoryOp.Store o -> {
        stored(op, accessed(op, o.tensor(), o.indices()), o.value());
        yield List.of();
      }
      case MemoryOp.Atomic o -> {
        stored(op, accessed(op, o.tensor(), o.indices()), o.value());
        yield List.of();
      }
    };
  }

  private static void stored(Op op, TileType place, Value value) {
    check(bare(value.type()).equals(place), op, "the place is " + place + " and the value " + value.type());
  }

  /** The tile that an access with these indices reads or writes; see {@link MemoryOp}. */
  public static TileType accessed(Op op, Value tensor, List<Value> indices) {
    TensorType t = tensor(op, tensor);
    check(indices.size() == t.rank(), op, "a tensor of rank " + t.rank() + " with " + indices.size() + " indices");
    List<Integer> outer = new ArrayList<>();
    List<Integer> pointwise = null;
    for (Value index : indices) {
      switch (index.type()) {
        case RangeType r -> outer.add(r.size());
        case TileType i -> {
          check(i.element().isInteger(), op, "an index is an integer, not " + i);
          if (i.rank() == 0) {
            check(i.element() == I64, op, "a scalar index is i64, not " + i);
          } else if (i.rank() == 1) {
            outer.add(i.shape().get(0));
          } else {
            check(pointwise == null || pointwise.equals(i.shape()), op, "index tiles of rank 2 and up have one shape");
            pointwise = i.shape();
          }
        }
        case TensorType x -> throw new TypeException(text(op, "a tensor is no index"));
        case PointerType x -> throw new TypeException(text(op, "a pointer is no index"));
        case SharedType x -> throw new TypeException(text(op, "a shared buffer is no index"));
        case BarrierType x -> throw new TypeException(text(op, "a barrier is no index"));
        case TensorMapType x -> throw new TypeException(text(op, "a tensor map is no index"));
      }
    }
    check(pointwise == null || outer.isEmpty(), op,
        "beside an index tile of rank 2 and up stand scalars and its like only");
    return TileType.of(t.element(), pointwise != null ? pointwise : outer);
  }

  // ------------------------------------------------------------------------------------------------ elementwise

  private static Type elementwise(ElementwiseOp op) {
    return switch (op) {
      case ElementwiseOp.Constant o -> TileType.scalar(o.value().element());
      case ElementwiseOp.Unary o -> unary(o);
      case ElementwiseOp.Binary o -> binary(o);
      case ElementwiseOp.Compare o -> {
        same(op, o.lhs(), o.rhs());
        check(!tile(op, o.lhs()).element().isStorageOnly(), op, "a storage-only type");
        yield tile(op, o.lhs()).withElement(BOOL).withoutLayout();
      }
      case ElementwiseOp.Select o -> {
        same(op, o.then(), o.otherwise());
        check(tile(op, o.condition()).element() == BOOL, op, "the condition is bool, not " + o.condition().type());
        check(tile(op, o.condition()).shape().equals(tile(op, o.then()).shape()), op,
            "the condition has another shape");
        yield tile(op, o.then()).withoutLayout();
      }
      case ElementwiseOp.Fma o -> {
        same(op, o.a(), o.b());
        same(op, o.a(), o.c());
        Element e = tile(op, o.a()).element();
        check(e == F32 || e == F64, op, "fma is of f32 or f64, not " + e.text());
        yield tile(op, o.a()).withoutLayout();
      }
      case ElementwiseOp.Cast o -> tile(op, o.x()).withElement(o.to()).withoutLayout();
      case ElementwiseOp.Bitcast o -> {
        check(tile(op, o.x()).element().bits() == o.to().bits(), op, "the types differ in width");
        yield tile(op, o.x()).withElement(o.to()).withoutLayout();
      }
      case ElementwiseOp.Philox o -> {
        scalar(op, o.seed(), U64);
        check(tile(op, o.offset()).element() == I64, op, "the offset is i64, not " + o.offset().type());
        yield tile(op, o.offset()).withElement(U32).withoutLayout();
      }
    };
  }

  private static Type unary(ElementwiseOp.Unary op) {
    TileType t = tile(op, op.x());
    Element e = t.element();
    boolean ok = switch (op.kind()) {
      case NEG, ABS -> !e.isBool() && !e.isStorageOnly();
      case NOT -> e.isBool() || e.isInteger() && !e.isStorageOnly();
      case FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID -> e == F32
          || e == F64;
    };
    check(ok, op, "not defined on " + e.text());
    return t.withoutLayout();
  }

  private static Type binary(ElementwiseOp.Binary op) {
    same(op, op.lhs(), op.rhs());
    TileType t = tile(op, op.lhs());
    Element e = t.element();
    boolean wide = e == F32 || e == F64;
    boolean integer = e.isInteger() && !e.isStorageOnly();
    boolean ok = switch (op.kind()) {
      case ADD, SUB, MUL, DIV, REM, POW -> wide || integer;
      case MIN, MAX -> !e.isBool() && !e.isStorageOnly();
      case AND, OR, XOR -> integer || e.isBool();
      case SHL, SHR -> integer;
    };
    check(ok, op, "not defined on " + e.text());
    return t.withoutLayout();
  }

  // ------------------------------------------------------------------------------------------------ shape

  private static Type shape(ShapeOp op) {
    return switch (op) {
      case ShapeOp.Splat o -> {
        check(tile(op, o.scalar()).isScalar(), op, "a scalar is wanted, not " + o.scalar().type());
        yield TileType.of(tile(op, o.scalar()).element(), o.shape());
      }
      case ShapeOp.Broadcast o -> {
        TileType t = tile(op, o.x());
        check(t.rank() == o.shape().size(), op, "the ranks of " + t + " and " + o.shape() + " differ");
        for (int i = 0; i < t.rank(); i++) {
          int d = t.shape().get(i);
          check(d == 1 || d == o.shape().get(i), op, t + " does not broadcast to " + o.shape());
        }
        yield t.withShape(o.shape());
      }
      case ShapeOp.Reshape o -> {
        TileType t = tile(op, o.x());
        check(t.count() == Shapes.count(o.shape()), op,
            t + " has " + t.count() + " elements, not those of " + o.shape());
        yield t.withShape(o.shape());
      }
      case ShapeOp.Permute o -> {
        TileType t = tile(op, o.x());
        List<Integer> sorted = new ArrayList<>(o.order());
        Collections.sort(sorted);
        check(sorted.equals(java.util.stream.IntStream.range(0, t.rank()).boxed().toList()), op,
            o.order() + " is no order of " + t.rank() + " dimensions");
        yield t.withShape(o.order().stream().map(t.shape()::get).toList());
      }
      case ShapeOp.Concat o -> concat(o);
      case ShapeOp.Slice o -> {
        TileType t = tile(op, o.x());
        check(block(t.shape(), o.offsets(), o.shape()), op,
            "block " + o.shape() + " at " + o.offsets() + " outside " + t);
        yield t.withShape(o.shape());
      }
      case ShapeOp.Iota o -> TileType.of(I32, o.size());
      case ShapeOp.ConvertLayout o -> tile(op, o.x()).withoutLayout();
    };
  }

  private static Type concat(ShapeOp.Concat op) {
    check(!op.parts().isEmpty(), op, "at least one part is wanted");
    TileType first = tile(op, op.parts().get(0));
    check(op.axis() >= 0 && op.axis() < first.rank(), op, "no axis " + op.axis() + " in " + first);
    int total = 0;
    for (Value part : op.parts()) {
      TileType t = tile(op, part);
      check(t.element() == first.element() && t.rank() == first.rank()
          && Shapes.reduced(t.shape(), List.of(op.axis())).equals(Shapes.reduced(first.shape(), List.of(op.axis()))),
          op, t + " beside " + first);
      total += t.shape().get(op.axis());
    }
    List<Integer> shape = new ArrayList<>(first.shape());
    shape.set(op.axis(), total);
    return first.withShape(shape);
  }

  static boolean block(List<Integer> whole, List<Integer> offsets, List<Integer> shape) {
    if (offsets.size() != whole.size() || shape.size() != whole.size()) {
      return false;
    }
    for (int i = 0; i < whole.size(); i++) {
      if (offsets.get(i) < 0 || shape.get(i) < 0 || offsets.get(i) + shape.get(i) > whole.get(i)) {
        return false;
      }
    }
    return true;
  }

  // ------------------------------------------------------------------------------------------------ reductions, dot

  private static List<Type> reduction(ReductionOp op) {
    return switch (op) {
      case ReductionOp.Reduce o -> {
        TileType t = tile(op, o.x());
        o.axes().forEach(a -> axis(op, t, a));
        Element e = t.element();
        boolean ok = switch (o.kind()) {
          case SUM, PROD -> e == F32 || e == F64 || e.isInteger() && e.bits() >= 32;
          case MIN, MAX -> !e.isBool() && !e.isStorageOnly();
          case ANY, ALL -> e.isBool();
        };
        check(ok, op, "not defined on " + e.text());
        yield List.of(t.withShape(Shapes.reduced(t.shape(), o.axes())));
      }
      case ReductionOp.ArgReduce o -> {
        TileType t = tile(op, o.x());
        axis(op, t, o.axis());
        yield List.of(TileType.of(I32, Shapes.reduced(t.shape(), List.of(o.axis()))));
      }
      case ReductionOp.Scan o -> {
        TileType t = tile(op, o.x());
        axis(op, t, o.axis());
        Element e = t.element();
        check(e == F32 || e == F64 || e.isInteger() && e.bits() >= 32 || o.kind() == ReductionOp.ScanKind.MAX
            && !e.isBool(), op, "not defined on " + e.text());
        yield List.of(t.withoutLayout());
      }
      case ReductionOp.ReduceWith o -> {
        combine(op, o.xs(), o.axis(), o.combine());
        yield o.xs()
            .stream().<Type>map(x -> tile(op, x).withShape(Shapes.reduced(tile(op, x).shape(), List.of(o.axis()))))
            .toList();
      }
      case ReductionOp.ScanWith o -> {
        combine(op, o.xs(), o.axis(), o.combine());
        yield bare(types(o.xs()));
      }
    };
  }

  private static void combine(Op op, List<Value> xs, int axis, Region combine) {
    check(!xs.isEmpty(), op, "at least one tile is wanted");
    List<Type> scalars = new ArrayList<>();
    for (Value x : xs) {
      check(tile(op, x).shape().equals(tile(op, xs.get(0)).shape()), op, "the tiles differ in shape");
      axis(op, tile(op, x), axis);
      scalars.add(TileType.scalar(tile(op, x).element()));
    }
    parameters(op, combine, concat(scalars, scalars));
    yields(op, combine, scalars);
  }

  private static Type dot(MatrixOp.Dot op) {
    return dot(op, tile(op, op.a()), tile(op, op.b()), tile(op, op.acc()));
  }

  /** The type of {@code a @ b + acc}. */
  static Type dot(Op op, TileType a, TileType b, TileType acc) {
    int n = a.rank();
    check(n >= 2 && b.rank() == n && acc.rank() == n, op, "operands of one rank, 2 and up, are wanted");
    check(accumulator(a.element(), b.element()) == acc.element(), op,
        a.element().text() + " @ " + b.element().text() + " into " + acc.element().text());
    for (int i = 0; i < n - 2; i++) {
      check(a.shape().get(i).equals(b.shape().get(i)) && a.shape().get(i).equals(acc.shape().get(i)), op,
          "batch dimensions differ: " + a + " @ " + b + " + " + acc);
    }
    check(a.shape().get(n - 1).equals(b.shape().get(n - 2)) && a.shape().get(n - 2).equals(acc.shape().get(n - 2))
        && b.shape().get(n - 1).equals(acc.shape().get(n - 1)), op,
        "shapes do not fit: " + a + " @ " + b + " + " + acc);
    return acc.withoutLayout();
  }

  /** The type in which {@code a @ b} accumulates, or null if there is no such product. */
  public static Element accumulator(Element a, Element b) {
    boolean bytes = (a == Element.I8 || a == Element.U8) && (b == Element.I8 || b == Element.U8);
    if (bytes) {
      return I32;
    }
    if (a != b && !(a.isFp8() && b.isFp8())) {
      return null;
    }
    return switch (a) {
      case F16, BF16, E4M3, E5M2, F32 -> F32;
      case F64 -> F64;
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, I4, U4, E2M1, E8M0 -> null;
    };
  }

  // ------------------------------------------------------------------------------------------------ shared

  private static List<Type> shared(SharedOp op) {
    return switch (op) {
      case SharedOp.SharedAlloc o -> List.of(o.type());
      case SharedOp.SharedLoad o -> {
        SharedType t = buffer(op, o.buffer());
        count(op, o.stage());
        check(block(t.shape(), o.offsets(), o.shape()), op,
            "block " + o.shape() + " at " + o.offsets() + " outside " + t);
        yield List.of(TileType.of(t.element(), o.shape()));
      }
      case SharedOp.GroupLoad o -> {
        SharedType t = buffer(op, o.buffer());
        count(op, o.stage());
        check(t.shape().size() == 2 && o.groups() >= 1, op, "rows of slots are wanted, not " + t);
        yield List.of(TileType.of(t.element(), List.of(o.groups() * t.shape().getFirst(), t.shape().getLast())));
      }
      case SharedOp.SharedStore o -> {
        count(op, o.stage());
        stored(op, buffer(op, o.buffer()).tile(), o.tile());
        yield List.of();
      }
      case SharedOp.CopyAsync o -> {
        count(op, o.stage());
        TileType t = accessed(op, o.tensor(), o.indices());
        check(t.equals(buffer(op, o.buffer()).tile()), op, "a tile " + t + " into " + o.buffer().type());
        yield List.of();
      }
      case SharedOp.CopyCommit _, SharedOp.Barrier _ -> List.of();
      case SharedOp.CopyWait o -> {
        check(o.pending() >= 0, op, "pending is negative");
        yield List.of();
      }
    };
  }

  // ------------------------------------------------------------------------------------------------ small checks

  static TileType tile(Op op, Value v) {
    if (v.type() instanceof TileType t) {
      return t;
    }
    throw new TypeException(text(op, "a tile is wanted, not " + v.type()));
  }

  private static TensorType tensor(Op op, Value v) {
    if (v.type() instanceof TensorType t) {
      return t;
    }
    throw new TypeException(text(op, "a tensor is wanted, not " + v.type()));
  }

  private static RangeType range(Op op, Value v) {
    if (v.type() instanceof RangeType t) {
      return t;
    }
    throw new TypeException(text(op, "a range is wanted, not " + v.type()));
  }

  static SharedType buffer(Op op, Value v) {
    if (v.type() instanceof SharedType t) {
      return t;
    }
    throw new TypeException(text(op, "a shared buffer is wanted, not " + v.type()));
  }

  static void scalar(Op op, Value v, Element e) {
    check(v.type().equals(TileType.scalar(e)), op, "a scalar " + e.text() + " is wanted, not " + v.type());
  }

  /** A slot's number or a phase's parity, for which 32 bits are enough. */
  static void count(Op op, Value v) {
    check(v.type().equals(TileType.scalar(I64)) || v.type().equals(TileType.scalar(Element.I32)), op,
        "an i32 or i64 is wanted, not " + v.type());
  }

  private static void scalars(Op op, List<Value> values, Element e) {
    values.forEach(v -> scalar(op, v, e));
  }

  private static void same(Op op, Value a, Value b) {
    check(bare(a.type()).equals(bare(b.type())), op,
        "operands of one type are wanted, not " + a.type() + " and " + b.type());
  }

  private static void axis(Op op, TileType t, int axis) {
    check(axis >= 0 && axis < t.rank(), op, "no axis " + axis + " in " + t);
  }

  static void check(boolean holds, Op op, String message) {
    if (!holds) {
      throw new TypeException(text(op, message));
    }
  }

  private static String text(Op op, String message) {
    return OpShape.mnemonic(op) + ": " + message;
  }

  private static List<Type> types(List<Value> values) {
    return values.stream().map(Value::type).toList();
  }

  private static List<Type> concat(List<Type> a, List<Type> b) {
    List<Type> all = new ArrayList<>(a);
    all.addAll(b);
    return all;
  }

  private static List<Type> bare(List<Type> types) {
    return types.stream().map(TypeRules::bare).toList();
  }

  /** The type without its layout. */
  public static Type bare(Type type) {
    return type instanceof TileType t ? t.withoutLayout() : type;
  }
}
