package dev.tkc.backend.ptx;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;

/** Raw addresses as JCuda's pointer objects, and back: JCuda itself offers only arrays and buffers. */
final class CudaAddress {
  private CudaAddress() {}

  private static final class Host extends Pointer {
    Host(long address) {
      super(address);
    }
  }

  private static final class Readable extends CUdeviceptr {
    long address() {
      return getNativePointer();
    }
  }

  /** A function whose handle can be passed to what JCuda does not offer. */
  static final class Function extends CUfunction {
    private long address() {
      return getNativePointer();
    }
  }

  /** A stream likewise. */
  static final class Queue extends CUstream {
    private long address() {
      return getNativePointer();
    }
  }

  static MemorySegment of(Function function) {
    return MemorySegment.ofAddress(function.address());
  }

  static MemorySegment of(Queue stream) {
    return MemorySegment.ofAddress(stream.address());
  }

  /** Memory outside the Java heap; the segment must stay reachable while the driver uses it. */
  static Pointer host(MemorySegment segment) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException("the driver needs memory outside the heap");
    }
    return new Host(segment.address());
  }

  static CUdeviceptr device(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  /** Calls something that fills in a device pointer, and gives its number. */
  static long filled(java.util.function.Consumer<CUdeviceptr> call) {
    Readable pointer = new Readable();
    call.accept(pointer);
    return pointer.address();
  }
}
