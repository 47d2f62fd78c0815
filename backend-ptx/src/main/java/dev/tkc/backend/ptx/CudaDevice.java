package dev.tkc.backend.ptx;

import static dev.tkc.backend.ptx.CudaRuntime.check;
import static jcuda.driver.CUdevice_attribute.*;

import dev.tkc.ir.diag.ByteText;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * One NVIDIA GPU and its primary context, which is made at first use and shared with everything else in the process.
 * Thread-safe: every call makes the context current on the calling thread.
 */
public final class CudaDevice {
  private final int ordinal;
  private final CUdevice handle;
  private final Properties properties;
  private CUcontext context;

  /** What the driver says about the hardware. {@code processor} is 90 for compute capability 9.0. */
  public record Properties(
      String name, int processor, int multiprocessors, int warpSize, int maxThreadsPerBlock,
      int registersPerMultiprocessor, int sharedPerBlock, int sharedPerBlockOptIn, int sharedPerMultiprocessor,
      int sharedReservedPerBlock, int l2Bytes, int clockKilohertz, int memoryClockKilohertz, int memoryBusBits,
      long memoryBytes) {}

  CudaDevice(int ordinal, CUdevice handle) {
    this.ordinal = ordinal;
    this.handle = handle;
    this.properties = read();
  }

  private Properties read() {
    byte[] name = new byte[256];
    check(JCudaDriver.cuDeviceGetName(name, name.length, handle), "cuDeviceGetName");
    long[] memory = new long[1];
    check(JCudaDriver.cuDeviceTotalMem(memory, handle), "cuDeviceTotalMem");
    String text = new String(name, StandardCharsets.UTF_8);
    return new Properties(text.substring(0, text.indexOf('\0')),
        10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
        attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE),
        attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
        attribute(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR),
        attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK),
        attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
        attribute(CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK), attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE),
        attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE), attribute(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE),
        attribute(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH), memory[0]);
  }

  private int attribute(int which) {
    int[] value = new int[1];
    check(JCudaDriver.cuDeviceGetAttribute(value, which, handle), "cuDeviceGetAttribute");
    return value[0];
  }

  public int ordinal() {
    return ordinal;
  }

  public Properties properties() {
    return properties;
  }

  /** Makes this device's context the calling thread's. */
  void enter() {
    synchronized (this) {
      if (context == null) {
        CUcontext made = new CUcontext();
        check(JCudaDriver.cuDevicePrimaryCtxRetain(made, handle), "cuDevicePrimaryCtxRetain");
        context = made;
      }
    }
    check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  /** Bytes free on the device now. */
  public long freeMemory() {
    enter();
    long[] free = new long[1];
    long[] total = new long[1];
    check(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
    return free[0];
  }

  /** Uninitialised device memory, aligned to 256 bytes; size 0 gives a buffer that must not be read. */
  public CudaBuffer allocate(long bytes) {
    enter();
    long address = CudaAddress.filled(p -> {
      int result = JCudaDriver.cuMemAlloc(p, Math.max(bytes, 1));
      if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
        throw new DiagnosticException(tooLittle(ByteText.of(bytes), freeMemory()));
      }
      check(result, "cuMemAlloc of " + bytes + " bytes");
    });
    return new CudaBuffer(this, address, bytes, true);
  }

  private Diagnostic tooLittle(String wanted, long free) {
    return Diagnostic.error(Code.DEVICE_MEMORY, this + " cannot give " + wanted + ": " + ByteText.of(free) + " of "
        + ByteText.of(properties.memoryBytes) + " are free")
        .help("use smaller sizes, or free memory that other programs hold");
  }

  /** Device memory that somebody else owns and frees. */
  public CudaBuffer wrap(long address, long bytes) {
    return new CudaBuffer(this, address, bytes, false);
  }

  /** Page-locked host memory, which copies quicker and truly asynchronously; freed with the arena. */
  @SuppressWarnings("restricted")
  public MemorySegment allocatePinned(long bytes, Arena arena) {
    enter();
    jcuda.Pointer[] made = {new jcuda.Pointer()};
    check(JCudaDriver.cuMemAllocHost(made[0], Math.max(bytes, 1)), "cuMemAllocHost of " + bytes + " bytes");
    long address = MemorySegment.ofBuffer(made[0].getByteBuffer(0, 1)).address();
    return MemorySegment.ofAddress(address).reinterpret(bytes, arena, _ -> {
      enter();
      check(JCudaDriver.cuMemFreeHost(made[0]), "cuMemFreeHost");
    });
  }

  public CudaStream newStream() {
    return new CudaStream(this);
  }

  public CudaEvent newEvent() {
    return new CudaEvent(this);
  }

  /** Loads PTX text (compiled by the driver) or a cubin. */
  public CudaModule load(byte[] image) {
    return CudaModule.load(this, image);
  }

  /** Waits for everything on the device and reports a kernel's failure. */
  public void synchronize() {
    enter();
    check(JCudaDriver.cuCtxSynchronize(), "cuCtxSynchronize");
  }

  @Override
  public String toString() {
    return "cuda:" + ordinal + " (" + properties.name + ")";
  }
}
