package dev.tkc.cli;

import dev.tkc.Device;
import dev.tkc.Tkc;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of commands that run kernels. */
final class DeviceOptions {
  @Option(
      names = "--device", paramLabel = "DEVICE", converter = DeviceName.class, defaultValue = "auto",
      description =
      "auto, interpreter, cuda[:N] or passes[:TARGET]; auto takes a GPU if there is one (default ${DEFAULT-VALUE}).")
  private Device device;

  @Option(
      names = "--max-steps", paramLabel = "N", converter = Count.class,
      description = "Stop the interpreter after so many instructions.")
  private Long maxSteps;

  @Option(
      names = "--disable", paramLabel = "NAME", split = ",",
      description =
      "Passes to leave out, so that it can be seen what they are good for; tkc opt --list-passes shows them.")
  private Set<String> disable = Set.of();

  @Option(
      names = {"--lineinfo", "--line-table"},
      description = "Let the code say which source line it comes from, for profilers and sanitizers.")
  private boolean lineTable;

  /** Whether the interpreter runs the kernels, as they are or after passes. */
  boolean interprets() {
    return !(device instanceof Device.Cuda);
  }

  /**
   * A session on the device.
   *
   * @throws DiagnosticException if the device has no use for an option
   */
  Tkc session(boolean check) {
    if (maxSteps != null && !interprets()) {
      throw new DiagnosticException(
          Diagnostic.error(Code.USAGE, "--max-steps counts the interpreter's instructions, and this runs on " + device)
              .help("name it: `--device interpreter`"));
    }
    Tkc.Options options = Tkc.Options.defaults().withCheck(check).withDisabled(disable).withLineTable(lineTable);
    return Tkc.create(device, maxSteps == null ? options : options.withMaxSteps(maxSteps));
  }

  Device device() {
    return device;
  }

  /** Reads the name of a device. */
  static final class DeviceName implements ITypeConverter<Device> {
    @Override
    public Device convert(String text) {
      return Device.parse(text).orElseThrow(
          () -> new TypeConversionException("'" + text
              + "' is no device: auto, interpreter, cuda[:N] or passes[:TARGET]"));
    }
  }
}
