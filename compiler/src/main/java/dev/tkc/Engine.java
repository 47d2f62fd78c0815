package dev.tkc;

import dev.tkc.ir.type.Element;
import dev.tkc.launch.Argument;
import java.util.List;
import java.util.Optional;

/** What runs launches on one device. Thread-safe. */
interface Engine extends AutoCloseable {
  /** Runs a launch to its end: when this returns, outputs are in the tensors. */
  Timing launch(Kernel kernel, Constants constants, List<Argument> arguments);

  /** What it compiles for, if it does. */
  default Optional<Target> target() {
    return Optional.empty();
  }

  /** A tensor in the device's memory, with undefined elements. */
  default Tensor empty(Element element, long... shape) {
    return Tensor.empty(element, shape);
  }

  /** A copy in the device's memory. */
  default Tensor upload(Tensor tensor) {
    return tensor.copy();
  }

  /** A queue of its own. */
  default Stream newStream() {
    return new Stream(Optional.empty());
  }

  /** Does once what every launch with these arguments needs. */
  default PreparedLaunch prepareLaunch(Kernel kernel, Constants constants, List<Argument> arguments) {
    return new PreparedLaunch() {
      @Override
      public void enqueue(Stream stream) {
        launch(kernel, constants, arguments);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  void close();
}
