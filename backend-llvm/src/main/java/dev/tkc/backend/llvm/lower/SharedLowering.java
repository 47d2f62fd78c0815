package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.Gf2;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.layout.VectorAccess;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Shared buffers, copies into them, barriers. A buffer's slots follow each other, as many bytes from one to the next as
 * {@link SlotBytes} says. A fragment whose rows lie in the buffer as a matrix load or store wants
 * them is moved by one.
 */
final class SharedLowering {
  private final FunctionLowering f;

  SharedLowering(FunctionLowering f) {
    this.f = f;
  }

  List<Lowered> lower(Inst inst, SharedOp op) {
    switch (op) {
      case SharedOp.SharedAlloc o -> {
        long offset = f.offset(inst);
        return List
            .of(new Lowered.Buffer(offset, f.sharedAt(offset), (SharedType) inst.result().type(), SlotBytes.of(inst)));
      }
      case SharedOp.SharedLoad o -> {
        return List.of(load(inst, o));
      }
      case SharedOp.GroupLoad o -> {
        return List.of(load(inst, o));
      }
      case SharedOp.SharedStore o -> store(o);
      case SharedOp.CopyAsync o -> copy(inst, o);
      case SharedOp.CopyCommit _ -> f.target().copyCommit(f.b());
      case SharedOp.CopyWait o -> f.target().copyWait(f.b(), o.pending());
      case SharedOp.Barrier _ -> f.barrier((int) inst.annotation("group", 0));
    }
    return List.of();
  }

  private LlvmValue slot(Lowered.Buffer buffer, Value stage) {
    LlvmBuilder b = f.b();
    LlvmValue number = b.trunc(f.scalar(stage), LlvmType.I32);
    return b.gep(LlvmType.I8, buffer.pointer(), b.mulNsw(number, LlvmValue.i32(buffer.pitch())));
  }

  // Reads and writes.

  private void store(SharedOp.SharedStore o) {
    Lowered.Buffer buffer = (Lowered.Buffer) f.get(o.buffer());
    SharedType type = buffer.type();
    LayoutView view = f.view(o.tile().tile());
    SharedPlaces places = new SharedPlaces(f, type.layout(), type.element());
    VectorAccess access = access(places.offsets(view.layout()), view.layout(), type.element());
    boolean narrow = type.element().bits() == 16 && access.width() * type.element().bits() < 128;
    if (f.target().mostMatricesPerStore() > 0 && narrow && !view.mayPad()) {
      Optional<SharedLayouts.MatrixLoad> matrices = SharedLayouts.matrixLoad(type.layout(), view.layout(),
          type.element().bits());
      if (matrices.isPresent()) {
        new MatrixRows(f, places, view.layout(), matrices.get(), type.element())
            .store(f.slot(buffer, o.stage()), view, f.registers(o.tile()));
        return;
      }
    }
    places.write(slot(buffer, o.stage()), view, f.registers(o.tile()), access, !buffer.covers());
  }

  private static VectorAccess access(Gf2 offsets, LinearLayout registers, Element element) {
    return VectorAccess.of(offsets, registers.bits(InDim.REGISTER), Packing.mostElements(element));
  }

  /** Slots that follow each other are one whose rows do. */
  private Lowered load(Inst inst, SharedOp.GroupLoad o) {
    Lowered.Buffer buffer = (Lowered.Buffer) f.get(o.buffer());
    LinearLayout part = buffer.type().layout();
    List<Integer> shape = inst.result().tile().shape();
    List<List<Integer>> places = new ArrayList<>(part.basis(InDim.OFFSET));
    for (int row = part.size(0); row < LinearLayout.cover(shape).getFirst(); row *= 2) {
      places.add(List.of(row, 0));
    }
    if (buffer.pitch() != SlotBytes.ofCover(buffer.type())) {
      throw new IllegalStateException("slots with gaps between them: " + o.buffer());
    }
    SharedType type = SharedType.of(buffer.type().element(), shape, 1)
        .withLayout(LinearLayout.of(LinearLayout.cover(shape), Map.of(InDim.OFFSET, places)));
    Lowered.Buffer whole =
        new Lowered.Buffer(buffer.offset(), buffer.pointer(), type, SlotBytes.ofCover(type));
    return load(inst, whole, slot(buffer, o.stage()), List.of(0, 0));
  }

