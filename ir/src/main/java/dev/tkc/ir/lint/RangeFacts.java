package dev.tkc.ir.lint;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Param;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MemoryOp;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Which ranges of a function may have invalid lanes, and which of them have the same ones. Integers are compared by how
 * they are computed, since nothing has merged equal instructions yet.
 */
final class RangeFacts {
  private final Map<Value, Integer> numbers = new IdentityHashMap<>();
  private final Map<Value, Long> sizes = new IdentityHashMap<>();
  private final Map<Value, Position> positions = new IdentityHashMap<>();

  /** The positions of a loop. */
  private record Position(Value lo, Value hi, long step) {}

  /** {@code divisors}: by the names of parameters, numbers known to divide them. */
  RangeFacts(Func func, Map<String, Long> divisors) {
    for (Param p : func.params()) {
      sizes.put(p.value(), divisors.getOrDefault(p.value().name(), 1L));
    }
    func.body().walk(inst -> {
      if (inst.op() instanceof ControlOp.For f) {
        positions.put(f.body().params().get(0), new Position(f.lo(), f.hi(), f.step()));
      } else if (inst.op() instanceof ControlOp.Parallel p) {
        positions.put(p.body().params().get(0), new Position(p.lo(), p.hi(), p.step()));
      }
    });
  }

  /** A name of the range's invalid lanes, if it may have some. */
  Optional<String> partial(Value range) {
    Inst inst = range.definition();
    if (inst == null || !(inst.op() instanceof MemoryOp.Range r) || isFull(r)) {
      return Optional.empty();
    }
    return Optional.of(text(r.count()));
  }

  private boolean isFull(MemoryOp.Range r) {
    OptionalLong count = constant(r.count());
    if (count.isPresent()) {
      return count.getAsLong() >= r.size();
    }
    Inst left = r.count().definition();
    if (left == null || !(left.op() instanceof ElementwiseOp.Binary b) || b.kind() != BinaryKind.SUB) {
      return false;
    }
    Position p = positions.get(b.rhs());
    return p != null && b.lhs() == p.hi && r.size() <= p.step && divisor(p.hi) % p.step == 0
        && divisor(p.lo) % p.step == 0;
  }

  /** A number that divides the integer; 0 for 0. */
  private long divisor(Value v) {
    OptionalLong known = constant(v);
    if (known.isPresent()) {
      return Math.abs(known.getAsLong());
    }
    Inst inst = v.definition();
    if (inst != null && inst.op() instanceof ElementwiseOp.Binary b) {
      return switch (b.kind()) {
        case MUL -> divisor(b.lhs()) * divisor(b.rhs());
        case ADD, SUB, MIN, MAX -> gcd(divisor(b.lhs()), divisor(b.rhs()));
        case DIV, REM, POW, AND, OR, XOR, SHL, SHR -> 1;
      };
    }
    Position p = positions.get(v);
    return p != null ? gcd(divisor(p.lo), p.step) : sizes.getOrDefault(v, 1L);
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  static OptionalLong constant(Value v) {
    Inst inst = v.definition();
    return inst != null && inst.op() instanceof ElementwiseOp.Constant c && c.value().element().isInteger()
        ? OptionalLong.of(c.value().bits()) : OptionalLong.empty();
  }

  private String text(Value v) {
    OptionalLong known = constant(v);
    if (known.isPresent()) {
      return Long.toString(known.getAsLong());
    }
    Inst inst = v.definition();
    if (inst != null && inst.op() instanceof ElementwiseOp.Binary b) {
      return b.kind() + "(" + text(b.lhs()) + "," + text(b.rhs()) + ")";
    }
    return "v" + numbers.computeIfAbsent(v, _ -> numbers.size());
  }
}
