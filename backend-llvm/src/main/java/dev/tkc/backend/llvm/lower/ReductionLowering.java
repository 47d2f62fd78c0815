package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.CombinePlan;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ArgKind;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ReductionOp.ScanKind;
import dev.tkc.ir.rules.ScratchBytes;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;

/**
 * Reductions and scans: what is combined, and with what padding counts as; {@link Combining} does the rest. Every
 * thread that holds a place of the result gets its total.
 */
final class ReductionLowering {
  private final FunctionLowering f;
  private final ElementwiseLowering elements;

  ReductionLowering(FunctionLowering f) {
    this.f = f;
    this.elements = new ElementwiseLowering(f);
  }

  List<Lowered> lower(Inst inst, ReductionOp op) {
    return switch (op) {
      case ReductionOp.Reduce o when o.x().tile().isScalar() -> List.of(f.get(o.x()));
      case ReductionOp.Reduce o -> {
        Combining.Function function = pairs(binary(o.kind()), o.x());
        List<List<LlvmValue>> start = masked(o.x(), o.axes(), neutral(o.kind(), o.x().tile().element()));
        yield totals(inst, o, o.x().tile(), o.axes(), start, function);
      }
      case ReductionOp.ArgReduce o -> totals(inst, o, o.x().tile(), List.of(o.axis()), indexed(o), better(o))
          .subList(1, 2);
      case ReductionOp.ReduceWith o -> {
        TileType type = o.xs().get(0).tile();
        boolean flagged = isFlagged(type, o.axis());
        List<Lowered> all = totals(inst, o, type, List.of(o.axis()), tuples(o.xs(), o.axis(), flagged),
            user(o.combine(), flagged));
        yield all.subList(0, o.xs().size());
      }
      case ReductionOp.Scan o -> List.of(scan(inst, o));
      case ReductionOp.ScanWith o -> scanWith(inst, o);
    };
  }

  private Combining combining(Inst inst, ReductionOp op, LayoutView view) {
    CombinePlan plan = ScratchBytes.plan(op).orElseThrow();
    LlvmValue scratch = plan.scratchElements() > 0 ? f.scratch(inst) : null;
    return new Combining(f, view, plan, scratch, ScratchBytes.components(op));
  }

  // Reductions.

  private List<Lowered> totals(Inst inst, ReductionOp op, TileType from, List<Integer> axes,
      List<List<LlvmValue>> start, Combining.Function function) {
    LayoutView view = f.view(from);
    boolean ordered = op instanceof ReductionOp.ReduceWith;
    List<List<LlvmValue>> totals = combining(inst, op, view).reduce(start, function, ordered);
    LinearLayout reduced = view.layout();
    for (int axis : axes) {
      reduced = reduced.reduced(axis);
    }
    List<Lowered> results = new ArrayList<>();
    LayoutView out = f.view(inst.results().get(0).tile());
    for (int c = 0; c < start.get(0).size(); c++) {
      int component = c;
      LinearLayout source = reduced;
      results.add(out.map(LlvmValue.zero(start.get(0).get(c).type()), r -> {
        int holder = source.matrix(InDim.REGISTER).solve(out.place(r)).orElseThrow(
            () -> new IllegalStateException(inst + " has a result layout that its operand's does not give")).intValue();
        return totals.get(holder).get(component);
      }));
    }
    return results;
  }

  private static BinaryKind binary(ReduceKind kind) {
    return switch (kind) {
      case SUM -> BinaryKind.ADD;
      case PROD -> BinaryKind.MUL;
      case MIN -> BinaryKind.MIN;
      case MAX -> BinaryKind.MAX;
      case ANY -> BinaryKind.OR;
      case ALL -> BinaryKind.AND;
    };
  }

  private static LlvmValue neutral(ReduceKind kind, Element e) {
    return switch (kind) {
      case SUM, ANY -> RegisterTypes.zero(e);
      case PROD -> one(e);
      case ALL -> LlvmValue.i1(true);
      case MIN -> extreme(e, false);
      case MAX -> extreme(e, true);
    };
  }