  private Lowered load(Inst inst, SharedOp.SharedLoad o) {
    Lowered.Buffer buffer = (Lowered.Buffer) f.get(o.buffer());
    return load(inst, buffer, slot(buffer, o.stage()), o.offsets());
  }

  private Lowered load(Inst inst, Lowered.Buffer buffer, LlvmValue base, List<Integer> offsets) {
    SharedType type = buffer.type();
    TileType result = inst.result().tile();
    if (result.isScalar()) {
      LlvmValue raw = f.b().load(Packing.type(type.element(), 1), base, Packing.align(type.element(), 1));
      return new Lowered.Scalar(Packing.unpack(f.b(), raw, type.element(), 1, LlvmValue.i32(0)).get(0));
    }
    LayoutView view = f.view(result);
    if (!isAligned(offsets, view.layout())) {
      return scattered(base, buffer, view, offsets);
    }
    LinearLayout placed = embed(view.layout(), type.layout().sizes());
    SharedPlaces places = new SharedPlaces(f, type.layout(), type.element());
    long extra = type.layout().matrix().inverse().apply(flat(type.layout(), offsets));
    VectorAccess access = access(places.offsets(placed), placed, type.element());
    boolean inside = buffer.covers() || !view.mayPad();
    if (f.target().mostMatricesPerLoad() > 0 && inside && access.width() * type.element().bits() < 128) {
      Optional<SharedLayouts.MatrixLoad> matrices =
          SharedLayouts.matrixLoad(type.layout(), placed, type.element().bits());
      if (matrices.isPresent()) {
        return new MatrixRows(f, places, placed, matrices.get(), type.element()).load(base, view, extra);
      }
    }
    return places.read(base, view, placed, access, extra, !buffer.covers());
  }

  private static boolean isAligned(List<Integer> offsets, LinearLayout block) {
    for (int axis = 0; axis < offsets.size(); axis++) {
      if (offsets.get(axis) % block.size(axis) != 0) {
        return false;
      }
    }
    return true;
  }

  /** The same coordinates in a larger tile. */
  private static LinearLayout embed(LinearLayout layout, List<Integer> sizes) {
    Map<InDim, List<List<Integer>>> bases = new EnumMap<>(InDim.class);
    for (InDim dim : layout.inDims()) {
      bases.put(dim, layout.basis(dim));
    }
    return LinearLayout.of(sizes, bases);
  }

  private static long flat(LinearLayout layout, List<Integer> coordinates) {
    long flat = 0;
    for (int axis = 0; axis < coordinates.size(); axis++) {
      flat = flat * layout.size(axis) + coordinates.get(axis);
    }
    return flat;
  }

  /**
   * A block at offsets that are no multiples of its size: each coordinate is a sum, so each register has its own
   * offset.
   */
  private Lowered scattered(LlvmValue base, Lowered.Buffer buffer, LayoutView view, List<Integer> offsets) {
    LlvmBuilder b = f.b();
    SharedType type = buffer.type();
    Gf2 inverse = type.layout().matrix().inverse();
    List<Long> columns = SharedPlaces.columns(inverse, 0, inverse.columnCount());
    return view.map(RegisterTypes.zero(type.element()), r -> {
      LlvmValue flat = LlvmValue.i32(0);
      for (int axis = 0; axis < view.rank(); axis++) {
        LlvmValue at = b.add(f.thread().position(view, r, axis), LlvmValue.i32(offsets.get(axis)));
        // Padding may run over; it stays inside the slot.
        LlvmValue inside = b.and(at, LlvmValue.i32(type.layout().size(axis) - 1));
        flat = b.add(b.mul(flat, LlvmValue.i32(type.layout().size(axis))), inside);
      }
      LlvmValue own = BitLinear.apply(b, flat, columns);
      Optional<LlvmValue> inSlot = buffer.covers() ? Optional.empty() : Padding.inside(f, view, r);
      LlvmValue place = inSlot.map(i -> b.select(i, own, LlvmValue.i32(0))).orElse(own);
      LlvmValue at = type.element().bits() < 8 ? b.lshr(place, LlvmValue.i32(1)) : place;
      LlvmType unit = type.element().bits() < 8 ? LlvmType.I8 : RegisterTypes.inMemory(type.element());
      LlvmValue raw = b.load(Packing.type(type.element(), 1), b.gep(unit, base, at), Packing.align(type.element(), 1));
      return Packing.unpack(b, raw, type.element(), 1, b.and(place, LlvmValue.i32(1))).get(0);
    });
  }

