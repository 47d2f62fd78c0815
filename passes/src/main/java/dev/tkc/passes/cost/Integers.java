package dev.tkc.passes.cost;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scalars;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/** The values of integer scalars where those of some parameters are known; what depends on others is unknown. */
final class Integers {
  private final Map<Value, OptionalLong> known = new HashMap<>();
  private final long block;
  private final long blocks;

  Integers(long block, long blocks) {
    this.block = block;
    this.blocks = blocks;
  }

  void define(Value v, OptionalLong n) {
    known.put(v, n);
  }

  OptionalLong of(Value v) {
    OptionalLong found = known.get(v);
    if (found == null) {
      found = v.definition() == null || !Scalars.isInt(v) ? OptionalLong.empty() : compute(v);
      known.put(v, found);
    }
    return found;
  }

  private OptionalLong compute(Value v) {
    return switch (v.definition().op()) {
      case ElementwiseOp.Constant _ -> Regions.integer(v);
      case Binary b -> binary(b);
      case ElementwiseOp.Select s -> {
        OptionalLong c = condition(s.condition());
        yield c.isEmpty() ? OptionalLong.empty() : of(c.getAsLong() != 0 ? s.then() : s.otherwise());
      }
      case ControlOp.BlockId _ -> OptionalLong.of(block);
      case ControlOp.BlockCount _ -> OptionalLong.of(blocks);
      default -> OptionalLong.empty();
    };
  }

  private OptionalLong binary(Binary b) {
    OptionalLong x = of(b.lhs());
    OptionalLong y = of(b.rhs());
    if (x.isEmpty() || y.isEmpty()) {
      return OptionalLong.empty();
    }
    long l = x.getAsLong();
    long r = y.getAsLong();
    return switch (b.kind()) {
      case ADD -> OptionalLong.of(l + r);
      case SUB -> OptionalLong.of(l - r);
      case MUL -> OptionalLong.of(l * r);
      case DIV -> r == 0 ? OptionalLong.empty() : OptionalLong.of(Math.floorDiv(l, r));
      case REM -> r == 0 ? OptionalLong.empty() : OptionalLong.of(Math.floorMod(l, r));
      case MIN -> OptionalLong.of(Math.min(l, r));
      case MAX -> OptionalLong.of(Math.max(l, r));
      case SHL -> OptionalLong.of(l << r);
      case SHR -> OptionalLong.of(l >> r);
      case AND -> OptionalLong.of(l & r);
      case OR, XOR, POW -> OptionalLong.empty();
    };
  }

  /** 1 or 0 for a comparison of known integers, and for what is said of several. */
  OptionalLong condition(Value v) {
    if (v.definition() == null) {
      return OptionalLong.empty();
    }
    return switch (v.definition().op()) {
      case ElementwiseOp.Compare c -> compare(c);
      case Binary b when b.kind() == ElementwiseOp.BinaryKind.AND -> both(condition(b.lhs()), condition(b.rhs()), 0);
      case Binary b when b.kind() == ElementwiseOp.BinaryKind.OR -> both(condition(b.lhs()), condition(b.rhs()), 1);
      default -> OptionalLong.empty();
    };
  }

  /** Two conditions of which one that is {@code decisive} decides. */
  private static OptionalLong both(OptionalLong x, OptionalLong y, long decisive) {
    if (x.equals(OptionalLong.of(decisive)) || y.equals(OptionalLong.of(decisive))) {
      return OptionalLong.of(decisive);
    }
    return x.isEmpty() || y.isEmpty() ? OptionalLong.empty() : OptionalLong.of(1 - decisive);
  }

  private OptionalLong compare(ElementwiseOp.Compare c) {
    OptionalLong x = of(c.lhs());
    OptionalLong y = of(c.rhs());
    if (x.isEmpty() || y.isEmpty()) {
      return OptionalLong.empty();
    }
    int sign = Long.compare(x.getAsLong(), y.getAsLong());
    boolean holds = switch (c.kind()) {
      case EQ -> sign == 0;
      case NE -> sign != 0;
      case LT -> sign < 0;
      case LE -> sign <= 0;
      case GT -> sign > 0;
      case GE -> sign >= 0;
    };
    return OptionalLong.of(holds ? 1 : 0);
  }
}
