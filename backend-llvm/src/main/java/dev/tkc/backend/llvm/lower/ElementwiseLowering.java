package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.FastMath;
import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Slopes;
import dev.tkc.passes.place.BeforeWaits;
import dev.tkc.passes.place.CoarseFunctions;
import dev.tkc.passes.tile.FloatPositions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Element by element: each register by itself, scalars as one register. Outside {@code exact} a product may fuse into a
 * sum (the flag {@code contract}); no other liberty is taken but the bounds of {@code docs/numerics.md}.
 */
final class ElementwiseLowering {
  private static final FastMath[] CONTRACT = {FastMath.CONTRACT};
  private static final FastMath[] EXACT = {};

  private final FunctionLowering f;

  ElementwiseLowering(FunctionLowering f) {
    this.f = f;
  }

  Lowered lower(Inst inst, ElementwiseOp op) {
    return inst.flag(BeforeWaits.HELD) ? held((Lowered.Tile) compute(inst, op)) : compute(inst, op);
  }

  /** The same tile, each number of it once. */
  private Lowered held(Lowered.Tile tile) {
    List<LlvmValue> values = tile.registers().stream().distinct().toList();
    List<LlvmValue> made = f.target().async().hold(f.b(), values);
    return new Lowered.Tile(tile.registers().stream().map(v -> made.get(values.indexOf(v))).toList());
  }

  private Lowered compute(Inst inst, ElementwiseOp op) {
    return switch (op) {
      case ElementwiseOp.Constant o -> new Lowered.Scalar(RegisterTypes.literal(o.value()));
      case ElementwiseOp.Unary o when inst.flag(CoarseFunctions.COARSE) -> coarse(inst, o);
      case ElementwiseOp.Unary o -> {
        Map<LlvmValue, LlvmValue> done = new HashMap<>();
        yield each(inst, r -> done.computeIfAbsent(at(o.x(), r),
            x -> unary(o.kind(), x, o.x().tile().element(), o.exact())));
      }
      case ElementwiseOp.Binary o -> {
        boolean plain = f.signs().bothNonNegative(o.lhs(), o.rhs());
        Element e = o.lhs().tile().element();
        if (inst.flag("small") && e == Element.I64) {
          yield each(inst, r -> small(o.kind(), at(o.lhs(), r), at(o.rhs(), r)));
        }
        if (f.small().contains(o.lhs()) && f.small().contains(o.rhs()) && f.small().contains(inst.result())) {
          yield each(inst, r -> f.b().zext(
              binary(o.kind(), narrow(o.lhs()), narrow(o.rhs()), Element.I32, false, plain), LlvmType.I64));
        }
        Map<List<LlvmValue>, LlvmValue> done = new HashMap<>();
        yield each(inst, r -> done.computeIfAbsent(List.of(at(o.lhs(), r), at(o.rhs(), r)),
            xy -> binary(o.kind(), xy.get(0), xy.get(1), e, o.exact(), plain)));
      }
      case ElementwiseOp.Compare o when f.small().contains(o.lhs()) && f.small().contains(o.rhs()) ->
          each(inst, r -> compare(o.kind(), narrow(o.lhs()), narrow(o.rhs()), Element.I32));
      case ElementwiseOp.Compare o ->
          each(inst, r -> compare(o.kind(), at(o.lhs(), r), at(o.rhs(), r), o.lhs().tile().element()));
      case ElementwiseOp.Select o ->
          each(inst, r -> f.b().select(at(o.condition(), r), at(o.then(), r), at(o.otherwise(), r)));
      case ElementwiseOp.Fma o -> each(inst, r -> FloatMath.fma(f.b(), at(o.a(), r), at(o.b(), r), at(o.c(), r)));
      case ElementwiseOp.Cast o -> cast(inst, o);
      case ElementwiseOp.Bitcast o -> each(inst, r -> f.b().bitcast(at(o.x(), r), RegisterTypes.of(o.to())));
      case ElementwiseOp.Philox o -> {
        LlvmValue seed = f.scalar(o.seed());
        yield each(inst, r -> PhiloxMath.word(f.b(), seed, at(o.offset(), r)));
      }
    };
  }

  /** A number that is known to have 31 bits at most. */
  private LlvmValue narrow(Value v) {
    return f.b().trunc(f.scalar(v), LlvmType.I32);
  }

  /** A quotient or remainder of numbers below 2^31, none negative, which 32 bits have an instruction for. */
  private LlvmValue small(BinaryKind kind, LlvmValue x, LlvmValue y) {
    LlvmBuilder b = f.b();
    LlvmValue u = b.trunc(x, LlvmType.I32);
    LlvmValue v = b.trunc(y, LlvmType.I32);
    return b.zext(kind == BinaryKind.DIV ? b.udiv(u, v) : b.urem(u, v), LlvmType.I64);
  }

  private LlvmValue at(Value operand, int register) {
    return f.registers(operand).get(register);
  }

