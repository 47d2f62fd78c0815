package dev.tkc.launch;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Expr.BinaryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Evaluates the expressions of a kernel's head (dimensions, {@code where} facts, values of constants) on the host. A
 * value is a {@code Long}, a {@code Double} or a {@code Boolean}; the answer is empty where a name has no value yet,
 * and where the result is none (division by zero, overflow), which makes an equation that uses it fail rather than hold
 * by accident.
 */
public final class Arithmetic {
  private final Function<String, Optional<Object>> names;

  public Arithmetic(Function<String, Optional<Object>> names) {
    this.names = names;
  }

  public Optional<Object> value(Expr expr) {
    try {
      return Optional.ofNullable(eval(expr));
    } catch (ArithmeticException none) {
      return Optional.empty();
    }
  }

  public Optional<Long> whole(Expr expr) {
    return value(expr).flatMap(v -> v instanceof Long n ? Optional.of(n) : Optional.empty());
  }

  /** The value, or null where there is none. */
  private Object eval(Expr expr) {
    return switch (expr) {
      case Expr.IntLit lit -> lit.value().longValueExact();
      case Expr.FloatLit lit -> lit.value();
      case Expr.BoolLit lit -> lit.value();
      case Expr.Paren paren -> eval(paren.inner());
      case Expr.Ref ref -> names.apply(ref.name().text()).orElse(null);
      case Expr.Unary unary -> unary(unary);
      case Expr.Binary binary -> binary(binary);
      case Expr.Choose choose ->
          eval(choose.condition()) instanceof Boolean c ? eval(c ? choose.yes() : choose.no()) : null;
      case Expr.Call call -> call(call);
      case Expr.StringLit _, Expr.Member _, Expr.At _, Expr.Pad _, Expr.Cast _, Expr.Tuple _, Expr.ListOf _ -> null;
    };
  }

  private Object unary(Expr.Unary unary) {
    Object x = eval(unary.operand());
    return switch (unary.op()) {
      case NEG -> x instanceof Long n ? (Object) Math.negateExact(n) : x instanceof Double d ? -d : null;
      case BIT_NOT -> x instanceof Long n ? ~n : null;
      case NOT -> x instanceof Boolean b ? !b : null;
    };
  }

  private Object binary(Expr.Binary binary) {
    Object l = eval(binary.left());
    if (l instanceof Boolean a && (binary.op() == BinaryOp.AND && !a || binary.op() == BinaryOp.OR && a)) {
      return a;
    }
    Object r = eval(binary.right());
    if (l instanceof Long a && r instanceof Long b) {
      return whole(binary.op(), a, b);
    }
    if (l instanceof Boolean a && r instanceof Boolean b) {
      return switch (binary.op()) {
        case AND, BIT_AND -> a && b;
        case OR, BIT_OR -> a || b;
        case EQ -> a.equals(b);
        case NE, BIT_XOR -> !a.equals(b);
        case POW, MUL, DIV, MOD, MATMUL, ADD, SUB, SHL, SHR, LT, LE, GT, GE -> null;
      };
    }
    return l instanceof Number a && r instanceof Number b ? real(binary.op(), a.doubleValue(), b.doubleValue()) : null;
  }

  private static Object whole(BinaryOp op, long a, long b) {
    return switch (op) {
      case POW -> b < 0 ? null : java.math.BigInteger.valueOf(a).pow((int) Math.min(b, 10_000)).longValueExact();
      case MUL -> Math.multiplyExact(a, b);
      case DIV -> Math.floorDiv(a, b);
      case MOD -> Math.floorMod(a, b);
      case MATMUL -> null;
      case ADD -> Math.addExact(a, b);
      case SUB -> Math.subtractExact(a, b);
      case SHL -> b < 0 ? null : b > 63 ? 0 : a << b;
      case SHR -> b < 0 ? null : a >> Math.min(b, 63);
      case BIT_AND -> a & b;
      case BIT_XOR -> a ^ b;
      case BIT_OR -> a | b;
      case EQ -> a == b;
      case NE -> a != b;
      case LT -> a < b;
      case LE -> a <= b;
      case GT -> a > b;
      case GE -> a >= b;
      case AND, OR -> null;
    };
  }

  private static Object real(BinaryOp op, double a, double b) {
    return switch (op) {
      case POW -> Math.pow(a, b);
      case MUL -> a * b;
      case DIV -> a / b;
      case MOD -> a - Math.floor(a / b) * b;
      case ADD -> a + b;
      case SUB -> a - b;
      case EQ -> a == b;
      case NE -> a != b;
      case LT -> a < b;
      case LE -> a <= b;
      case GT -> a > b;
      case GE -> a >= b;
      case MATMUL, SHL, SHR, BIT_AND, BIT_XOR, BIT_OR, AND, OR -> null;
    };
  }

  private Object call(Expr.Call call) {
    List<Long> args = new ArrayList<>();
    for (Expr.Arg arg : call.args()) {
      if (arg.name().isPresent() || !(eval(arg.value()) instanceof Long n)) {
        return null;
      }
      args.add(n);
    }
    if (args.isEmpty()) {
      return null;
    }
    long a = args.get(0);
    if (args.size() == 1) {
      return switch (call.name().text()) {
        case "abs" -> Math.absExact(a);
        case "log2_ceil" -> a < 1 ? null : (Object) (long) (64 - Long.numberOfLeadingZeros(a - 1));
        default -> null;
      };
    }
    return switch (call.name().text()) {
      case "min" -> args.stream().reduce(Math::min).orElseThrow();
      case "max" -> args.stream().reduce(Math::max).orElseThrow();
      case "cdiv" -> args.size() == 2 ? Math.ceilDiv(a, args.get(1)) : null;
      case "align_up" -> args.size() == 2 ? Math.multiplyExact(Math.ceilDiv(a, args.get(1)), args.get(1)) : null;
      case "align_down" -> args.size() == 2 ? (Object) (Math.floorDiv(a, args.get(1)) * args.get(1)) : null;
      default -> null;
    };
  }
}
