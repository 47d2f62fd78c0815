package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Param;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.PointerType;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The largest power of two known to divide each integer scalar, and each pointer's address in bytes. Starts from what
 * parameters promise and constants; goes through arithmetic, loop positions and carried values. Zero is divisible by
 * everything, for which {@link #MOST} stands.
 */
public final class Divisibility {
  /** The answer for zero, and the largest there is. */
  public static final long MOST = 1L << 40;

  /** Every temp starts at a multiple of this many bytes. */
  public static final long TEMP_ALIGNMENT = 256;

  private final Scopes scopes;
  private final Map<Value, Long> known = new HashMap<>();

  public Divisibility(Func func, Scopes scopes) {
    this.scopes = scopes;
    for (Param p : func.params()) {
      known.put(p.value(), (long) p.divisibility());
    }
  }

  public Divisibility(Func func) {
    this(func, new Scopes(func));
  }

  /** The largest power of two known to divide the value; 1 when nothing is known. */
  public long of(Value v) {
    Long found = known.get(v);
    if (found != null) {
      return found;
    }
    if (!Scalars.isInt(v) && !(v.type() instanceof PointerType)) {
      return 1;
    }
    long d = v.definition() != null ? ofResult(v.definition(), v) : ofParam(v);
    known.put(v, d);
    return d;
  }

  public boolean divides(long divisor, Value v) {
    return of(v) % divisor == 0;
  }

  private long ofResult(Inst inst, Value v) {
    return switch (inst.op()) {
      case ElementwiseOp.Constant c -> lowBit(c.value().bits());
      case Binary b -> binary(b);
      case ElementwiseOp.Unary u -> of(u.x());
      case ElementwiseOp.Select s -> Math.min(of(s.then()), of(s.otherwise()));
      case MemoryOp.AddressOf a -> ofAddress(a.tensor());
      case ControlOp.For f -> carried(f, inst.results().indexOf(v));
      case ControlOp.If i -> Math.min(yielded(i.then().terminator(), inst.results().indexOf(v)),
          yielded(i.otherwise().terminator(), inst.results().indexOf(v)));
      default -> 1;
    };
  }

  private long binary(Binary b) {
    long x = of(b.lhs());
    long y = of(b.rhs());
    OptionalLong right = Regions.integer(b.rhs());
    return switch (b.kind()) {
      case ADD, SUB, MIN, MAX, OR, XOR, REM -> Math.min(x, y);
      case MUL -> Math.min(MOST, x * Math.min(y, MOST / x));
      case AND -> Math.max(x, y);
      case SHL -> right.isPresent() && right.getAsLong() >= 0 && right.getAsLong() < 40
          ? Math.min(MOST, x << Math.min(right.getAsLong(), Long.numberOfTrailingZeros(MOST / x))) : x;
      case SHR -> right.isPresent() && right.getAsLong() >= 0 && right.getAsLong() < 40
          ? Math.max(1, x >> right.getAsLong()) : 1;
      // Exact only when a power of two divides out.
      case DIV -> right.isPresent() && right.getAsLong() > 0 && Long.bitCount(right.getAsLong()) == 1
          ? Math.max(1, x / right.getAsLong()) : 1;
      case POW -> 1;
    };
  }

  /** What divides the address of the tensor's first element, in bytes. */
  public long ofAddress(Value tensor) {
    if (tensor.definition() == null) {
      return 1;
    }
    return switch (tensor.definition().op()) {
      case MemoryOp.MakeTensor m -> of(m.pointer());
      case MemoryOp.View w -> ofAddress(w.tensor());
      case MemoryOp.Temp _ -> TEMP_ALIGNMENT;
      default -> 1;
    };
  }

  private long ofParam(Value v) {
    Inst binder = scopes.binderOf(v).orElse(null);
    if (binder == null) {
      return 1;
    }
    return switch (binder.op()) {
      case ControlOp.For f -> {
        int n = f.body().params().indexOf(v);
        yield n == 0 ? Math.min(of(f.lo()), lowBit(f.step())) : carried(f, n - 1);
      }
      case ControlOp.Parallel p -> Math.min(of(p.lo()), lowBit(p.step()));
      default -> 1;
    };
  }

  /** What divides the start and, supposing it divides the value before a round, divides it after: found by descent. */
  private long carried(ControlOp.For f, int index) {
    Value param = f.body().params().get(index + 1);
    long guess = of(f.inits().get(index));
    while (guess > 1) {
      Divisibility supposing = copy();
      supposing.known.put(param, guess);
      long after = supposing.yielded(f.body().terminator(), index);
      if (after >= guess) {
        break;
      }
      guess = after;
    }
    known.put(param, guess);
    return guess;
  }

  private long yielded(Inst terminator, int index) {
    return of(((ControlOp.Yield) terminator.op()).values().get(index));
  }

  private Divisibility copy() {
    return new Divisibility(this);
  }

  private Divisibility(Divisibility other) {
    this.scopes = other.scopes;
    this.known.putAll(other.known);
  }

  /** The largest power of two that divides a number. */
  public static long lowBit(long x) {
    return x == 0 ? MOST : Math.min(MOST, Long.lowestOneBit(x));
  }
}
