package dev.tkc;

import dev.tkc.backend.ptx.CudaStream;
import java.util.Optional;

/**
 * A queue of launches on a session's device: they run in order, and beside those of other streams. Where the device is
 * the interpreter, launches are done when they have been queued.
 */
public final class Stream implements AutoCloseable {
  private final Optional<CudaStream> queue;

  Stream(Optional<CudaStream> queue) {
    this.queue = queue;
  }

  Optional<CudaStream> queue() {
    return queue;
  }

  /** Waits for everything queued so far, and reports a kernel's failure. */
  public void synchronize() {
    queue.ifPresent(CudaStream::synchronize);
  }

  @Override
  public void close() {
    queue.ifPresent(CudaStream::close);
  }
}
