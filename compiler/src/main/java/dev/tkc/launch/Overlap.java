package dev.tkc.launch;

import dev.tkc.Tensor;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** {@code out} and {@code inout} arguments share no byte with any other argument. */
final class Overlap {
  private Overlap() {}

  static Optional<Diagnostic> check(Item.Kernel kernel, List<Argument> arguments) {
    for (int i = 0; i < arguments.size(); i++) {
      for (int j = i + 1; j < arguments.size(); j++) {
        Param a = kernel.params().get(i);
        Param b = kernel.params().get(j);
        boolean written = a.mode() != Param.Mode.IN || b.mode() != Param.Mode.IN;
        if (written
            && arguments.get(i) instanceof Argument.Array x
            && arguments.get(j) instanceof Argument.Array y
            && overlap(x.tensor(), y.tensor())) {
          return Optional.of(
              Diagnostic.error(
                      Code.LAUNCH_OVERLAP, "the arguments for `" + a.name() + "` and `" + b.name() + "` share memory")
                  .label(a.mode() != Param.Mode.IN ? a.span() : b.span(), "written by the kernel")
                  .label(a.mode() != Param.Mode.IN ? b.span() : a.span(), "the other"));
        }
      }
    }
    return Optional.empty();
  }

  /** Addresses of the host and of a device are never the same place. */
  private static boolean overlap(Tensor a, Tensor b) {
    if (a.isOnDevice() || b.isOnDevice()) {
      return a.isOnDevice() && b.isOnDevice() && a.bytes() > 0 && b.bytes() > 0
          && a.address() < b.address() + b.bytes() && b.address() < a.address() + a.bytes();
    }
    MemorySegment x = a.data();
    MemorySegment y = b.data();
    return x.byteSize() > 0 && y.byteSize() > 0 && x.asOverlappingSlice(y).isPresent();
  }
}
