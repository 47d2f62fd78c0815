package dev.tkc;

import dev.tkc.backend.ptx.CudaBuffer;
import dev.tkc.backend.ptx.CudaStream;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** The memory of a tensor on a device. */
final class DeviceMemory implements AutoCloseable {
  private final CudaBuffer buffer;
  private final CudaStream stream;
  private final Consumer<DeviceMemory> released;

  /**
   * Memory that {@code stream} copies.
   *
   * @param released told when the memory is released
   */
  DeviceMemory(CudaBuffer buffer, CudaStream stream, Consumer<DeviceMemory> released) {
    this.buffer = buffer;
    this.stream = stream;
    this.released = released;
  }

  long address() {
    return buffer.address();
  }

  long bytes() {
    return buffer.bytes();
  }

  boolean isOn(CudaStream other) {
    return stream == other;
  }

  /** Copies all of it, when everything queued on the device is done. */
  void copyTo(MemorySegment host) {
    buffer.device().synchronize();
    buffer.download(host, stream);
    stream.synchronize();
  }

  /** Fills all of it; when this returns the host's memory may be changed. */
  void copyFrom(MemorySegment host) {
    buffer.upload(host, stream);
    stream.synchronize();
  }

  @Override
  public void close() {
    buffer.close();
    released.accept(this);
  }

  @Override
  public String toString() {
    return buffer.device().toString();
  }
}
