package dev.tkc.backend.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** The functions of the CUDA driver that JCuda does not offer, called in the driver's own library. */
final class CudaDriver {
  private CudaDriver() {}

  /** A call of a function of the driver; {@code result} is its {@code CUresult}. */
  @FunctionalInterface
  interface Call {
    int result() throws Throwable;
  }

  /** A function by its name, if the driver is new enough to have it. */
  @SuppressWarnings("restricted")
  static Optional<MethodHandle> find(String name, FunctionDescriptor types) {
    return SymbolLookup.libraryLookup("libcuda.so.1", Arena.global()).find(name)
        .map(address -> Linker.nativeLinker().downcallHandle(address, types));
  }

  /**
   * The result of a call. The driver throws nothing, and what Java finds wrong with the arguments is unchecked; but
   * every method handle is declared to throw anything, so a checked exception here would be a defect.
   */
  static int call(String function, Call call) {
    try {
      return call.result();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(function + " threw a checked exception", e);
    }
  }
}
