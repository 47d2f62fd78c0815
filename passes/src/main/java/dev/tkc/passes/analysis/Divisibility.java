package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * The largest power of two known to divide each integer of a function, or each address in bytes, up to {@link #MOST}.
 * What parameters promise is believed: the launch checks it.
 */
public final class Divisibility {
  public static final long MOST = 1L << 30;

  private final Map<Value, Long> known = new IdentityHashMap<>();

  public Divisibility(Func func) {
    for (Param p : func.params()) {
      known.put(p.value(), (long) p.divisibility());
    }
    positions(func.body());
  }

  private void positions(Region region) {
    for (Inst inst : region.insts()) {
      switch (inst.op()) {
        case ControlOp.For loop ->
            known.put(loop.body().params().getFirst(), Math.min(of(loop.lo()), Long.lowestOneBit(loop.step())));
        case ControlOp.Parallel nest ->
            known.put(nest.body().params().getFirst(), Math.min(of(nest.lo()), Long.lowestOneBit(nest.step())));
        case ControlOp _, MemoryOp _, ElementwiseOp _, dev.tkc.ir.op.ShapeOp _, dev.tkc.ir.op.ReductionOp _,
            dev.tkc.ir.op.MatrixOp _, dev.tkc.ir.op.SharedOp _ -> { }
      }
      inst.regions().forEach(this::positions);
    }
  }

  /** A power of two that divides the value; 1 where nothing is known. */
  public long of(Value value) {
    Long found = known.get(value);
    if (found != null) {
      return found;
    }
    // Carried values may depend on themselves: until shown otherwise nothing divides them.
    known.put(value, 1L);
    long result = value.definition() == null ? 1 : Math.min(MOST, derive(value.definition()));
    known.put(value, result);
    return result;
  }

  public boolean divides(long divisor, Value value) {
    return of(value) % divisor == 0;
  }

  private long derive(Inst inst) {
    return switch (inst.op()) {
      case ElementwiseOp.Constant c -> c.value().element().isInteger() ? ofConstant(c.value().bits()) : 1;
      case ElementwiseOp.Binary b -> binary(b);
      case ElementwiseOp.Select s -> Math.min(of(s.then()), of(s.otherwise()));
      case MemoryOp.AddressOf a -> ofAddress(a.tensor());
      case dev.tkc.ir.op.ControlOp _, MemoryOp _, ElementwiseOp _, dev.tkc.ir.op.ShapeOp _,
          dev.tkc.ir.op.ReductionOp _, dev.tkc.ir.op.MatrixOp _, dev.tkc.ir.op.SharedOp _ -> 1;
    };
  }

  private static long ofConstant(long value) {
    return value == 0 ? MOST : Math.min(MOST, Long.lowestOneBit(value));
  }

  private long binary(ElementwiseOp.Binary b) {
    if (!b.lhs().tile().isScalar() || !b.lhs().tile().element().isInteger()) {
      return 1;
    }
    long l = of(b.lhs());
    long r = of(b.rhs());
    return switch (b.kind()) {
      case ADD, SUB, MIN, MAX, OR, XOR -> Math.min(l, r);
      case MUL -> Math.min(MOST, l * r);
      case AND -> Math.max(l, r);
      case DIV -> {
        long by = Regions.integer(b.rhs()).orElse(0);
        yield by > 0 && Long.bitCount(by) == 1 && l % by == 0 ? l / by : 1;
      }
      case REM -> Math.min(l, r);
      case SHL -> {
        long by = Regions.integer(b.rhs()).orElse(0);
        yield by >= 0 && by < 30 ? Math.min(MOST, l << by) : l;
      }
      case SHR, POW -> 1;
    };
  }

  /** What divides the address of the tensor's first element, in bytes. */
  public long ofAddress(Value tensor) {
    if (tensor.definition() == null) {
      return 1;
    }
    return switch (tensor.definition().op()) {
      case MemoryOp.MakeTensor t -> of(t.pointer());
      case MemoryOp.View v -> ofAddress(v.tensor());
      case MemoryOp.Temp _ -> 128;
      case ControlOp _, MemoryOp _, ElementwiseOp _, dev.tkc.ir.op.ShapeOp _, dev.tkc.ir.op.ReductionOp _,
          dev.tkc.ir.op.MatrixOp _, dev.tkc.ir.op.SharedOp _ -> 1;
    };
  }
}
