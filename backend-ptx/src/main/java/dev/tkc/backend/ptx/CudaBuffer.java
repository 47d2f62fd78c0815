package dev.tkc.backend.ptx;

import static dev.tkc.backend.ptx.CudaRuntime.check;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import jcuda.driver.JCudaDriver;

/**
 * A range of device memory. Copies are asynchronous on the given stream: a host segment must stay reachable and valid
 * until the stream has been synchronised. Closing frees the memory if this buffer owns it.
 */
public final class CudaBuffer implements AutoCloseable {
  private final CudaDevice device;
  private final long address;
  private final long bytes;
  private boolean owned;

  CudaBuffer(CudaDevice device, long address, long bytes, boolean owned) {
    this.device = device;
    this.address = address;
    this.bytes = bytes;
    this.owned = owned;
  }

  public CudaDevice device() {
    return device;
  }

  public long address() {
    return address;
  }

  public long bytes() {
    return bytes;
  }

  /** Copies the whole segment to the start of this buffer. */
  public void upload(MemorySegment from, CudaStream stream) {
    fits(from.byteSize());
    if (from.byteSize() > 0) {
      device.enter();
      check(JCudaDriver.cuMemcpyHtoDAsync(CudaAddress.device(address), CudaAddress.host(from), from.byteSize(),
          stream.handle()), "cuMemcpyHtoDAsync");
      Reference.reachabilityFence(from);
    }
  }

  /** Copies the start of this buffer over the whole segment. */
  public void download(MemorySegment to, CudaStream stream) {
    fits(to.byteSize());
    if (to.byteSize() > 0) {
      device.enter();
      check(JCudaDriver.cuMemcpyDtoHAsync(CudaAddress.host(to), CudaAddress.device(address), to.byteSize(),
          stream.handle()), "cuMemcpyDtoHAsync");
      Reference.reachabilityFence(to);
    }
  }

  public void copyFrom(CudaBuffer from, CudaStream stream) {
    fits(from.bytes);
    if (from.bytes > 0) {
      device.enter();
      check(JCudaDriver.cuMemcpyDtoDAsync(CudaAddress.device(address), CudaAddress.device(from.address), from.bytes,
          stream.handle()), "cuMemcpyDtoDAsync");
    }
  }

  /** Sets every byte. */
  public void fill(byte value, CudaStream stream) {
    if (bytes > 0) {
      device.enter();
      check(JCudaDriver.cuMemsetD8Async(CudaAddress.device(address), value, bytes, stream.handle()), "cuMemsetD8Async");
    }
  }

  private void fits(long wanted) {
    if (wanted > bytes) {
      throw new IllegalArgumentException("copy of " + wanted + " bytes over a buffer of " + bytes);
    }
  }

  @Override
  public synchronized void close() {
    if (owned) {
      owned = false;
      device.enter();
      check(JCudaDriver.cuMemFree(CudaAddress.device(address)), "cuMemFree");
    }
  }
}
