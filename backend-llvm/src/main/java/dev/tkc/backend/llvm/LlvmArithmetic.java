package dev.tkc.backend.llvm;

import static dev.tkc.backend.llvm.LlvmType.I1;

import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.RealCompare;
import dev.tkc.backend.llvm.LlvmType.Int;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongBinaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The instructions that compute: integer and floating arithmetic, comparisons, casts. Integer operations on constants
 * and with neutral operands are folded here, because lowering layouts produces very many of them and text that is never
 * written need not be parsed; everything cleverer is LLVM's work.
 */
abstract class LlvmArithmetic extends LlvmEmitter {
  LlvmArithmetic(LlvmFunction function, LlvmBlock block) {
    super(function, block);
  }

  // Integers. Wrap-around is the meaning unless a name says nsw.

  public LlvmValue add(LlvmValue a, LlvmValue b) {
    return a.isInteger(0) ? b : b.isInteger(0) ? a : integer("add", a, b, Long::sum);
  }

  /** A sum that is known not to overflow as signed numbers; needed for address arithmetic to widen well. */
  public LlvmValue addNsw(LlvmValue a, LlvmValue b) {
    return a.isInteger(0) ? b : b.isInteger(0) ? a : integer("add nsw", a, b, Long::sum);
  }

  public LlvmValue sub(LlvmValue a, LlvmValue b) {
    return b.isInteger(0) ? a : integer("sub", a, b, (x, y) -> x - y);
  }

  public LlvmValue subNsw(LlvmValue a, LlvmValue b) {
    return b.isInteger(0) ? a : integer("sub nsw", a, b, (x, y) -> x - y);
  }

  public LlvmValue mul(LlvmValue a, LlvmValue b) {
    return times("mul", a, b);
  }

  public LlvmValue mulNsw(LlvmValue a, LlvmValue b) {
    return times("mul nsw", a, b);
  }

  private LlvmValue times(String name, LlvmValue a, LlvmValue b) {
    same(name, a, b);
    if (a.isInteger(1) || b.isInteger(0)) {
      return b;
    }
    return b.isInteger(1) || a.isInteger(0) ? a : integer(name, a, b, (x, y) -> x * y);
  }

  public LlvmValue and(LlvmValue a, LlvmValue b) {
    same("and", a, b);
    if (allOnes(a) || b.isInteger(0)) {
      return b;
    }
    return allOnes(b) || a.isInteger(0) || a.equals(b) ? a : integer("and", a, b, (x, y) -> x & y);
  }

  public LlvmValue or(LlvmValue a, LlvmValue b) {
    same("or", a, b);
    if (allOnes(a) || b.isInteger(0)) {
      return a;
    }
    return allOnes(b) || a.isInteger(0) || a.equals(b) ? b : integer("or", a, b, (x, y) -> x | y);
  }

  /** {@code a | b} where no bit is set in both, which LLVM may treat as a sum. */
  public LlvmValue orDisjoint(LlvmValue a, LlvmValue b) {
    return a.isInteger(0) ? b : b.isInteger(0) ? a : integer("or disjoint", a, b, (x, y) -> x | y);
  }

  public LlvmValue xor(LlvmValue a, LlvmValue b) {
    return a.isInteger(0) ? b : b.isInteger(0) ? a : integer("xor", a, b, (x, y) -> x ^ y);
  }

  public LlvmValue not(LlvmValue a) {
    OptionalLong constant = a.integer();
    return constant.isPresent()
        ? LlvmValue.constant(a.type(), ~constant.getAsLong())
        : integer("xor", a, LlvmValue.constant(a.type(), -1), (x, y) -> x ^ y);
  }

  public LlvmValue shl(LlvmValue a, LlvmValue count) {
    return shift("shl", a, count, (x, n) -> x << n);
  }

  public LlvmValue lshr(LlvmValue a, LlvmValue count) {
    int bits = a.type().scalar().bits();
    long mask = bits >= 64 ? -1L : (1L << bits) - 1;
    return shift("lshr", a, count, (x, n) -> (x & mask) >>> n);
  }

