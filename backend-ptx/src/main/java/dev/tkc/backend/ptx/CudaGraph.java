package dev.tkc.backend.ptx;

import static dev.tkc.backend.ptx.CudaRuntime.check;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Work that was written down once and is queued as a whole, any number of times: many short kernels then cost the host
 * one call. The memory and modules that the work uses must live as long as the graph.
 */
public final class CudaGraph implements AutoCloseable {
  private final CudaDevice device;
  private final CUgraphExec handle;
  private boolean open = true;

  private CudaGraph(CudaDevice device, CUgraphExec handle) {
    this.device = device;
    this.handle = handle;
  }

  /** What {@code work} queues on the stream, which runs none of it now. */
  public static CudaGraph record(CudaStream stream, Runnable work) {
    CudaDevice device = stream.device();
    device.enter();
    check(JCudaDriver.cuStreamBeginCapture(stream.handle(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
        "cuStreamBeginCapture");
    CUgraph graph = new CUgraph();
    try {
      work.run();
    } finally {
      check(JCudaDriver.cuStreamEndCapture(stream.handle(), graph), "cuStreamEndCapture");
    }
    try {
      CUgraphExec executable = new CUgraphExec();
      check(JCudaDriver.cuGraphInstantiate(executable, graph, 0), "cuGraphInstantiate");
      return new CudaGraph(device, executable);
    } finally {
      check(JCudaDriver.cuGraphDestroy(graph), "cuGraphDestroy");
    }
  }

  /** Queues all of it. */
  public void launch(CudaStream stream) {
    device.enter();
    check(JCudaDriver.cuGraphLaunch(handle, stream.handle()), "cuGraphLaunch");
  }

  @Override
  public synchronized void close() {
    if (open) {
      open = false;
      device.enter();
      check(JCudaDriver.cuGraphExecDestroy(handle), "cuGraphExecDestroy");
    }
  }
}
