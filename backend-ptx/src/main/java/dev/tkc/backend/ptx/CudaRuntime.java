package dev.tkc.backend.ptx;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * The CUDA driver as seen from here: absent, with the reason, or present with its devices. Absence is ordinary (most
 * machines have no GPU), so it is a value; nothing native is loaded before the driver's library has been found.
 */
public sealed interface CudaRuntime {
  /** No usable device, and why. */
  record Absent(String reason) implements CudaRuntime {}

  /** {@code driverVersion} is CUDA's: 13000 for 13.0. */
  record Present(int driverVersion, List<CudaDevice> devices) implements CudaRuntime {
    public Present {
      devices = List.copyOf(devices);
    }
  }

  /** Looks once per process. */
  static CudaRuntime probe() {
    return Found.RUNTIME;
  }

  /** The device with this number, or the diagnostic that says why there is none. */
  static CudaDevice device(int ordinal) {
    return switch (probe()) {
      case Absent(String reason) -> throw new DiagnosticException(
          Diagnostic.error(Code.NO_DEVICE, "there is no CUDA device here: " + reason)
              .help("choose the interpreter (--device interpreter)"));
      case Present(int _, List<CudaDevice> devices) when ordinal < 0 || ordinal >= devices.size() ->
          throw new DiagnosticException(Diagnostic.error(Code.NO_DEVICE,
              "there is no CUDA device " + ordinal + "; this machine has " + devices.size() + ", numbered from 0"));
      case Present(int _, List<CudaDevice> devices) -> devices.get(ordinal);
    };
  }

  /** Keeps the result of the one look. */
  final class Found {
    private static final CudaRuntime RUNTIME = look();

    private Found() {}

    @SuppressWarnings("restricted")
    private static CudaRuntime look() {
      try {
        SymbolLookup.libraryLookup("libcuda.so.1", Arena.global());
      } catch (IllegalArgumentException e) {
        return new Absent("the driver's library libcuda.so.1 is not installed");
      }
      try {
        JCudaDriver.setExceptionsEnabled(false);
        int started = JCudaDriver.cuInit(0);
        if (started != CUresult.CUDA_SUCCESS) {
          return new Absent("the driver does not start: " + describe(started));
        }
      } catch (LinkageError e) {
        return new Absent("the driver cannot be called: " + e.getMessage());
      }
      int[] version = new int[1];
      JCudaDriver.cuDriverGetVersion(version);
      int[] count = new int[1];
      int counted = JCudaDriver.cuDeviceGetCount(count);
      if (counted != CUresult.CUDA_SUCCESS || count[0] == 0) {
        return new Absent("the driver reports no device");
      }
      List<CudaDevice> devices = new ArrayList<>();
      for (int i = 0; i < count[0]; i++) {
        CUdevice handle = new CUdevice();
        check(JCudaDriver.cuDeviceGet(handle, i), "cuDeviceGet");
        devices.add(new CudaDevice(i, handle));
      }
      return new Present(version[0], devices);
    }
  }

  static String describe(int result) {
    String[] text = new String[1];
    try {
      JCudaDriver.cuGetErrorString(result, text);
    } catch (LinkageError e) {
      // Only the driver has the text; without one there is still the name.
    }
    return text[0] == null ? CUresult.stringFor(result) : text[0] + " (" + CUresult.stringFor(result) + ")";
  }

  /** Turns a driver call's result into a diagnostic if it is not success. */
  static void check(int result, String call) {
    if (result == CUresult.CUDA_SUCCESS) {
      return;
    }
    throw new DiagnosticException(switch (result) {
      case CUresult.CUDA_ERROR_OUT_OF_MEMORY -> Diagnostic.error(Code.DEVICE_MEMORY,
          "the device has too little free memory (" + call + ")");
      case CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, CUresult.CUDA_ERROR_LAUNCH_FAILED, CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_ASSERT, CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION -> Diagnostic.error(Code.DEVICE_FAULT,
              "a kernel failed on the device: " + describe(result) + ", seen at " + call)
          .note("the device's context is lost; every later call in this process will fail");
      default -> Diagnostic.error(Code.DRIVER, "the CUDA driver refuses " + call + ": " + describe(result));
    });
  }
}
