package dev.tkc;

import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Datum;
import java.util.List;

/** How a kernel is run that has been through the passes for a target. */
@FunctionalInterface
public interface Execution {
  /**
   * Runs the module's kernel to its end.
   *
   * @param arguments one datum for each parameter of the kernel; tensors' memory is native where the tensor's is
   */
  void run(Module placed, List<Datum> arguments);
}
