package dev.tkc.backend.ptx;

import static dev.tkc.backend.ptx.CudaRuntime.check;

import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** A queue of work on one device; work in one stream runs in order. */
public final class CudaStream implements AutoCloseable {
  private final CudaDevice device;
  private final CudaAddress.Queue handle = new CudaAddress.Queue();
  private boolean open = true;

  CudaStream(CudaDevice device) {
    this.device = device;
    device.enter();
    check(JCudaDriver.cuStreamCreate(handle, CUstream_flags.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
  }

  public CudaDevice device() {
    return device;
  }

  CudaAddress.Queue handle() {
    return handle;
  }

  /** Waits until everything queued so far is done, and reports a kernel's failure. */
  public void synchronize() {
    device.enter();
    check(JCudaDriver.cuStreamSynchronize(handle), "cuStreamSynchronize");
  }

  /** Later work here waits for {@code event}. */
  public void await(CudaEvent event) {
    device.enter();
    check(JCudaDriver.cuStreamWaitEvent(handle, event.handle(), 0), "cuStreamWaitEvent");
  }

  @Override
  public synchronized void close() {
    if (open) {
      open = false;
      device.enter();
      check(JCudaDriver.cuStreamDestroy(handle), "cuStreamDestroy");
    }
  }
}
