package dev.tkc.backend.ptx;

import static dev.tkc.backend.ptx.CudaRuntime.check;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** A point in a stream, with the time it was reached. */
public final class CudaEvent implements AutoCloseable {
  private final CudaDevice device;
  private final CUevent handle = new CUevent();
  private boolean open = true;

  CudaEvent(CudaDevice device) {
    this.device = device;
    device.enter();
    check(JCudaDriver.cuEventCreate(handle, CUevent_flags.CU_EVENT_DEFAULT), "cuEventCreate");
  }

  CUevent handle() {
    return handle;
  }

  public CudaEvent record(CudaStream stream) {
    device.enter();
    check(JCudaDriver.cuEventRecord(handle, stream.handle()), "cuEventRecord");
    return this;
  }

  public void synchronize() {
    device.enter();
    check(JCudaDriver.cuEventSynchronize(handle), "cuEventSynchronize");
  }

  /** Milliseconds from {@code start} to this event; both must have been reached. */
  public double millisecondsSince(CudaEvent start) {
    device.enter();
    float[] time = new float[1];
    check(JCudaDriver.cuEventElapsedTime(time, start.handle, handle), "cuEventElapsedTime");
    return time[0];
  }

  @Override
  public synchronized void close() {
    if (open) {
      open = false;
      device.enter();
      check(JCudaDriver.cuEventDestroy(handle), "cuEventDestroy");
    }
  }
}
