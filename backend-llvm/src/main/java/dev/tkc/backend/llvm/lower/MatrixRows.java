package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget.Place;
import dev.tkc.ir.layout.Gf2;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;

/**
 * Fragments moved between registers and shared memory as 8-row matrices. Lane i supplies the address of one row of
 * eight;
 * {@link SharedLayouts#matrixLoad} says which.
 */
final class MatrixRows {
  private final FunctionLowering f;
  private final SharedPlaces places;
  private final SharedLayouts.MatrixLoad how;
  private final Element element;
  private final Gf2 offsets;
  private final int registerBits;
  private final int laneBits;
  private final int pack;

  /** {@code registers} says which coordinates of the buffer's tile the registers hold. */
  MatrixRows(FunctionLowering f, SharedPlaces places, LinearLayout registers, SharedLayouts.MatrixLoad how,
      Element element) {
    this.f = f;
    this.places = places;
    this.how = how;
    this.element = element;
    offsets = places.offsets(registers);
    registerBits = registers.bits(InDim.REGISTER);
    laneBits = registers.bits(InDim.LANE);
    pack = Integer.numberOfTrailingZeros(32 / element.bits());
  }

  /** The address that this lane supplies for {@code count} matrices from {@code register}. */
  private LlvmValue row(LlvmValue base, int register, int count, long extra) {
    return places.pointer(base, lanes(count), warps(), offsets.apply(register) ^ extra);
  }

  private List<Long> warps() {
    return SharedPlaces.columns(offsets, registerBits + laneBits, offsets.columnCount());
  }

  private List<Long> lanes(int count) {
    List<Long> rows = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int input = !how.transposed() ? registerBits + 2 + i : i == 0 ? 0 : registerBits + i - 1;
      rows.add(offsets.column(input));
    }
    for (int i = 0; i < laneBits - 3; i++) {
      rows.add(1 << i < count ? offsets.column(pack + i) : 0L);
    }
    return rows;
  }

  Lowered.Tile load(LlvmValue base, LayoutView view, long extra) {
    LlvmBuilder b = f.b();
    int count = Math.min(how.matrices(), f.target().mostMatricesPerLoad());
    LlvmValue[] values = new LlvmValue[view.registers()];
    for (int r = 0; r < values.length; r += count << pack) {
      if (!view.isFirst(r)) {
        continue;
      }
      List<LlvmValue> words = f.target().loadMatrices(b, row(base, r, count, extra), count, how.transposed());
      for (int w = 0; w < count; w++) {
        LlvmValue word = pack == 0 ? b.bitcast(words.get(w), RegisterTypes.inMemory(element)) : words.get(w);
        List<LlvmValue> elements = Packing.unpack(b, word, element, 1 << pack, LlvmValue.i32(0));
        for (int e = 0; e < elements.size(); e++) {
          values[r + (w << pack) + e] = elements.get(e);
        }
      }
    }
    return view.map(RegisterTypes.zero(element), r -> values[r]);
  }

  /** Elements of 16 bits; no register holds padding. */
  void store(Place slot, LayoutView view, List<LlvmValue> registers) {
    LlvmBuilder b = f.b();
    int count = Math.min(how.matrices(), f.target().mostMatricesPerStore());
    for (int r = 0; r < view.registers(); r += count << pack) {
      if (!view.isFirst(r)) {
        continue;
      }
      List<LlvmValue> words = new ArrayList<>();
      for (int w = 0; w < count; w++) {
        int from = r + (w << pack);
        words.add(Packing.pack(b, registers.subList(from, from + (1 << pack)), element));
      }
      Place row = slot.plus(b, places.bytes(lanes(count), warps(), offsets.apply(r)));
      f.target().storeMatrices(b, row, words, how.transposed());
    }
  }
}
