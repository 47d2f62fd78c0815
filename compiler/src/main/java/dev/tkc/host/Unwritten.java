package dev.tkc.host;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
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
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Which elements of host code's tensors nothing has written since {@code empty} made them. Moving such an element
 * moves its mark; computing with one, or comparing one, is an error at that place.
 *
 * <p>Invariant: a value without marks has no entry, so that host code without {@code empty} pays one look at a map.
 */
final class Unwritten {
  /** At least one element, by row-major position, and where {@code empty} was called. */
  private record Marks(BitSet elements, Span made) {}

  private final Interpreter.Session session;
  private final Map<Value, Marks> marks = new IdentityHashMap<>();

  Unwritten(Interpreter.Session session) {
    this.session = session;
  }

  /** Says that {@code empty} has just made the value. */
  void made(Value value, Span at) {
    BitSet all = new BitSet();
    all.set(0, Math.toIntExact(value.tile().count()));
    mark(value, all, at);
  }

  private void mark(Value value, BitSet elements, Span made) {
    if (!elements.isEmpty()) {
      marks.put(value, new Marks(elements, made));
    }
  }

  /** A copy of the marks of a value, which are none for most. */
  BitSet of(Value value) {
    Marks found = marks.get(value);
    return found == null ? new BitSet() : (BitSet) found.elements().clone();
  }

  /** Says which elements are left unwritten in what was made of some values, one of which has marks. */
  void left(List<Value> before, Value after, BitSet elements) {
    before.stream().filter(marks::containsKey).findFirst()
        .ifPresent(v -> mark(after, elements, marks.get(v).made()));
  }

  /** Refuses to read a value that has marks. */
  void requireWritten(Value value, Optional<Span> at) {
    if (marks.containsKey(value)) {
      throw new DiagnosticException(finding(value, at, ""));
    }
  }

  /** What an instruction of the top level, which is about to run, means for the marks of its operands. */
  void follow(Inst inst) {
    if (marks.isEmpty()) {
      return;
    }
    switch (inst.op()) {
      case ShapeOp op -> move(inst, op);
      case ElementwiseOp.Select op -> {
        requireWritten(inst, op.condition());
        move(inst, op);
      }
      case ElementwiseOp.Constant _, ElementwiseOp.Unary _, ElementwiseOp.Binary _, ElementwiseOp.Compare _,
          ElementwiseOp.Fma _, ElementwiseOp.Cast _, ElementwiseOp.Bitcast _, ElementwiseOp.Philox _, ReductionOp _,
          MatrixOp _, ControlOp _, MemoryOp _, SharedOp _, AsyncOp _ -> read(inst);
    }
  }

  private void read(Inst inst) {
    inst.operands().forEach(v -> requireWritten(inst, v));
    for (Region region : inst.regions()) {
      region.walk(inner -> inner.operands().forEach(v -> requireWritten(inner, v)));
    }
  }

  private void requireWritten(Inst inst, Value value) {
    if (marks.containsKey(value)) {
      Loc loc = inst.loc();
      Diagnostic d = finding(value, loc.span(), loc.isKnown() && loc.span().isEmpty() ? "read at " + loc : "");
      for (Optional<Loc> c = loc.caller(); c.isPresent(); c = c.get().caller()) {
        d = c.get().span().isPresent() ? d.label(c.get().span().get(), "called from here") : d;
      }
      throw new DiagnosticException(d);
    }
  }

  /** Carries the instruction out on the marks themselves, as truth values in the places of the elements. */
  private void move(Inst inst, Op op) {
    if (inst.operands().stream().noneMatch(marks::containsKey)) {
      return;
    }
    Map<Value, Value> masks = new IdentityHashMap<>();
    Optional<Value> condition = op instanceof ElementwiseOp.Select s ? Optional.of(s.condition()) : Optional.empty();
    Op moved = OpShape.withOperands(op, v -> condition.filter(c -> c == v).isPresent() ? v
        : masks.computeIfAbsent(v, this::mask));
    Value result = new Value(TileType.of(Element.BOOL, inst.result().tile().shape()));
    session.evaluate(new Inst(moved, List.of(result), inst.loc()));
    Tile tile = session.frame().tile(result);
    BitSet elements = new BitSet();
    for (int i = 0; i < tile.count(); i++) {
      elements.set(i, tile.asBool(i));
    }
    masks.values().forEach(session.frame()::forget);
    session.frame().forget(result);
    left(inst.operands(), inst.result(), elements);
  }

  private Value mask(Value value) {
    Value mask = new Value(TileType.of(Element.BOOL, value.tile().shape()));
    BitSet elements = of(value);
    byte[] bytes = new byte[Math.toIntExact(value.tile().count())];
    elements.stream().forEach(i -> bytes[i] = 1);
    session.frame().put(mask,
        Tile.read(Element.BOOL, mask.tile().shape(), MemorySegment.ofArray(bytes)));
    return mask;
  }

  private Diagnostic finding(Value value, Optional<Span> at, String place) {
    Marks found = marks.get(value);
    TileType type = value.tile();
    int count = found.elements().cardinality();
    boolean whole = count == type.count();
    String what = type.isScalar() ? "a number is" : whole ? "a tensor is" : count + " of " + type.count()
        + " elements " + (count == 1 ? "is" : "are");
    Diagnostic d = Diagnostic.error(Code.UNINITIALISED, what + " read that nothing has written");
    if (at.isPresent()) {
      d = d.label(at.get(), whole ? "read here" : "read here, the first is ["
          + position(type, found.elements().nextSetBit(0)) + "]");
    }
    d = d.label(found.made(), "made here, undefined");
    d = place.isEmpty() ? d : d.note(place);
    return d.help("call the kernel that writes it before this, or begin with `zeros`");
  }

  private static String position(TileType type, int element) {
    long rest = element;
    long[] index = new long[type.shape().size()];
    for (int d = index.length - 1; d >= 0; d--) {
      index[d] = rest % type.shape().get(d);
      rest /= type.shape().get(d);
    }
    return Arrays.stream(index).mapToObj(Long::toString).collect(Collectors.joining(", "));
  }
}