  private Lowered each(Inst inst, IntFunction<LlvmValue> compute) {
    TileType type = inst.result().tile();
    return type.isScalar()
        ? new Lowered.Scalar(compute.apply(0))
        : f.view(type).map(RegisterTypes.zero(type.element()), compute);
  }

  /** Conversions see all registers at once, since targets convert in pairs. */
  private Lowered cast(Inst inst, ElementwiseOp.Cast o) {
    TileType type = inst.result().tile();
    Element from = o.x().tile().element();
    boolean wrap = o.kind() == ElementwiseOp.CastKind.WRAP;
    CastMath casts = new CastMath(f.b(), f.target());
    if (type.isScalar()) {
      return new Lowered.Scalar(casts.convert(List.of(f.scalar(o.x())), from, o.to(), wrap).get(0));
    }
    LayoutView view = f.view(type);
    if (inst.annotations().containsKey(FloatPositions.STEPPED) && !view.mayPad()) {
      Optional<Slopes> slopes = Slopes.of(o.x()).filter(s -> view.addsAlong(axis -> s.along().get(axis) != 0));
      if (slopes.isPresent()) {
        return stepped(inst, at(o.x(), 0), slopes.get());
      }
    }
    List<Integer> wanted = wanted(view);
    List<LlvmValue> outputs = casts.convert(wanted.stream().map(r -> at(o.x(), r)).toList(), from, o.to(), wrap);
    return view.map(RegisterTypes.zero(o.to()), r -> outputs.get(wanted.indexOf(r)));
  }

  /** A function of which few bits are seen. */
  private Lowered coarse(Inst inst, ElementwiseOp.Unary o) {
    FloatMath math = new FloatMath(f.b(), f.target(), false);
    TileType type = inst.result().tile();
    if (o.kind() != UnaryKind.SIGMOID || !inst.flag(CoarseFunctions.MULTIPLIED)) {
      return each(inst, r -> math.coarse(o.kind(), at(o.x(), r)));
    }
    LayoutView view = f.view(type);
    Map<Integer, LlvmValue> results = new HashMap<>();
    Map<List<Integer>, Integer> alone = new HashMap<>();
    for (int r : wanted(view)) {
      List<Integer> row = view.coordinates(r).subList(0, view.rank() - 1);
      Integer other = alone.remove(row);
      if (other == null) {
        alone.put(row, r);
      } else {
        List<LlvmValue> both = math.coarseSigmoids(at(o.x(), other), at(o.x(), r));
        results.put(other, both.get(0));
        results.put(r, both.get(1));
      }
    }
    alone.values().forEach(r -> results.put(r, math.coarse(o.kind(), at(o.x(), r))));
    return view.map(RegisterTypes.zero(Element.F32), results::get);
  }

  /** The registers that are worth computing. */
  private static List<Integer> wanted(LayoutView view) {
    return IntStream.range(0, view.registers()).filter(r -> view.isFirst(r) && !view.allPadding(r)).boxed().toList();
  }

  /**
   * Positions of f32: what threads share is converted, and to that is added where the thread and its register are. What
   * is shared has 24 bits without its low ones, which are looked at where they are not known.
   */
  private Lowered stepped(Inst inst, LlvmValue first, Slopes slopes) {
    LlvmBuilder b = f.b();
    LayoutView view = f.view(inst.result().tile());
    long constant = inst.annotation(FloatPositions.STEPPED, 0);
    long start = slopes.at(view.coordinates(0));
    LlvmValue own = LlvmValue.i32(start + Math.max(0, constant));
    for (int axis = 0; axis < view.rank(); axis++) {
      if (slopes.along().get(axis) != 0) {
        LlvmValue coordinate = f.thread().coordinate(view.layout(), axis);
        own = b.add(own, b.mul(coordinate, LlvmValue.i32(slopes.along().get(axis))));
      }
    }
    if (constant < 0) {
      own = b.add(own, b.and(b.sub(first, own), LlvmValue.i32(FloatPositions.GRAIN - 1)));
    }
    LlvmValue shared = b.sitofp(b.sub(first, own), LlvmType.FLOAT);
    LlvmValue once = b.sitofp(own, LlvmType.FLOAT);
    LlvmValue lane = inst.flag(BeforeWaits.HELD) ? f.target().async().hold(b, List.of(once)).get(0) : once;
    Map<Long, LlvmValue> at = new HashMap<>();
    return view.map(RegisterTypes.zero(Element.F32), r -> at.computeIfAbsent(slopes.at(view.coordinates(r)) - start,
        k -> b.fadd(shared, b.fadd(lane, LlvmValue.f32(k)))));
  }

  // One element at a time; reductions and atomics use these too.