  public LlvmValue ashr(LlvmValue a, LlvmValue count) {
    return shift("ashr", a, count, (x, n) -> x >> n);
  }

  private LlvmValue shift(String name, LlvmValue a, LlvmValue count, LongBinaryOperator meaning) {
    OptionalLong n = count.integer();
    check(n.isEmpty() || n.getAsLong() >= 0 && n.getAsLong() < a.type().bits(), name, a, count);
    return count.isInteger(0) || a.isInteger(0) ? a : integer(name, a, count, meaning);
  }

  public LlvmValue sdiv(LlvmValue a, LlvmValue b) {
    return b.isInteger(1) ? a : division("sdiv", a, b, (x, y) -> x / y);
  }

  public LlvmValue srem(LlvmValue a, LlvmValue b) {
    return b.isInteger(1) ? LlvmValue.zero(a.type()) : division("srem", a, b, (x, y) -> x % y);
  }

  public LlvmValue udiv(LlvmValue a, LlvmValue b) {
    return b.isInteger(1) ? a : division("udiv", a, b, Long::divideUnsigned);
  }

  public LlvmValue urem(LlvmValue a, LlvmValue b) {
    return b.isInteger(1) ? LlvmValue.zero(a.type()) : division("urem", a, b, Long::remainderUnsigned);
  }

  private LlvmValue division(String name, LlvmValue a, LlvmValue b, LongBinaryOperator meaning) {
    check(!b.isInteger(0), name, a, b);
    boolean signedSafe = a.integer().orElse(-1) >= 0 && b.integer().orElse(-1) > 0;
    return signedSafe ? integer(name, a, b, meaning) : binary(name, a, b, a.type().isInt());
  }

  private LlvmValue integer(String name, LlvmValue a, LlvmValue b, LongBinaryOperator meaning) {
    OptionalLong x = a.integer();
    OptionalLong y = b.integer();
    same(name, a, b);
    if (x.isPresent() && y.isPresent()) {
      return LlvmValue.constant(a.type(), meaning.applyAsLong(x.getAsLong(), y.getAsLong()));
    }
    return binary(name, a, b, a.type().isInt());
  }

  private static boolean allOnes(LlvmValue a) {
    return a.isInteger(-1) || a.type().equals(I1) && a.isInteger(1);
  }

  private LlvmValue binary(String name, LlvmValue a, LlvmValue b, boolean typeFits) {
    same(name, a, b);
    check(typeFits, name, a, b);
    return define(a.type(), name + " " + a.typed() + ", " + b.text());
  }

  // Floating point.

  public LlvmValue fadd(LlvmValue a, LlvmValue b, FastMath... flags) {
    return real("fadd", a, b, flags);
  }

  public LlvmValue fsub(LlvmValue a, LlvmValue b, FastMath... flags) {
    return real("fsub", a, b, flags);
  }

  public LlvmValue fmul(LlvmValue a, LlvmValue b, FastMath... flags) {
    return real("fmul", a, b, flags);
  }

  public LlvmValue fdiv(LlvmValue a, LlvmValue b, FastMath... flags) {
    return real("fdiv", a, b, flags);
  }

  public LlvmValue fneg(LlvmValue a) {
    check(a.type().isReal(), "fneg", a);
    return define(a.type(), "fneg " + a.typed());
  }

  private LlvmValue real(String name, LlvmValue a, LlvmValue b, FastMath... flags) {
    return binary(name + words(flags), a, b, a.type().isReal());
  }

  static String words(FastMath... flags) {
    return Stream.of(flags).map(f -> " " + f.text()).collect(Collectors.joining());
  }

  // Comparison and choice.

