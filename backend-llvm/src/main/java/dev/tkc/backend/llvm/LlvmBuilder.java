package dev.tkc.backend.llvm;

import static dev.tkc.backend.llvm.LlvmType.I1;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Appends instructions to a function, one method per instruction, each named as LLVM names it. This class adds memory,
 * calls and control flow to {@link LlvmArithmetic}; {@link #forLoop} and {@link #ifElse} manage blocks and phis so that
 * lowering structured IR never sees either.
 */
public final class LlvmBuilder extends LlvmArithmetic {
  /** Integer predicates as {@code icmp} names them. */
  public enum Compare {
    EQ, NE, SLT, SLE, SGT, SGE, ULT, ULE, UGT, UGE;

    String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    boolean holds(long a, long b) {
      return switch (this) {
        case EQ -> a == b;
        case NE -> a != b;
        case SLT -> a < b;
        case SLE -> a <= b;
        case SGT -> a > b;
        case SGE -> a >= b;
        case ULT -> Long.compareUnsigned(a, b) < 0;
        case ULE -> Long.compareUnsigned(a, b) <= 0;
        case UGT -> Long.compareUnsigned(a, b) > 0;
        case UGE -> Long.compareUnsigned(a, b) >= 0;
      };
    }
  }

  /** Floating predicates as {@code fcmp} names them: O is false on a NaN, U true. */
  public enum RealCompare {
    OEQ, OGT, OGE, OLT, OLE, ONE, ORD, UEQ, UGT, UGE, ULT, ULE, UNE, UNO;

    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  LlvmBuilder(LlvmFunction function, LlvmBlock block) {
    super(function, block);
  }

  // Memory.

  /** How an access may be treated besides its alignment. */
  public enum Hint {
    /** The location is not written while the kernel runs (read-only cache, free reordering). */
    INVARIANT,
    /** The data is used once: keep it out of the caches where the target can. */
    NONTEMPORAL,
    VOLATILE
  }

  public LlvmValue load(LlvmType type, LlvmValue pointer, int align, Hint... hints) {
    check(pointer.type().isPtr() && align > 0, "load", pointer);
    return define(type, "load " + modifier(hints) + type.text() + ", " + pointer.typed() + ", align " + align
        + annotations(hints));
  }

  public void store(LlvmValue value, LlvmValue pointer, int align, Hint... hints) {
    check(pointer.type().isPtr() && align > 0, "store", value, pointer);
    effect("store " + modifier(hints) + value.typed() + ", " + pointer.typed() + ", align " + align
        + annotations(hints));
  }

  private static String modifier(Hint... hints) {
    return List.of(hints).contains(Hint.VOLATILE) ? "volatile " : "";
  }

  private String annotations(Hint... hints) {
    StringBuilder out = new StringBuilder();
    for (Hint hint : hints) {
      switch (hint) {
        case INVARIANT -> out.append(", !invariant.load ").append(module().metadata().node().text());
        case NONTEMPORAL -> out.append(", !nontemporal ")
            .append(module().metadata().node(LlvmMetadata.value(LlvmValue.i32(1))).text());
        case VOLATILE -> { }
      }
    }
    return out.toString();
  }

  /** The address of element {@code index} of an array of {@code element} at {@code base}. */
  public LlvmValue gep(LlvmType element, LlvmValue base, LlvmValue index) {
    check(base.type().isPtr() && index.type() instanceof LlvmType.Int, "getelementptr", base, index);
    return index.isInteger(0)
        ? base
        : define(base.type(), "getelementptr inbounds " + element.text() + ", " + base.typed() + ", " + index.typed());
  }

  /** As {@link #gep} for an address that may lie outside the object and is then not used. */
  public LlvmValue gepUnbounded(LlvmType element, LlvmValue base, LlvmValue index) {
    check(base.type().isPtr() && index.type() instanceof LlvmType.Int, "getelementptr", base, index);
    return index.isInteger(0)
        ? base
        : define(base.type(), "getelementptr " + element.text() + ", " + base.typed() + ", " + index.typed());
  }

  /** The read-modify-write operations, as {@code atomicrmw} names them. */
  public enum AtomicRmw {
    ADD, FADD, AND, OR, XOR, MAX, MIN, UMAX, UMIN, FMAX, FMIN, XCHG;

    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Returns the old value. {@code scope} is a target's synchronisation scope, empty for the whole system. */
  public LlvmValue atomicRmw(AtomicRmw operation, LlvmValue pointer, LlvmValue value, String scope, int align) {
    check(pointer.type().isPtr() && align > 0, "atomicrmw", pointer, value);
    return define(value.type(), "atomicrmw " + operation.text() + " " + pointer.typed() + ", " + value.typed()
        + scope(scope) + " monotonic, align " + align);
  }

  /** Returns {@code {old value, whether it was expected}}. */
  public LlvmValue cmpxchg(LlvmValue pointer, LlvmValue expected, LlvmValue value, String scope, int align) {
    same("cmpxchg", expected, value);
    check(pointer.type().isPtr() && align > 0, "cmpxchg", pointer, value);
    return define(LlvmType.struct(value.type(), I1), "cmpxchg " + pointer.typed() + ", " + expected.typed() + ", "
        + value.typed() + scope(scope) + " monotonic monotonic, align " + align);
  }

  /** {@code ordering} is {@code acquire}, {@code release}, {@code acq_rel} or {@code seq_cst}. */
  public void fence(String scope, String ordering) {
    effect("fence" + scope(scope) + " " + ordering);
  }

  private static String scope(String scope) {
    return scope.isEmpty() ? "" : " syncscope(\"" + LlvmModule.escape(scope) + "\")";
  }

  // Calls.

  public LlvmValue call(LlvmIntrinsic intrinsic, LlvmValue... arguments) {
    return call(intrinsic, List.of(arguments));
  }

  /** Calls an intrinsic or assembly row; for {@code void} the result is a value nobody can use. */
  public LlvmValue call(LlvmIntrinsic intrinsic, List<LlvmValue> arguments) {
    return call(intrinsic, arguments, "");
  }

  /** A call that carries fast-math permissions, for intrinsics that compute on floats. */
  public LlvmValue callFast(LlvmIntrinsic intrinsic, List<LlvmValue> arguments, FastMath... flags) {
    return call(intrinsic, arguments, words(flags));
  }

  private LlvmValue call(LlvmIntrinsic intrinsic, List<LlvmValue> arguments, String flags) {
    List<LlvmType> given = arguments.stream().map(LlvmValue::type).toList();
    if (!given.equals(intrinsic.parameters())) {
      throw new IllegalArgumentException("call of " + intrinsic + " takes "
          + texts(intrinsic.parameters()) + " and was given " + texts(given));
    }
    for (int i : intrinsic.immediates()) {
      check(arguments.get(i).integer().isPresent(), intrinsic + " needs a constant operand " + i, arguments.get(i));
    }
    return switch (intrinsic.form()) {
      case LlvmIntrinsic.Builtin(String symbol) -> {
        module().declare(symbol, intrinsic);
        yield callee("call" + flags + " ", intrinsic.result(), "@" + symbol, arguments, "");
      }
      case LlvmIntrinsic.Asm asm -> callee("call ", intrinsic.result(), "asm "
          + (asm.sideEffect() ? "sideeffect " : "") + '"' + LlvmModule.escape(asm.text()) + "\", \""
          + LlvmModule.escape(asm.constraints()) + '"', arguments, attributes(asm));
    };
  }

  /** Assembly without effects computes from its operands alone, so equal calls are one. */
  private static String attributes(LlvmIntrinsic.Asm asm) {
    return (asm.convergent() ? " convergent" : "") + " nounwind"
        + (asm.sideEffect() ? "" : " willreturn memory(none)");
  }

  /** Inline assembly that no table lists because its text depends on the program. */
  public LlvmValue inlineAsm(LlvmType result, LlvmIntrinsic.Asm asm, LlvmValue... arguments) {
    record Ad(LlvmIntrinsic.Asm form, LlvmType result, List<LlvmType> parameters) implements LlvmIntrinsic {}

    List<LlvmValue> list = List.of(arguments);
    return call(new Ad(asm, result, list.stream().map(LlvmValue::type).toList()), list);
  }

  private LlvmValue callee(String call, LlvmType result, String callee, List<LlvmValue> arguments, String attributes) {
    String text = call + result.text() + " " + callee
        + arguments.stream().map(LlvmValue::typed).collect(Collectors.joining(", ", "(", ")")) + attributes;
    if (result.equals(LlvmType.VOID)) {
      effect(text);
      return new LlvmValue(LlvmType.VOID, "void");
    }
    return define(result, text);
  }

  private static String texts(List<LlvmType> types) {
    return types.stream().map(LlvmType::text).collect(Collectors.joining(", ", "(", ")"));
  }

  // Control flow.

  public LlvmBlock newBlock(String hint) {
    return function.block(hint);
  }

  public LlvmBlock.Phi phi(LlvmType type) {
    return block().phi(function.fresh(type));
  }

  public void br(LlvmBlock target) {
    terminate("br label %" + target.label());
  }

  public void condBr(LlvmValue condition, LlvmBlock yes, LlvmBlock no) {
    check(condition.type().equals(I1), "br", condition);
    terminate("br " + condition.typed() + ", label %" + yes.label() + ", label %" + no.label());
  }

  public void retVoid() {
    terminate("ret void");
  }

  public void unreachable() {
    terminate("unreachable");
  }

  /** What a loop's body does with the index and the carried values; returns their next values. */
  @FunctionalInterface
  public interface LoopBody {
    List<LlvmValue> run(LlvmValue index, List<LlvmValue> carried);
  }

  /** LLVM's unroller on one loop: left alone (empty), forbidden (1), or a factor. */
  public record Unroll(OptionalInt factor) {
    public static final Unroll AUTO = new Unroll(OptionalInt.empty());
    public static final Unroll NEVER = new Unroll(OptionalInt.of(1));
  }

  /**
   * {@code for (index = lo; index < hi; index += step)} with signed comparison and a positive step; returns the carried
   * values after the loop.
   */
  public List<LlvmValue> forLoop(
      LlvmValue lo, LlvmValue hi, LlvmValue step, List<LlvmValue> carried, Unroll unroll, LoopBody body) {
    same("for", lo, hi);
    same("for", lo, step);
    return loop(lo, hi, Compare.SLT, carried, unroll, (index, current) -> {
      List<LlvmValue> next = new ArrayList<>(body.run(index, current));
      next.addFirst(addNsw(index, step));
      return next;
    });
  }

  /**
   * Runs {@code body} while the position is below {@code limit}, both without a sign; the limit and one step together
   * do not overflow. The body's first result is the next position, the others are carried. Never unrolled.
   */
  public List<LlvmValue> numberLoop(LlvmValue start, LlvmValue limit, List<LlvmValue> carried, LoopBody body) {
    same("loop over numbers", start, limit);
    return loop(start, limit, Compare.ULT, carried, Unroll.NEVER, body);
  }

  /**
   * Runs {@code body} while the position is below {@code limit} (signed). The body's first result is the next position,
   * the others are carried. Never unrolled.
   */
  public List<LlvmValue> whileLoop(LlvmValue start, LlvmValue limit, List<LlvmValue> carried, LoopBody body) {
    same("while", start, limit);
    return loop(start, limit, Compare.SLT, carried, Unroll.NEVER, body);
  }

  /** The loop of both: {@code body} gives the next index and what is carried on. */
  private List<LlvmValue> loop(
      LlvmValue start, LlvmValue limit, Compare below, List<LlvmValue> carried, Unroll unroll, LoopBody body) {
    LlvmBlock before = block();
    LlvmBlock header = newBlock("loop");
    LlvmBlock inside = newBlock("loop.body");
    LlvmBlock after = newBlock("loop.end");
    br(header);
    moveTo(header);
    LlvmBlock.Phi index = phi(start.type()).incoming(start, before);
    List<LlvmBlock.Phi> phis = carried.stream().map(v -> phi(v.type()).incoming(v, before)).toList();
    List<LlvmValue> current = phis.stream().map(LlvmBlock.Phi::result).toList();
    condBr(icmp(below, index.result(), limit), inside, after);
    moveTo(inside);
    List<LlvmValue> next = body.run(index.result(), current);
    if (next.size() != carried.size() + 1) {
      throw new IllegalArgumentException(
          "loop carries " + carried.size() + " values, body gave " + (next.size() - 1));
    }
    index.incoming(next.getFirst(), block());
    IntStream.range(0, carried.size()).forEach(i -> phis.get(i).incoming(next.get(i + 1), block()));
    terminate("br label %" + header.label() + loopId(unroll));
    function.moveToEnd(after);
    moveTo(after);
    return current;
  }

  private String loopId(Unroll unroll) {
    if (unroll.factor().isEmpty()) {
      return "";
    }
    LlvmMetadata m = module().metadata();
    int factor = unroll.factor().getAsInt();
    LlvmMetadata.Node how = factor == 1
        ? m.node(LlvmMetadata.string("llvm.loop.unroll.disable"))
        : m.node(LlvmMetadata.string("llvm.loop.unroll.count"), LlvmMetadata.value(LlvmValue.i32(factor)));
    return ", !llvm.loop " + m.distinct(how).text();
  }

  /** Runs one of two bodies and returns the values of the one that ran; a constant condition leaves only that one. */
  public List<LlvmValue> ifElse(
      LlvmValue condition, Supplier<List<LlvmValue>> then, Supplier<List<LlvmValue>> otherwise) {
    check(condition.type().equals(I1), "if", condition);
    if (condition.integer().isPresent()) {
      return condition.isInteger(1) ? then.get() : otherwise.get();
    }
    LlvmBlock yes = newBlock("then");
    LlvmBlock no = newBlock("else");
    LlvmBlock join = newBlock("endif");
    condBr(condition, yes, no);
    moveTo(yes);
    List<LlvmValue> a = then.get();
    LlvmBlock yesEnd = block();
    br(join);
    function.moveToEnd(no);
    moveTo(no);
    List<LlvmValue> b = otherwise.get();
    LlvmBlock noEnd = block();
    br(join);
    if (a.size() != b.size()) {
      throw new IllegalArgumentException("branches give " + a.size() + " and " + b.size() + " values");
    }
    function.moveToEnd(join);
    moveTo(join);
    List<LlvmValue> results = new ArrayList<>();
    for (int i = 0; i < a.size(); i++) {
      results.add(phi(a.get(i).type()).incoming(a.get(i), yesEnd).incoming(b.get(i), noEnd).result());
    }
    return results;
  }

  /** Runs {@code then} where {@code condition} holds. */
  public void ifThen(LlvmValue condition, Runnable then) {
    check(condition.type().equals(I1), "if", condition);
    if (condition.integer().isPresent()) {
      if (condition.isInteger(1)) {
        then.run();
      }
      return;
    }
    LlvmBlock yes = newBlock("then");
    LlvmBlock join = newBlock("endif");
    condBr(condition, yes, join);
    moveTo(yes);
    then.run();
    br(join);
    function.moveToEnd(join);
    moveTo(join);
  }
}
