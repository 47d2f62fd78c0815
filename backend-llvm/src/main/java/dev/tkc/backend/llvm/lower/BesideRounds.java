package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.TileType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Scalars that a kernel computes in front of its roles, made again from the kernel's arguments where a tile needs them
 * beside its rounds: numbers of tiles, strides, where a tensor's last rows start. LLVM would compute them once in front
 * of all tiles, and where rounds have many products, the registers that they are kept in are missing there.
 *
 * <p>What is made again holds for the instructions of one region between two that contain loops. Inside rounds nothing
 * is.
 */
final class BesideRounds {
  /** Rounds of so many products have no registers to spare for what is needed beside them. */
  private static final int CROWDED = 3;

  private final FunctionLowering f;
  private final Map<Value, Param> parameters = new HashMap<>();
  private final Set<Value> computed = new HashSet<>();
  private final boolean hasCrowded;
  private boolean crowded;
  private Optional<Map<Value, Lowered>> made = Optional.empty();

  BesideRounds(FunctionLowering f) {
    this.f = f;
    f.func().params().forEach(p -> parameters.put(p.value(), p));
    this.hasCrowded = f.func().body().anyMatch(BesideRounds::isCrowded);
  }

  /** Whether any rounds of the function have no registers to spare. */
  boolean hasCrowded() {
    return hasCrowded;
  }

  /** Roles come next, behind these instructions of the function. */
  void rolesFollow(List<Inst> before) {
    before.forEach(i -> computed.addAll(i.results()));
  }

  /** The body of a loop over tiles comes next. */
  void enterTiles(Region body) {
    crowded = f.team().number() > 0 && !f.team().alone() && body.anyMatch(BesideRounds::isCrowded);
  }

  void leaveTiles() {
    crowded = false;
  }

  private static boolean isCrowded(Inst inst) {
    return inst.op() instanceof ControlOp.For loop
        && loop.body().insts().stream().filter(i -> i.op() instanceof AsyncOp.DotAsync).count() >= CROWDED;
  }

  /** Begins a region; what it gives is handed back when the region ends. */
  Optional<Map<Value, Lowered>> enter(boolean hasLoop) {
    Optional<Map<Value, Lowered>> before = made;
    made = crowded && hasLoop ? Optional.of(new HashMap<>()) : Optional.empty();
    return before;
  }

  void leave(Optional<Map<Value, Lowered>> before) {
    made = before;
  }

  /** An instruction of the region has been lowered: what was made in front of a loop is not kept over it. */
  void passed(Inst inst) {
    if (made.isPresent() && inst.anyInside(x -> x.op() instanceof ControlOp.For)) {
      made.get().clear();
    }
  }

  /** Whether the code at hand is a tile's, with a crowded loop beside it. */
  boolean here() {
    return made.isPresent();
  }

  /** The value made again, if it is one that should be, or else {@code known}. */
  Lowered get(Value value, Lowered known) {
    if (made.isEmpty() || !parameters.containsKey(value) && !computed.contains(value)) {
      return known;
    }
    Lowered again = made.get().get(value);
    if (again == null) {
      again = make(value, known);
      made.get().put(value, again);
    }
    return again;
  }

  private Lowered make(Value value, Lowered known) {
    boolean isInteger = value.type() instanceof TileType t && t.isScalar() && t.element().isInteger();
    if (parameters.containsKey(value) && isInteger) {
      LlvmValue x = ((Lowered.Scalar) known).value();
      return f.parameter(f.b(), parameters.get(value), f.target().async().opaqueHere(f.b(), x));
    }
    Inst inst = value.definition();
    boolean simple = inst != null && (isInteger && inst.op() instanceof ElementwiseOp.Binary
        || inst.op() instanceof MemoryOp.MakeTensor);
    return simple ? f.lower(inst).getFirst() : known;
  }
}