  public LlvmValue icmp(Compare predicate, LlvmValue a, LlvmValue b) {
    same("icmp", a, b);
    check(a.type().isInt() || a.type().isPtr(), "icmp", a, b);
    OptionalLong x = a.integer();
    OptionalLong y = b.integer();
    if (x.isPresent() && y.isPresent()) {
      return LlvmValue.i1(predicate.holds(x.getAsLong(), y.getAsLong()));
    }
    return define(a.type().withScalar(I1), "icmp " + predicate.text() + " " + a.typed() + ", " + b.text());
  }

  public LlvmValue fcmp(RealCompare predicate, LlvmValue a, LlvmValue b) {
    same("fcmp", a, b);
    check(a.type().isReal(), "fcmp", a, b);
    return define(a.type().withScalar(I1), "fcmp " + predicate.text() + " " + a.typed() + ", " + b.text());
  }

  public LlvmValue select(LlvmValue condition, LlvmValue yes, LlvmValue no) {
    same("select", yes, no);
    check(condition.type().isBool(), "select", condition, yes, no);
    if (yes.equals(no) || condition.isInteger(1)) {
      return yes;
    }
    return condition.isInteger(0)
        ? no
        : define(yes.type(), "select " + condition.typed() + ", " + yes.typed() + ", " + no.typed());
  }

  // Casts. Casting to the type a value already has gives the value.

  public LlvmValue trunc(LlvmValue a, LlvmType to) {
    return resize("trunc", a, to, a.type().scalar().bits() > to.scalar().bits());
  }

  public LlvmValue zext(LlvmValue a, LlvmType to) {
    OptionalLong constant = a.integer();
    if (constant.isPresent() && to instanceof Int && a.type().bits() < 64) {
      return LlvmValue.constant(to, constant.getAsLong() & ((1L << a.type().bits()) - 1));
    }
    return resize("zext", a, to, a.type().scalar().bits() < to.scalar().bits());
  }

  public LlvmValue sext(LlvmValue a, LlvmType to) {
    OptionalLong constant = a.integer();
    if (constant.isPresent() && a.type().equals(I1) && to instanceof Int) {
      return LlvmValue.constant(to, -constant.getAsLong());
    }
    return resize("sext", a, to, a.type().scalar().bits() < to.scalar().bits());
  }

  private LlvmValue resize(String name, LlvmValue a, LlvmType to, boolean narrower) {
    if (a.type().equals(to)) {
      return a;
    }
    check(a.type().isInt() && to.isInt() && narrower, name + " to " + to.text(), a);
    OptionalLong constant = a.integer();
    return constant.isPresent() ? LlvmValue.constant(to, constant.getAsLong()) : cast(name, a, to);
  }

  public LlvmValue fpext(LlvmValue a, LlvmType to) {
    return realResize("fpext", a, to, a.type().scalar().bits() < to.scalar().bits());
  }

  public LlvmValue fptrunc(LlvmValue a, LlvmType to) {
    return realResize("fptrunc", a, to, a.type().scalar().bits() > to.scalar().bits());
  }

  private LlvmValue realResize(String name, LlvmValue a, LlvmType to, boolean fits) {
    if (a.type().equals(to)) {
      return a;
    }
    check(a.type().isReal() && to.isReal() && fits, name + " to " + to.text(), a);
    return cast(name, a, to);
  }

  public LlvmValue sitofp(LlvmValue a, LlvmType to) {
    check(a.type().isInt() && to.isReal(), "sitofp to " + to.text(), a);
    return cast("sitofp", a, to);
  }

  public LlvmValue uitofp(LlvmValue a, LlvmType to) {
    check(a.type().isInt() && to.isReal(), "uitofp to " + to.text(), a);
    return cast("uitofp", a, to);
  }

  /** The same bits as another type of the same width. */
  public LlvmValue bitcast(LlvmValue a, LlvmType to) {
    check(a.type().bits() == to.bits() && !a.type().isPtr() && !to.isPtr(), "bitcast to " + to.text(), a);
    return a.type().equals(to) ? a : cast("bitcast", a, to);
  }

  public LlvmValue ptrtoint(LlvmValue a, LlvmType to) {
    check(a.type().isPtr() && to.isInt(), "ptrtoint to " + to.text(), a);
    return cast("ptrtoint", a, to);
  }

