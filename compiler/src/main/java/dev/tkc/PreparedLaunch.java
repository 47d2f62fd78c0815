package dev.tkc;

/**
 * A launch that has been bound, compiled and planned, and can be queued any number of times at little cost. Its tensors
 * are those it was prepared with. Scratch memory belongs to it, so it may be queued again only on the same stream, or
 * when it is done.
 */
public interface PreparedLaunch extends AutoCloseable {
  /** Queues the launch. Nothing is copied. */
  void enqueue(Stream stream);

  /** Releases scratch memory; what was queued must be done. */
  @Override
  void close();
}
