package dev.tkc;

import dev.tkc.backend.ptx.CudaBuffer;
import dev.tkc.backend.ptx.CudaDevice;
import dev.tkc.backend.ptx.CudaEvent;
import dev.tkc.backend.ptx.CudaModule;
import dev.tkc.backend.ptx.CudaRuntime;
import dev.tkc.backend.ptx.CudaStream;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.type.Element;
import dev.tkc.launch.Argument;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Launches on one NVIDIA GPU. Tensors of the host are copied there and back for each launch, those on the device are
 * used where they lie; compiled kernels stay loaded.
 */
final class CudaEngine implements Engine {
  private final CudaDevice device;
  private final CudaStream stream;
  private final Target target;
  private final CompileOptions options;
  private final Map<CompiledKernel, CudaModule> loaded = new ConcurrentHashMap<>();
  private final Set<DeviceMemory> held = ConcurrentHashMap.newKeySet();

  CudaEngine(int ordinal, Tkc.Options options) {
    this.device = CudaRuntime.device(ordinal);
    this.stream = device.newStream();
    this.target = target(device);
    this.options = options.compiling();
  }

  /** The newest target whose code the device runs; a name that ends in a letter is for exactly that processor. */
  private static Target target(CudaDevice device) {
    int processor = device.properties().processor();
    return Target.all().stream()
        .filter(t -> t.backend() == Backends.PTX)
        .filter(t -> t.name().endsWith("a") ? number(t) == processor : number(t) <= processor)
        .max(Comparator.comparingInt(CudaEngine::number))
        .orElseThrow(() ->
            new DiagnosticException(Diagnostic.error(Code.NO_DEVICE, device + " is older than every target of tkc")));
  }

  private static int number(Target target) {
    return Integer.parseInt(target.name().replaceAll("\\D", ""));
  }

  @Override
  public Optional<Target> target() {
    return Optional.of(target);
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
  public Tensor empty(Element element, long... shape) {
    CudaBuffer buffer = device.allocate(Tensor.bytes(element, shape));
    DeviceMemory memory = new DeviceMemory(buffer, stream, held::remove);
    held.add(memory);
    return new Tensor(element, shape, memory);
  }

  @Override
  public Tensor upload(Tensor tensor) {
    Tensor host = tensor.toHost();
    Tensor there = empty(tensor.element(), tensor.shape());
    there.device().orElseThrow().copyFrom(host.data().isNative() ? host.data() : host.copy().data());
    return there;
  }

  @Override
  public Stream newStream() {
    return new Stream(Optional.of(device.newStream()));
  }

  @Override
  public PreparedLaunch prepareLaunch(Kernel kernel, Constants constants, List<Argument> arguments) {
    for (Argument a : arguments) {
      if (a instanceof Argument.Array(Tensor tensor) && tensor.device().filter(m -> m.isOn(stream)).isEmpty()) {
        throw new IllegalArgumentException(tensor + " does not lie on " + device
            + ": a prepared launch copies nothing");
      }
    }
    CudaLaunch launch = prepare(kernel, constants, arguments);
    return new PreparedLaunch() {
      @Override
      public void enqueue(Stream on) {
        launch.enqueue(on.queue().orElseThrow(() -> new IllegalArgumentException("the stream is not of " + device)));
      }

      @Override
      public void close() {
        launch.close();
      }
    };
  }

  @Override
  public synchronized void close() {
    Set.copyOf(held).forEach(DeviceMemory::close);
    loaded.values().forEach(CudaModule::close);
    loaded.clear();
    stream.close();
  }
}