  LlvmValue unary(UnaryKind kind, LlvmValue x, Element e, boolean exact) {
    LlvmBuilder b = f.b();
    if (e.isFp8()) {
      return narrow(unary(kind, widen(x, e), Element.F32, exact), e);
    }
    return switch (kind) {
      case NEG -> e.isFloat() ? b.fneg(x) : b.sub(LlvmValue.zero(x.type()), x);
      case ABS -> e.isFloat() ? b.call(LlvmIntrinsic.uniform("llvm.fabs", x.type(), 1), x)
          : e.isSigned() ? IntegerMath.abs(b, x) : x;
      case NOT -> b.not(x);
      case FLOOR -> b.call(LlvmIntrinsic.uniform("llvm.floor", x.type(), 1), x);
      case CEIL -> b.call(LlvmIntrinsic.uniform("llvm.ceil", x.type(), 1), x);
      case ROUND -> b.call(LlvmIntrinsic.uniform("llvm.roundeven", x.type(), 1), x);
      case SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID ->
          e == Element.F64 ? new DoubleMath(b).unary(kind, x) : new FloatMath(b, f.target(), exact).unary(kind, x);
    };
  }

  LlvmValue binary(BinaryKind kind, LlvmValue x, LlvmValue y, Element e, boolean exact, boolean plain) {
    return e.isFloat() ? real(kind, x, y, e, exact) : integer(kind, x, y, e, plain || e.isUnsigned());
  }

  private LlvmValue real(BinaryKind kind, LlvmValue x, LlvmValue y, Element e, boolean exact) {
    LlvmBuilder b = f.b();
    if (e.isFp8()) {
      return narrow(real(kind, widen(x, e), widen(y, e), Element.F32, exact), e);
    }
    FastMath[] flags = exact ? EXACT : CONTRACT;
    return switch (kind) {
      case ADD -> b.fadd(x, y, flags);
      case SUB -> b.fsub(x, y, flags);
      case MUL -> b.fmul(x, y, flags);
      case DIV -> exact || e == Element.F64 ? b.fdiv(x, y) : f.target().divide(b, x, y);
      case REM -> {
        LlvmValue whole = b.call(LlvmIntrinsic.uniform("llvm.floor", x.type(), 1), b.fdiv(x, y));
        yield b.fsub(x, b.fmul(whole, y, flags), flags);
      }
      case POW -> e == Element.F64 ? new DoubleMath(b).pow(x, y) : new FloatMath(b, f.target(), exact).pow(x, y);
      case MIN -> b.call(LlvmIntrinsic.uniform("llvm.minimum", x.type(), 2), x, y);
      case MAX -> b.call(LlvmIntrinsic.uniform("llvm.maximum", x.type(), 2), x, y);
      case AND, OR, XOR, SHL, SHR -> throw new IllegalStateException(kind + " of floats");
    };
  }

  private LlvmValue integer(BinaryKind kind, LlvmValue x, LlvmValue y, Element e, boolean plain) {
    LlvmBuilder b = f.b();
    boolean signed = e.isSigned();
    return switch (kind) {
      case ADD -> b.add(x, y);
      case SUB -> b.sub(x, y);
      case MUL -> b.mul(x, y);
      case DIV -> IntegerMath.floorDiv(b, x, y, plain);
      case REM -> IntegerMath.floorMod(b, x, y, plain);
      case POW -> IntegerMath.pow(b, x, y);
      case MIN -> e.isBool() ? b.and(x, y) : IntegerMath.min(b, x, y, signed);
      case MAX -> e.isBool() ? b.or(x, y) : IntegerMath.max(b, x, y, signed);
      case AND -> b.and(x, y);
      case OR -> b.or(x, y);
      case XOR -> b.xor(x, y);
      case SHL -> IntegerMath.shl(b, x, y);
      case SHR -> IntegerMath.shr(b, x, y, signed);
    };
  }

  LlvmValue compare(CompareKind kind, LlvmValue x, LlvmValue y, Element e) {
    LlvmBuilder b = f.b();
    if (e.isFloat()) {
      RealCompare predicate = switch (kind) {
        case EQ -> RealCompare.OEQ;
        case NE -> RealCompare.UNE;
        case LT -> RealCompare.OLT;
        case LE -> RealCompare.OLE;
        case GT -> RealCompare.OGT;
        case GE -> RealCompare.OGE;
      };
      boolean narrow = e.bits() < 32;
      return b.fcmp(predicate, narrow ? widen(x, e) : x, narrow ? widen(y, e) : y);
    }
    boolean signed = e.isSigned();
    return b.icmp(switch (kind) {
      case EQ -> Compare.EQ;
      case NE -> Compare.NE;
      case LT -> signed ? Compare.SLT : Compare.ULT;
      case LE -> signed ? Compare.SLE : Compare.ULE;
      case GT -> signed ? Compare.SGT : Compare.UGT;
      case GE -> signed ? Compare.SGE : Compare.UGE;
    }, x, y);
  }

  private LlvmValue widen(LlvmValue x, Element e) {
    return new CastMath(f.b(), f.target()).convert(List.of(x), e, Element.F32, false).get(0);
  }

  private LlvmValue narrow(LlvmValue x, Element e) {
    return new CastMath(f.b(), f.target()).convert(List.of(x), Element.F32, e, false).get(0);
  }
}
