package dev.tkc.backend.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Launches whose blocks may begin while those of the launch in front still run ({@code cuLaunchKernelEx} with
 * programmatic stream serialisation, which JCuda does not offer). The time from one launch to the next then passes
 * beside the first one's last blocks. Such a kernel waits by itself ({@code griddepcontrol.wait}) before it touches
 * memory. A launch behind anything but a kernel begins as any other.
 */
final class CudaEarlyLaunch {
  /** {@code -Ddev.tkc.early=false} makes all launches ordinary ones, to see what they gain. */
  private static final boolean WANTED = !"false".equals(System.getProperty("dev.tkc.early"));

  private static final StructLayout CONFIG = MemoryLayout.structLayout(
      ValueLayout.JAVA_INT.withName("gridX"), ValueLayout.JAVA_INT.withName("gridY"),
      ValueLayout.JAVA_INT.withName("gridZ"), ValueLayout.JAVA_INT.withName("blockX"),
      ValueLayout.JAVA_INT.withName("blockY"), ValueLayout.JAVA_INT.withName("blockZ"),
      ValueLayout.JAVA_INT.withName("shared"), MemoryLayout.paddingLayout(4), ValueLayout.ADDRESS.withName("stream"),
      ValueLayout.ADDRESS.withName("attributes"), ValueLayout.JAVA_INT.withName("count"),
      MemoryLayout.paddingLayout(4));

  /** An attribute's number, and its value in a union of 64 bytes. */
  private static final int ATTRIBUTE_BYTES = 72;
  private static final int VALUE_AT = 8;
  private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;

  private CudaEarlyLaunch() {}

  /** Drivers older than CUDA 12 have no such launches. */
  static boolean isOffered() {
    return WANTED && Driver.LAUNCH.isPresent();
  }

  /** Queues a launch; {@code arguments} are the addresses of the kernel's arguments. The driver's result. */
  static int queue(
      Arena arena, CudaKernel.Launch launch, MemorySegment function, MemorySegment stream, MemorySegment arguments) {
    MemorySegment attribute = arena.allocate(ATTRIBUTE_BYTES, 8);
    attribute.set(ValueLayout.JAVA_INT, 0, PROGRAMMATIC_STREAM_SERIALIZATION);
    attribute.set(ValueLayout.JAVA_INT, VALUE_AT, 1);
    MemorySegment config = arena.allocate(CONFIG);
    put(config, "gridX", launch.gridX());
    put(config, "gridY", launch.gridY());
    put(config, "gridZ", launch.gridZ());
    put(config, "blockX", launch.threads());
    put(config, "blockY", 1);
    put(config, "blockZ", 1);
    put(config, "shared", launch.dynamicShared());
    put(config, "count", 1);
    config.set(ValueLayout.ADDRESS, at("stream"), stream);
    config.set(ValueLayout.ADDRESS, at("attributes"), attribute);
    MethodHandle handle = Driver.LAUNCH.orElseThrow();
    return CudaDriver.call(
        Driver.NAME, () -> (int) handle.invokeExact(config, function, arguments, MemorySegment.NULL));
  }

  private static void put(MemorySegment config, String field, int value) {
    config.set(ValueLayout.JAVA_INT, at(field), value);
  }

  private static long at(String field) {
    return CONFIG.byteOffset(PathElement.groupElement(field));
  }

  /** The driver's function, looked up at the first such launch. */
  private static final class Driver {
    static final String NAME = "cuLaunchKernelEx";
    static final Optional<MethodHandle> LAUNCH = CudaDriver.find(NAME, FunctionDescriptor.of(
        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
  }
}
