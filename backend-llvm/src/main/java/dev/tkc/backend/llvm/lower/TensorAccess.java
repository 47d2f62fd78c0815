package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The places in a tensor that a tile's registers stand for: an address and, where a lane may lie outside, a condition.
 *
 * <p>An address is the tensor's pointer, plus what is the same for all threads (from range starts and scalar indices,
 * which change in loops), plus the thread's and the register's own part (which does not change), in this order, so that
 * a loop has one sum to keep up and constants end in the instruction's offset field.
 */
final class TensorAccess {
  private final FunctionLowering f;
  private final LlvmBuilder b;
  private final Lowered.Tensor tensor;
  private final LayoutView view;
  private final List<Dimension> dimensions = new ArrayList<>();
  private final Map<Integer, Optional<LlvmValue>> guards = new HashMap<>();
  private final Map<List<Object>, LlvmValue> checks = new HashMap<>();
  private LlvmValue uniform = LlvmValue.i64(0);
  private LlvmValue base;
  private LlvmValue threadPart;

  /** One tile axis (or, pointwise, one dimension) of the tensor that varies within the tile. */
  private sealed interface Dimension {}

  /** Lanes start + t · stride: valid where low ≤ t < low + width, or checked one by one. */
  private record Along(int axis, int tensorDim, Lowered.Range range, LlvmValue step, Optional<LlvmValue> low,
      Optional<LlvmValue> width, boolean checkEach) implements Dimension {}

  /** Indices from a tile; {@code index.get(r)} is the index of register r. */
  private record Gathered(int tensorDim, Map<Integer, LlvmValue> index, int axis, boolean guarded)
      implements Dimension {}

  /** What leading indices say, where they are part of a base that is kept whole. */
  private LlvmValue first;

  private TensorAccess(FunctionLowering f, Lowered.Tensor tensor, LayoutView view) {
    this.f = f;
    this.b = f.b();
    this.tensor = tensor;
    this.view = view;
  }

  static TensorAccess of(FunctionLowering f, Inst inst, Value tensor, List<Value> indices, TileType tile) {
    return of(f, inst, tensor, indices, tile, tile.isScalar() ? null : f.view(tile));
  }

  /** As above for a layout that no tile carries. */
  static TensorAccess of(
      FunctionLowering f, Inst inst, Value tensor, List<Value> indices, TileType tile, LayoutView view) {
    return of(f, inst, f.tensor(tensor), indices, tile, view);
  }

  /** As above for a tensor that lies elsewhere for who stores. */
  static TensorAccess of(
      FunctionLowering f, Inst inst, Lowered.Tensor tensor, List<Value> indices, TileType tile, LayoutView view) {
    TensorAccess access = new TensorAccess(f, tensor, view);
    int axis = 0;
    for (int dim = 0; dim < indices.size(); dim++) {
      axis = access.index(inst, indices.get(dim), dim, axis, tile);
    }
    access.start();
    return access;
  }

  /**
   * As above, of elements of whole bytes, where accesses in a loop and beside it have the same first {@code leading}
   * indices: what these say, with the thread's part, is one address that all of them start from. LLVM would make one
   * for each of them, in front of the loop.
   */
  static TensorAccess of(
      FunctionLowering f, Inst inst, Value tensor, List<Value> indices, TileType tile, int leading) {
    TensorAccess access = new TensorAccess(f, f.tensor(tensor), f.view(tile));
    int axis = 0;
    for (int dim = 0; dim < indices.size(); dim++) {
      if (dim == leading) {
        access.first = access.uniform;
        access.uniform = LlvmValue.i64(0);
      }
      axis = access.index(inst, indices.get(dim), dim, axis, tile);
    }
    access.start();
    return access;
  }

  private int index(Inst inst, Value index, int dim, int axis, TileType tile) {
    boolean inside = isInside(inst, dim);
    switch (f.get(index)) {
      case Lowered.Scalar s -> {
        addUniform(s.value(), dim);
        return axis;
      }
      case Lowered.Range r -> {
        range(r, dim, axis, inside);
        return axis + 1;
      }
      case Lowered.Tile t -> {
        TileType type = index.tile();
        boolean pointwise = type.rank() > 1;
        dimensions.add(new Gathered(dim, gathered(t, type, pointwise ? -1 : axis), pointwise ? -1 : axis, !inside));
        return pointwise ? axis : axis + 1;
      }
      case Lowered.Tensor _, Lowered.Buffer _, Lowered.Barriers _, Lowered.View _ ->
          throw new IllegalStateException(inst + " indexed by " + index);
    }
  }