  private static LlvmValue one(Element e) {
    return e.isFloat() ? LlvmValue.real(RegisterTypes.of(e), 1) : LlvmValue.constant(RegisterTypes.of(e), 1);
  }

  /** The least value of a type, or the greatest. */
  private static LlvmValue extreme(Element e, boolean least) {
    return switch (e) {
      case F16, BF16, F32, F64 ->
          LlvmValue.real(RegisterTypes.of(e), least ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
      case E4M3 -> LlvmValue.constant(RegisterTypes.of(e), least ? 0xFE : 0x7E);
      case E5M2 -> LlvmValue.constant(RegisterTypes.of(e), least ? 0xFC : 0x7C);
      case BOOL -> LlvmValue.i1(!least);
      case I8, I16, I32, I64 -> {
        long lowest = -1L << (e.bits() - 1);
        yield LlvmValue.constant(RegisterTypes.of(e), least ? lowest : ~lowest);
      }
      case U8, U16, U32, U64 -> LlvmValue.constant(RegisterTypes.of(e), least ? 0 : -1);
      case I4, U4, E2M1, E8M0 -> throw new IllegalStateException("no extremes of " + e.text());
    };
  }

  private Combining.Function pairs(BinaryKind kind, Value x) {
    Element e = x.tile().element();
    return (left, right) -> List.of(elements.binary(kind, left.get(0), right.get(0), e, false, false));
  }

  /** One value for each register, {@code neutral} where the place is padding along the axes. */
  private List<List<LlvmValue>> masked(Value x, List<Integer> axes, LlvmValue neutral) {
    LayoutView view = f.view(x.tile());
    List<LlvmValue> registers = f.registers(x);
    List<List<LlvmValue>> out = new ArrayList<>();
    for (int r = 0; r < view.registers(); r++) {
      out.add(view.isFirst(r)
          ? List.of(Padding.select(f, view, r, axes, registers.get(r), neutral))
          : out.get(view.twin(r)));
    }
    return out;
  }

  // The place of an extreme.

  private List<List<LlvmValue>> indexed(ReductionOp.ArgReduce o) {
    LayoutView view = f.view(o.x().tile());
    Element e = o.x().tile().element();
    List<List<LlvmValue>> values = masked(o.x(), List.of(o.axis()), extreme(e, o.kind() == ArgKind.ARGMAX));
    List<List<LlvmValue>> out = new ArrayList<>();
    for (int r = 0; r < view.registers(); r++) {
      LlvmValue place = f.thread().position(view, r, o.axis());
      LlvmValue index = Padding.select(f, view, r, List.of(o.axis()), place, LlvmValue.i32(Integer.MAX_VALUE));
      out.add(List.of(values.get(r).get(0), index));
    }
    return out;
  }

  /** The better value, a NaN before all; the lower index where they are equal. */
  private Combining.Function better(ReductionOp.ArgReduce o) {
    LlvmBuilder b = f.b();
    Element e = o.x().tile().element();
    CompareKind wins = o.kind() == ArgKind.ARGMAX ? CompareKind.GT : CompareKind.LT;
    return (left, right) -> {
      LlvmValue above = elements.compare(wins, right.get(0), left.get(0), e);
      LlvmValue equal = elements.compare(CompareKind.EQ, right.get(0), left.get(0), e);
      if (e.isFloat()) {
        LlvmValue leftNan = isNan(left.get(0), e);
        LlvmValue rightNan = isNan(right.get(0), e);
        above = b.or(b.and(above, b.not(leftNan)), b.and(rightNan, b.not(leftNan)));
        equal = b.or(equal, b.and(leftNan, rightNan));
      }
      LlvmValue earlier = b.icmp(Compare.SLT, right.get(1), left.get(1));
      LlvmValue take = b.or(above, b.and(equal, earlier));
      return List.of(b.select(take, right.get(0), left.get(0)), b.select(take, right.get(1), left.get(1)));
    };
  }

  private LlvmValue isNan(LlvmValue x, Element e) {
    LlvmValue wide = e.bits() < 32
        ? new CastMath(f.b(), f.target()).convert(List.of(x), e, Element.F32, false).get(0) : x;
    return f.b().fcmp(RealCompare.UNO, wide, wide);
  }

  // Functions written in the program.

  private static boolean isFlagged(TileType type, int axis) {
    return Integer.bitCount(type.shape().get(axis)) != 1;
  }

  private List<List<LlvmValue>> tuples(List<Value> xs, int axis, boolean flagged) {
    LayoutView view = f.view(xs.get(0).tile());
    List<List<LlvmValue>> out = new ArrayList<>();
    for (int r = 0; r < view.registers(); r++) {
      List<LlvmValue> tuple = new ArrayList<>();
      for (Value x : xs) {
        tuple.add(f.registers(x).get(r));
      }
      if (flagged) {
        tuple.add(Padding.select(f, view, r, List.of(axis), LlvmValue.i1(true), LlvmValue.i1(false)));
      }
      out.add(tuple);
    }
    return out;
  }

  private Combining.Function user(Region combine, boolean flagged) {
    LlvmBuilder b = f.b();
    int n = combine.params().size() / 2;
    return (left, right) -> {
      for (int i = 0; i < n; i++) {
        f.define(combine.params().get(i), new Lowered.Scalar(left.get(i)));
        f.define(combine.params().get(n + i), new Lowered.Scalar(right.get(i)));
      }
      List<LlvmValue> joined = new ArrayList<>();
      for (Lowered value : f.region(combine)) {
        joined.add(((Lowered.Scalar) value).value());
      }
      if (!flagged) {
        return joined;
      }
      for (int i = 0; i < n; i++) {
        LlvmValue either = b.select(right.get(n), joined.get(i), left.get(i));
        joined.set(i, b.select(left.get(n), either, right.get(i)));
      }
      joined.add(b.or(left.get(n), right.get(n)));
      return joined;
    };
  }

  // Scans.

  private Lowered scan(Inst inst, ReductionOp.Scan o) {
    Element e = o.x().tile().element();
    LlvmValue neutral = neutral(o.kind(), e);
    BinaryKind kind = switch (o.kind()) {
      case SUM -> BinaryKind.ADD;
      case PROD -> BinaryKind.MUL;
      case MAX -> BinaryKind.MAX;
    };
    List<List<LlvmValue>> start = masked(o.x(), List.of(o.axis()), neutral);
    List<List<LlvmValue>> first = o.exclusive()
        ? java.util.Collections.nCopies(start.size(), List.of(neutral)) : start;
    LayoutView view = f.view(o.x().tile());
    List<List<LlvmValue>> running = combining(inst, o, view).scan(start, first, pairs(kind, o.x()), o.reverse());
    return results(inst, 0, view, running);
  }

  private static LlvmValue neutral(ScanKind kind, Element e) {
    return switch (kind) {
      case SUM -> RegisterTypes.zero(e);
      case PROD -> one(e);
      case MAX -> extreme(e, true);
    };
  }

  private List<Lowered> scanWith(Inst inst, ReductionOp.ScanWith o) {
    TileType type = o.xs().get(0).tile();
    boolean flagged = isFlagged(type, o.axis());
    LayoutView view = f.view(type);
    List<List<LlvmValue>> start = tuples(o.xs(), o.axis(), flagged);
    List<List<LlvmValue>> running = combining(inst, o, view)
        .scan(start, start, user(o.combine(), flagged), o.reverse());
    List<Lowered> results = new ArrayList<>();
    for (int i = 0; i < o.xs().size(); i++) {
      results.add(results(inst, i, view, running));
    }
    return results;
  }

  private Lowered results(Inst inst, int component, LayoutView view, List<List<LlvmValue>> running) {
    LlvmValue zero = RegisterTypes.zero(inst.results().get(component).tile().element());
    return view.map(zero, r -> running.get(r).get(component));
  }
}
