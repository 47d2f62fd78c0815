package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.layout.Gf2;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.layout.VectorAccess;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.Optional;

/**
 * A tile in shared memory under a layout, written and read by registers. The thread's part of an offset is computed
 * once for the function; the register's part splits into bits that threads do not touch, which become the instruction's
 * constant offset, and bits that need an exclusive or.
 */
final class SharedPlaces {
  private final FunctionLowering f;
  private final LinearLayout shared;
  private final Element element;

  SharedPlaces(FunctionLowering f, LinearLayout shared, Element element) {
    this.f = f;
    this.shared = shared;
    this.element = element;
  }

  Gf2 offsets(LinearLayout registers) {
    return SharedLayouts.offsets(shared, registers);
  }

  /** The address of the element at {@code offsets} of a register, moved by {@code extra} (exclusive or). */
  LlvmValue pointer(LlvmValue base, Gf2 offsets, LinearLayout registers, int register, long extra) {
    int first = registers.bits(InDim.REGISTER);
    int lanes = registers.bits(InDim.LANE);
    List<Long> laneColumns = columns(offsets, first, first + lanes);
    List<Long> warpColumns = columns(offsets, first + lanes, offsets.columnCount());
    return pointer(base, laneColumns, warpColumns, offsets.apply(register) ^ extra);
  }

  LlvmValue pointer(LlvmValue base, List<Long> laneColumns, List<Long> warpColumns, long constant) {
    LlvmBuilder b = f.b();
    long moved = BitLinear.reach(laneColumns) | BitLinear.reach(warpColumns);
    LlvmValue thread = b.xor(f.thread().linear(laneColumns, warpColumns), LlvmValue.i32(constant & moved));
    LlvmValue fixed = LlvmValue.i32(constant & ~moved);
    if (element.bits() < 8) {
      LlvmValue one = LlvmValue.i32(1);
      return b.gep(LlvmType.I8, b.gep(LlvmType.I8, base, b.lshr(thread, one)), b.lshr(fixed, one));
    }
    LlvmType unit = RegisterTypes.inMemory(element);
    return b.gep(unit, b.gep(unit, base, thread), fixed);
  }

  /** The bytes (i32) from the start of the slot to where {@link #pointer} points. */
  LlvmValue bytes(List<Long> laneColumns, List<Long> warpColumns, long constant) {
    LlvmValue thread = f.thread().linear(inBytes(laneColumns), inBytes(warpColumns));
    return f.b().xor(thread, LlvmValue.i32(element.bytes(constant)));
  }

  private List<Long> inBytes(List<Long> columns) {
    return columns.stream().map(element::bytes).toList();
  }

  static List<Long> columns(Gf2 matrix, int from, int to) {
    return java.util.stream.IntStream.range(from, to).mapToObj(matrix::column).toList();
  }

  void write(LlvmValue base, LayoutView view, List<LlvmValue> registers, VectorAccess access) {
    write(base, view, registers, access, false);
  }

  /** {@code exact}: padding stays out, since others' bytes follow. */
  void write(LlvmValue base, LayoutView view, List<LlvmValue> registers, VectorAccess access, boolean exact) {
    LlvmBuilder b = f.b();
    Gf2 offsets = offsets(view.layout());
    int align = Packing.align(element, access.width());
    for (List<Integer> group : access.accesses()) {
      if (!view.allPadding(group.get(0))) {
        LlvmValue raw = Packing.pack(b, group.stream().map(registers::get).toList(), element);
        LlvmValue at = pointer(base, offsets, view.layout(), group.get(0), 0);
        Optional<LlvmValue> inside = exact ? Padding.inside(f, view, group.get(0)) : Optional.empty();
        inside.ifPresentOrElse(i -> b.ifThen(i, () -> b.store(raw, at, align)), () -> b.store(raw, at, align));
      }
    }
  }

  Lowered.Tile read(LlvmValue base, LayoutView view, VectorAccess access) {
    return read(base, view, view.layout(), access, 0, false);
  }

  /**
   * Reads a tile whose registers lie in the shared tile as {@code placed} says, moved by {@code extra}. {@code exact}:
   * padding is not read, since there may be no memory; the first element stands for it.
   */
  Lowered.Tile read(LlvmValue base, LayoutView view, LinearLayout placed, VectorAccess access, long extra,
      boolean exact) {
    LlvmBuilder b = f.b();
    Gf2 offsets = offsets(placed);
    int align = Packing.align(element, access.width());
    LlvmValue[] values = new LlvmValue[view.registers()];
    for (List<Integer> group : access.accesses()) {
      if (view.allPadding(group.get(0))) {
        continue;
      }
      LlvmValue own = pointer(base, offsets, placed, group.get(0), extra);
      LlvmValue at = exact ? Padding.inside(f, view, group.get(0)).map(i -> b.select(i, own, base)).orElse(own) : own;
      LlvmValue raw = b.load(Packing.type(element, access.width()), at, align);
      List<LlvmValue> elements = Packing.unpack(b, raw, element, access.width(), LlvmValue.i32(0));
      for (int i = 0; i < group.size(); i++) {
        values[group.get(i)] = elements.get(i);
      }
    }
    return view.map(RegisterTypes.zero(element), r -> values[r]);
  }
}