  private static boolean isInside(Inst inst, int dim) {
    return inst.annotations().get("inbounds") instanceof List<?> flags && Long.valueOf(1).equals(flags.get(dim));
  }

  private void addUniform(LlvmValue position, int dim) {
    uniform = b.addNsw(uniform, b.mulNsw(position, tensor.strides().get(dim)));
  }

  private void range(Lowered.Range r, int dim, int axis, boolean inside) {
    addUniform(r.start(), dim);
    LlvmValue step = b.mulNsw(r.stride(), tensor.strides().get(dim));
    boolean covered = !view.mayPadAlong(axis);
    LlvmValue full = LlvmValue.i32(r.size());
    if (inside) {
      dimensions.add(
          new Along(axis, dim, r, step, Optional.empty(), covered ? Optional.empty() : Optional.of(full), false));
      return;
    }
    LlvmValue size = tensor.sizes().get(dim);
    if (!r.stride().isInteger(1)) {
      LlvmValue count = MemoryLowering.clamp(b, r.count(), r.size());
      dimensions.add(new Along(axis, dim, r, step, Optional.empty(), Optional.of(count), true));
      return;
    }
    LlvmValue left = b.subNsw(size, r.start());
    LlvmValue end = MemoryLowering.clamp(b, IntegerMath.min(b, r.count(), left, true), r.size());
    if (r.nonNegative()) {
      dimensions.add(new Along(axis, dim, r, step, Optional.empty(), Optional.of(end), false));
      return;
    }
    LlvmValue low = MemoryLowering.clamp(b, b.subNsw(LlvmValue.i64(0), r.start()), r.size());
    LlvmValue width = IntegerMath.max(b, b.sub(end, low), LlvmValue.i32(0), true);
    dimensions.add(new Along(axis, dim, r, step, Optional.of(low), Optional.of(width), false));
  }

  /** The index value of each register; along one axis, or (axis −1) place for place. */
  private Map<Integer, LlvmValue> gathered(Lowered.Tile tile, TileType type, int axis) {
    Map<Integer, LlvmValue> index = new HashMap<>();
    LinearLayout own = type.layout();
    for (int r = 0; r < view.registers(); r++) {
      if (view.isFirst(r)) {
        long place = axis < 0 ? view.place(r) : view.coordinate(r, axis);
        int from = own.matrix(InDim.REGISTER).solve(place).orElseThrow(
            () -> new IllegalStateException("an index tile whose layout does not follow the access")).intValue();
        index.put(r, widen(tile.register(from), type.element()));
      }
    }
    return index;
  }

  private LlvmValue widen(LlvmValue x, Element e) {
    if (x.type().bits() == 64) {
      return x;
    }
    return e.isUnsigned() ? b.zext(x, LlvmType.I64) : b.sext(x, LlvmType.I64);
  }

  // Addresses.

  private void start() {
    boolean whole = first == null;
    base = whole && tensor.element().bits() >= 8 ? b.gepUnbounded(unit(), tensor.pointer(), uniform) : tensor.pointer();
    threadPart = LlvmValue.i64(0);
    for (Dimension d : dimensions) {
      if (d instanceof Along a) {
        LlvmValue t = b.zext(f.thread().coordinate(view.layout(), a.axis), LlvmType.I64);
        if (!isCrossed(a.axis)) {
          threadPart = b.addNsw(threadPart, b.mulNsw(t, a.step));
        }
      }
    }
    if (!whole) {
      LlvmValue start = b.gepUnbounded(unit(), tensor.pointer(), b.addNsw(first, threadPart));
      base = b.gepUnbounded(unit(), f.target().async().opaque(b, start), uniform);
      threadPart = LlvmValue.i64(0);
    }
  }

  private LlvmType unit() {
    return RegisterTypes.inMemory(tensor.element());
  }

  /** Whether registers and threads set the same bits of the coordinate, so that it is no sum of the two. */
  private boolean isCrossed(int axis) {
    long own = 0;
    for (List<Integer> vector : view.layout().basis(InDim.REGISTER)) {
      own |= vector.get(axis);
    }
    return (own & view.threadBits(axis)) != 0;
  }

  /** The element offset of a register beyond {@code uniform} and {@code threadPart}; {@code more} elements on. */
  private LlvmValue registerPart(int register, int more) {
    LlvmValue offset = LlvmValue.i64(more);
    for (Dimension d : dimensions) {
      switch (d) {
        case Along a -> {
          LlvmValue t = isCrossed(a.axis)
              ? b.zext(f.thread().position(view, register, a.axis), LlvmType.I64)
              : LlvmValue.i64(view.coordinate(register, a.axis));
          offset = b.addNsw(offset, b.mulNsw(t, a.step));
        }
        case Gathered g ->
            offset = b.addNsw(offset, b.mulNsw(g.index.get(register), tensor.strides().get(g.tensorDim)));
      }
    }
    return offset;
  }