  public LlvmValue inttoptr(LlvmValue a, LlvmType to) {
    check(a.type().isInt() && to.isPtr(), "inttoptr to " + to.text(), a);
    return cast("inttoptr", a, to);
  }

  public LlvmValue addrspacecast(LlvmValue a, LlvmType to) {
    check(a.type().isPtr() && to.isPtr(), "addrspacecast to " + to.text(), a);
    return a.type().equals(to) ? a : cast("addrspacecast", a, to);
  }

  private LlvmValue cast(String name, LlvmValue a, LlvmType to) {
    return define(to, name + " " + a.typed() + " to " + to.text());
  }

  // Vectors and aggregates.

  public LlvmValue extractElement(LlvmValue vector, int index) {
    check(vector.type() instanceof LlvmType.Vec v && index >= 0 && index < v.count(), "extractelement " + index,
        vector);
    return define(vector.type().scalar(), "extractelement " + vector.typed() + ", i32 " + index);
  }

  public LlvmValue insertElement(LlvmValue vector, LlvmValue element, int index) {
    check(vector.type() instanceof LlvmType.Vec v && v.element().equals(element.type()) && index >= 0
        && index < v.count(), "insertelement " + index, vector, element);
    return define(vector.type(), "insertelement " + vector.typed() + ", " + element.typed() + ", i32 " + index);
  }

  /** Picks elements of {@code a} then {@code b}, numbered through; -1 is "don't care". */
  public LlvmValue shuffleVector(LlvmValue a, LlvmValue b, int... mask) {
    same("shufflevector", a, b);
    check(a.type() instanceof LlvmType.Vec, "shufflevector", a, b);
    int limit = 2 * ((LlvmType.Vec) a.type()).count();
    String indices = java.util.Arrays.stream(mask).mapToObj(i -> {
      check(i < limit, "shufflevector index " + i, a, b);
      return i < 0 ? "i32 poison" : "i32 " + i;
    }).collect(Collectors.joining(", ", "<", ">"));
    return define(LlvmType.vector(mask.length, a.type().scalar()),
        "shufflevector " + a.typed() + ", " + b.typed() + ", <" + mask.length + " x i32> " + indices);
  }

  /** A vector of the given scalars; constants become a constant. */
  public LlvmValue vector(List<LlvmValue> elements) {
    LlvmValue result = LlvmValue.poison(LlvmType.vector(elements.size(), elements.get(0).type()));
    for (int i = 0; i < elements.size(); i++) {
      result = insertElement(result, elements.get(i), i);
    }
    return result;
  }

  public LlvmValue extractValue(LlvmValue aggregate, int index) {
    LlvmType field = switch (aggregate.type()) {
      case LlvmType.Struct s when index >= 0 && index < s.fields().size() -> s.fields().get(index);
      case LlvmType.Arr a when index >= 0 && index < a.count() -> a.element();
      case LlvmType.Void _, Int _, LlvmType.Real _, LlvmType.Ptr _, LlvmType.Vec _, LlvmType.Arr _, LlvmType.Struct _ ->
          throw new IllegalArgumentException("extractvalue " + index + " of " + aggregate);
    };
    return define(field, "extractvalue " + aggregate.typed() + ", " + index);
  }

  /** All fields of a struct or elements of a vector, in order. */
  public List<LlvmValue> unpack(LlvmValue value) {
    return switch (value.type()) {
      case LlvmType.Struct s -> range(s.fields().size()).map(i -> extractValue(value, i)).toList();
      case LlvmType.Vec v -> range(v.count()).map(i -> extractElement(value, i)).toList();
      case LlvmType.Void _, Int _, LlvmType.Real _, LlvmType.Ptr _, LlvmType.Arr _ -> List.of(value);
    };
  }

  private static Stream<Integer> range(int n) {
    return java.util.stream.IntStream.range(0, n).boxed();
  }
}
