package dev.tkc.backend.ptx;

import static dev.tkc.backend.ptx.CudaRuntime.check;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.List;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/** One entry point of a loaded module: what it takes of the hardware, and how to launch it. */
public final class CudaKernel {
  /** The static limit on shared memory that a kernel has without asking for more. */
  private static final int DEFAULT_DYNAMIC_SHARED = 48 * 1024;

  private final CudaModule module;
  private final String name;
  private final CudaAddress.Function handle;
  private int allowedDynamicShared = DEFAULT_DYNAMIC_SHARED;

  CudaKernel(CudaModule module, String name, CudaAddress.Function handle) {
    this.module = module;
    this.name = name;
    this.handle = handle;
  }

  /** A kernel argument as the parameter space holds it; pointers are {@link I64}. */
  public sealed interface Argument {
    record I32(int value) implements Argument {}

    record I64(long value) implements Argument {}

    record F32(float value) implements Argument {}

    record F64(double value) implements Argument {}

    /** A tensor's description, by value. */
    record Map(MemorySegment bytes) implements Argument {}

    static Argument map(CudaTensorMap map) {
      return new Map(map.encode());
    }

    static Argument pointer(CudaBuffer buffer) {
      return new I64(buffer.address());
    }
  }

  /**
   * How many blocks and threads, and the shared memory beyond what the kernel declares.
   *
   * @param early whether blocks may begin before the launch in front is over, which the kernel must wait for itself
   */
  public record Launch(int gridX, int gridY, int gridZ, int threads, int dynamicShared, boolean early) {
    public Launch(int gridX, int gridY, int gridZ, int threads, int dynamicShared) {
      this(gridX, gridY, gridZ, threads, dynamicShared, false);
    }

    public Launch early(boolean may) {
      return new Launch(gridX, gridY, gridZ, threads, dynamicShared, may);
    }
  }

  public String name() {
    return name;
  }

  public int registers() {
    return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS);
  }

  /** Bytes of thread-private memory: spills and stack. */
  public int localBytes() {
    return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
  }

  public int staticSharedBytes() {
    return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
  }

  public int maxThreadsPerBlock() {
    return attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  }

  private int attribute(int which) {
    module.device().enter();
    int[] value = new int[1];
    check(JCudaDriver.cuFuncGetAttribute(value, which, handle), "cuFuncGetAttribute");
    return value[0];
  }

  /** Blocks of this kernel that one multiprocessor holds at a time. */
  public int blocksPerMultiprocessor(int threads, int dynamicShared) {
    module.device().enter();
    allow(dynamicShared);
    int[] blocks = new int[1];
    check(JCudaDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, handle, threads, dynamicShared),
        "cuOccupancyMaxActiveBlocksPerMultiprocessor");
    return blocks[0];
  }

  private synchronized void allow(int dynamicShared) {
    if (dynamicShared > allowedDynamicShared) {
      check(JCudaDriver.cuFuncSetAttribute(handle,
          CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, dynamicShared),
          "cuFuncSetAttribute of " + dynamicShared + " bytes of shared memory");
      allowedDynamicShared = dynamicShared;
    }
  }

  /** Queues one launch; the driver has copied the arguments when this returns. */
  public void launch(Launch launch, List<Argument> arguments, CudaStream stream) {
    if (launch.gridX == 0 || launch.gridY == 0 || launch.gridZ == 0) {
      return;
    }
    module.device().enter();
    allow(launch.dynamicShared);
    try (Arena arena = Arena.ofConfined()) {
      int n = arguments.size();
      MemorySegment values = arena.allocate(Math.max(8L * n, 8), 8);
      MemorySegment pointers = arena.allocate(Math.max(8L * n, 8), 8);
      for (int i = 0; i < n; i++) {
        long at = values.address() + 8L * i;
        switch (arguments.get(i)) {
          case Argument.I32(int v) -> values.set(ValueLayout.JAVA_INT, 8L * i, v);
          case Argument.I64(long v) -> values.set(ValueLayout.JAVA_LONG, 8L * i, v);
          case Argument.F32(float v) -> values.set(ValueLayout.JAVA_FLOAT, 8L * i, v);
          case Argument.F64(double v) -> values.set(ValueLayout.JAVA_DOUBLE, 8L * i, v);
          case Argument.Map(MemorySegment bytes) -> at = bytes.address();
        }
        pointers.set(ValueLayout.JAVA_LONG, 8L * i, at);
      }
      if (launch.early && CudaEarlyLaunch.isOffered()) {
        check(CudaEarlyLaunch.queue(arena, launch, CudaAddress.of(handle), CudaAddress.of(stream.handle()), pointers),
            "cuLaunchKernelEx(" + name + ")");
        return;
      }
      check(JCudaDriver.cuLaunchKernel(handle, launch.gridX, launch.gridY, launch.gridZ, launch.threads, 1, 1,
          launch.dynamicShared, stream.handle(), CudaAddress.host(pointers), null), "cuLaunchKernel(" + name + ")");
    } finally {
      Reference.reachabilityFence(arguments);
    }
  }

  @Override
  public String toString() {
    return "kernel " + name + " on " + module.device();
  }
}
