package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.analysis.BulkAccess;
import java.util.ArrayList;
import java.util.List;

/**
 * Scratch memory of a kernel whose rows start at multiples of {@link BulkAccess#ALIGNMENT} bytes: longer than the rows
 * asked for by up to one element less than that. What follows the end of a row is read by nobody who goes through
 * {@link #tensor}.
 *
 * @param memory the {@code temp}
 * @param sizes its sizes, those asked for but for the last
 */
record AddressableRows(Inst memory, List<Value> sizes) {
  AddressableRows {
    sizes = List.copyOf(sizes);
  }

  static AddressableRows allocate(Builder b, List<Value> sizes, Element element, String name) {
    long group = BulkAccess.ALIGNMENT * 8L / element.bits();
    Value longer = b.add(sizes.getLast(), b.constant(group - 1));
    List<Value> whole = new ArrayList<>(sizes);
    whole.set(sizes.size() - 1, b.binary(BinaryKind.AND, longer, b.constant(-group)));
    return new AddressableRows(b.append(new MemoryOp.Temp(whole, element, name)), whole);
  }

  /** The memory as a tensor of the sizes asked for, to be read once it is written. */
  Value tensor(Builder b, List<Value> asked, String name) {
    int rank = sizes.size();
    Value[] strides = new Value[rank];
    strides[rank - 1] = b.constant(1);
    for (int d = rank - 2; d >= 0; d--) {
      strides[d] = d == rank - 2 ? sizes.getLast() : b.mul(sizes.get(d + 1), strides[d + 1]);
    }
    Value address = b.emit(new MemoryOp.AddressOf(memory.result()));
    return b.emit(new MemoryOp.MakeTensor(address, asked, List.of(strides), MemoryOp.Access.IN, name));
  }
}
