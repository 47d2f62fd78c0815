package dev.tkc;

import dev.tkc.backend.ptx.CudaRuntime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where kernels run. A device is only a name here; whether it is there is found out when a session is made on it. */
public sealed interface Device {
  /** The interpreter, on every machine: exact by the written numerics. */
  record Interpreter() implements Device {
    @Override
    public String toString() {
      return "interpreter";
    }
  }

  /** The NVIDIA GPU with this number. */
  record Cuda(int ordinal) implements Device {
    @Override
    public String toString() {
      return "cuda:" + ordinal;
    }
  }

  /**
   * The interpreter on what the passes for a target leave, or on what the passes that need no target leave: shows a
   * wrong pass on machines without the target.
   */
  record Passes(Optional<Target> target) implements Device {
    @Override
    public String toString() {
      return "passes" + target.map(t -> ":" + t.name()).orElse("");
    }
  }

  static Device interpreter() {
    return new Interpreter();
  }

  static Device cuda(int ordinal) {
    return new Cuda(ordinal);
  }

  static Device passes(Target target) {
    return new Passes(Optional.of(target));
  }

  /** The first GPU there is, else the interpreter. */
  static Device best() {
    return switch (CudaRuntime.probe()) {
      case CudaRuntime.Present _ -> cuda(0);
      case CudaRuntime.Absent _ -> interpreter();
    };
  }

  /** Every device of this machine, the interpreter last. */
  static List<Device> all() {
    List<Device> devices = new ArrayList<>();
    if (CudaRuntime.probe() instanceof CudaRuntime.Present present) {
      present.devices().forEach(d -> devices.add(cuda(d.ordinal())));
    }
    devices.add(interpreter());
    return devices;
  }

  /** {@code auto}, {@code interpreter}, {@code cuda[:N]} or {@code passes[:TARGET]}; empty for any other text. */
  static Optional<Device> parse(String text) {
    Matcher m = Pattern.compile("cuda(?::(\\d{1,4}))?").matcher(text);
    if (m.matches()) {
      return Optional.of(cuda(m.group(1) == null ? 0 : Integer.parseInt(m.group(1))));
    }
    if (text.startsWith("passes:")) {
      return Optional.of(passes(Target.of(text.substring("passes:".length()))));
    }
    return switch (text) {
      case "passes" -> Optional.of(new Passes(Optional.empty()));
      case "auto" -> Optional.of(best());
      case "interpreter" -> Optional.of(interpreter());
      default -> Optional.empty();
    };
  }
}