  /** The address of a register's element, {@code more} elements on; of the byte that holds it for 4-bit types. */
  LlvmValue pointer(int register, int more) {
    LlvmValue own = view == null ? LlvmValue.i64(more) : registerPart(register, more);
    if (tensor.element().bits() < 8) {
      return b.gepUnbounded(LlvmType.I8, base, b.ashr(total(own), LlvmValue.i64(1)));
    }
    return own.integer().isPresent()
        ? b.gepUnbounded(unit(), b.gepUnbounded(unit(), base, threadPart), own)
        : b.gepUnbounded(unit(), base, b.addNsw(threadPart, own));
  }

  private LlvmValue total(LlvmValue own) {
    return b.addNsw(b.addNsw(uniform, threadPart), own);
  }

  /** Which half of its byte a 4-bit element is in (i32); 0 for other types. */
  LlvmValue nibble(int register) {
    if (tensor.element().bits() >= 8) {
      return LlvmValue.i32(0);
    }
    LlvmValue own = view == null ? LlvmValue.i64(0) : registerPart(register, 0);
    return b.and(b.trunc(total(own), LlvmType.I32), LlvmValue.i32(1));
  }

  // Conditions.

  /** The first registers of the vectors that are worth accessing. */
  List<Integer> groups(int vector) {
    List<Integer> groups = new ArrayList<>();
    if (view == null) {
      return List.of(0);
    }
    for (int r = 0; r < view.registers(); r += vector) {
      if (view.isFirst(r) && !view.allPadding(r)) {
        groups.add(r);
      }
    }
    return groups;
  }

  /** When the register's place lies inside, or nothing where it always does. */
  Optional<LlvmValue> guard(int register) {
    return guards.computeIfAbsent(register, r -> {
      LlvmValue all = LlvmValue.i1(true);
      for (Dimension d : dimensions) {
        all = b.and(all, inside(d, r));
      }
      return all.isInteger(1) ? Optional.empty() : Optional.of(all);
    });
  }

  /** {@link #guard}, and this thread is the one that stores the element. */
  Optional<LlvmValue> owned(int register) {
    LlvmValue first = view == null
        ? b.icmp(Compare.EQ, b.or(f.thread().lane(), f.thread().warp()), LlvmValue.i32(0))
        : f.thread().isFirstHolder(view.layout());
    Optional<LlvmValue> guard = guard(register);
    if (guard.isEmpty()) {
      return first.isInteger(1) ? Optional.empty() : Optional.of(first);
    }
    return Optional.of(checks.computeIfAbsent(List.of("owned", guard.get()), _ -> b.and(first, guard.get())));
  }

  private LlvmValue inside(Dimension d, int register) {
    return switch (d) {
      case Along a -> checks.computeIfAbsent(
          List.of(a.axis, view.coordinate(register, a.axis)), _ -> insideRange(a, register));
      case Gathered g -> insideTensor(g, register);
    };
  }

  private LlvmValue insideRange(Along a, int register) {
    if (a.width.isEmpty()) {
      return LlvmValue.i1(true);
    }
    LlvmValue t = f.thread().position(view, register, a.axis);
    LlvmValue own = a.low.isPresent() ? b.sub(t, a.low.get()) : t;
    LlvmValue valid = b.icmp(Compare.ULT, own, a.width.get());
    if (!a.checkEach) {
      return valid;
    }
    LlvmValue index = b.addNsw(a.range.start(), b.mulNsw(b.zext(t, LlvmType.I64), a.range.stride()));
    return b.and(valid, b.icmp(Compare.ULT, index, tensor.sizes().get(a.tensorDim)));
  }

  private LlvmValue insideTensor(Gathered g, int register) {
    LlvmValue valid = LlvmValue.i1(true);
    if (g.guarded) {
      valid = b.icmp(Compare.ULT, g.index.get(register), tensor.sizes().get(g.tensorDim));
    }
    for (int axis = 0; axis < view.rank(); axis++) {
      if ((g.axis == axis || g.axis < 0) && view.mayPad(register, axis)) {
        LlvmValue t = f.thread().position(view, register, axis);
        valid = b.and(valid, b.icmp(Compare.ULT, t, LlvmValue.i32(view.shape().get(axis))));
      }
    }
    return valid;
  }
}
