package dev.tkc;

import dev.tkc.backend.ptx.CudaDevice;
import dev.tkc.backend.ptx.CudaEvent;
import dev.tkc.backend.ptx.CudaModule;
import dev.tkc.backend.ptx.CudaRuntime;
import dev.tkc.backend.ptx.CudaStream;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.launch.Argument;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Launches on one NVIDIA GPU. Tensors are copied to it and back for each launch; compiled kernels stay loaded. */
final class CudaEngine implements Engine {
  private final CudaDevice device;
  private final CudaStream stream;
  private final Target target;
  private final CompileOptions options;
  private final Map<CompiledKernel, CudaModule> loaded = new ConcurrentHashMap<>();

  CudaEngine(int ordinal, Tkc.Options options) {
    this.device = CudaRuntime.device(ordinal);
    this.stream = device.newStream();
    this.target = target(device);
    this.options = CompileOptions.defaults().withAsserts(options.debugAsserts());
  }

  /** The newest target whose code the device runs; a name that ends in a letter is for exactly that processor. */
  private static Target target(CudaDevice device) {
    int processor = device.properties().processor();
    return Target.all().stream()
        .filter(t -> t.backend() == Backends.PTX)
        .filter(t -> t.name().endsWith("a") ? number(t) == processor : number(t) <= processor)
        .max(Comparator.comparingInt(CudaEngine::number))
        .orElseThrow(() -> new DiagnosticException(Diagnostic.error(Code.NO_DEVICE, device + " is older than every target of tkc")));
  }

  private static int number(Target target) {
    return Integer.parseInt(target.name().replaceAll("\\D", ""));
  }

  /** What kernels are compiled for. */
  Target target() {
    return target;
  }

  CudaDevice device() {
    return device;
  }

  CudaStream stream() {
    return stream;
  }

  @Override
  public synchronized Timing launch(Kernel kernel, Constants constants, List<Argument> arguments) {
    long start = System.nanoTime();
    try (CudaLaunch launch = prepare(kernel, constants, arguments);
        CudaEvent before = device.newEvent();
        CudaEvent after = device.newEvent()) {
      launch.upload(stream);
      before.record(stream);
      launch.enqueue(stream);
      after.record(stream);
      launch.download(stream);
      stream.synchronize();
      launch.finish();
      return new Timing(Math.round(after.millisecondsSince(before) * 1e6), System.nanoTime() - start);
    }
  }

  /** Compiles, loads and plans a launch, with memory on the device for its tensors. */
  CudaLaunch prepare(Kernel kernel, Constants constants, List<Argument> arguments) {
    Kernel.Bound bound = kernel.bind(constants, arguments, target);
    CompiledKernel compiled = kernel.compile(target, bound.specialisation(), options, _ -> { });
    CudaModule module = loaded.computeIfAbsent(compiled, c -> device.load(c.binary()));
    return CudaLaunch.plan(device, module, compiled, bound.binding());
  }

  @Override
  public synchronized void close() {
    loaded.values().forEach(CudaModule::close);
    loaded.clear();
    stream.close();
  }
}
