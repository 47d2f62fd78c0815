package dev.tkc;

import dev.tkc.launch.Argument;
import java.util.List;

/** What runs launches on one device. Thread-safe. */
interface Engine extends AutoCloseable {
  /** Runs a launch to its end: when this returns, outputs are in the tensors. */
  Timing launch(Kernel kernel, Constants constants, List<Argument> arguments);

  @Override
  void close();
}
