package dev.tkc.backend.ptx;

import static dev.tkc.backend.ptx.CudaRuntime.check;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/** Code loaded on a device. Kernels taken from it live as long as it does. */
public final class CudaModule implements AutoCloseable {
  private static final int LOG_BYTES = 1 << 14;

  private final CudaDevice device;
  private final CUmodule handle;
  private boolean open = true;

  private CudaModule(CudaDevice device, CUmodule handle) {
    this.device = device;
    this.handle = handle;
  }

  static CudaModule load(CudaDevice device, byte[] image) {
    device.enter();
    // PTX is text that ends in a NUL; to a cubin the extra byte does no harm.
    byte[] terminated = Arrays.copyOf(image, image.length + 1);
    JITOptions options = new JITOptions();
    options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, LOG_BYTES);
    options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[LOG_BYTES]);
    CUmodule module = new CUmodule();
    int result = JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(terminated), options);
    if (result != CUresult.CUDA_SUCCESS) {
      String log = options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER);
      int end = log == null ? -1 : log.indexOf('\0');
      throw new DiagnosticException(Diagnostic.error(Code.DRIVER,
              "the CUDA driver does not load the code on " + device + ": " + CudaRuntime.describe(result))
          .note(log == null ? "" : end < 0 ? log : log.substring(0, end)));
    }
    return new CudaModule(device, module);
  }

  public CudaDevice device() {
    return device;
  }

  public CudaKernel kernel(String name) {
    device.enter();
    CudaAddress.Function function = new CudaAddress.Function();
    check(JCudaDriver.cuModuleGetFunction(function, handle, name), "cuModuleGetFunction(" + name + ")");
    return new CudaKernel(this, name, function);
  }

  @Override
  public synchronized void close() {
    if (open) {
      open = false;
      device.enter();
      check(JCudaDriver.cuModuleUnload(handle), "cuModuleUnload");
    }
  }
}