  // Copies from global memory.

  /** The threads share a copy's tile out in vectors along the dimension that is contiguous in the buffer. */
  private void copy(Inst inst, SharedOp.CopyAsync o) {
    Lowered.Buffer buffer = (Lowered.Buffer) f.get(o.buffer());
    SharedType type = buffer.type();
    Element element = type.element();
    int vector = (int) Math.min(inst.annotation("vector", 1), Packing.mostElements(element));
    int warps = f.team().warps();
    List<Integer> order = inst.annotations().get("order") instanceof List<?> given
        ? given.stream().map(axis -> ((Long) axis).intValue()).toList()
        : order(type.layout());
    LinearLayout layout = BlockedLayouts.coalescedLayout(type.shape(), order, vector, f.target().lanes(), warps);
    LayoutView view = new LayoutView(layout, type.shape(), warps);
    SharedPlaces places = new SharedPlaces(f, type.layout(), element);
    Gf2 offsets = places.offsets(layout);
    int width = width(offsets, layout, order.getFirst(), vector);
    TensorAccess access = TensorAccess.of(f, inst, o.tensor(), o.indices(), type.tile(), view);
    LlvmValue base = slot(buffer, o.stage());
    LlvmValue first = f.thread().isFirstHolder(layout);
    Runnable all = () -> {
      for (int r = 0; r < view.registers(); r += width) {
        if (view.isFirst(r) && !view.allPadding(r)) {
          copyGroup(access, r, width, element, places.pointer(base, offsets, layout, r, 0));
        }
      }
    };
    f.b().ifThen(first, all);
  }

  /** How many registers from each multiple of that number follow each other both in global memory and in the buffer. */
  private static int width(Gf2 offsets, LinearLayout layout, int contiguous, int vector) {
    int most = Math.min(vector, layout.contiguity(contiguous));
    int bits = 0;
    while (1 << (bits + 1) <= most && offsets.column(bits) == 1L << bits) {
      bits++;
    }
    long moved = 0;
    for (int i = bits; i < offsets.columnCount(); i++) {
      moved |= offsets.column(i);
    }
    // Every group starts at a multiple of its size in the buffer.
    return moved == 0 ? 1 << bits : (int) Math.min(1L << bits, Long.lowestOneBit(moved));
  }

  private void copyGroup(TensorAccess access, int register, int width, Element element, LlvmValue to) {
    LlvmBuilder b = f.b();
    int bytes = Packing.align(element, width);
    LlvmValue from = access.pointer(register, 0);
    Optional<LlvmValue> guard = access.guard(register);
    if (f.target().copiesAsync(bytes)) {
      f.target().copyAsync(b, to, from, bytes, guard);
      return;
    }
    LlvmValue safe = guard.map(g -> b.select(g, from, f.zeros())).orElse(from);
    b.store(b.load(Packing.type(element, width), safe, bytes), to, bytes);
  }

  /** The buffer's dimensions in the order in which its lowest offset bits run along them. */
  private static List<Integer> order(LinearLayout shared) {
    List<Integer> order = new ArrayList<>();
    for (List<Integer> vector : shared.basis(InDim.OFFSET)) {
      for (int axis = 0; axis < vector.size(); axis++) {
        if (vector.get(axis) != 0 && !order.contains(axis)) {
          order.add(axis);
          break;
        }
      }
    }
    for (int axis = shared.rank() - 1; axis >= 0; axis--) {
      if (!order.contains(axis)) {
        order.add(axis);
      }
    }
    return order;
  }
}
