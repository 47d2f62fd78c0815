package dev.tkc;

import dev.tkc.backend.llvm.lower.OpLowering.KernelShape;
import dev.tkc.backend.ptx.CudaBuffer;
import dev.tkc.backend.ptx.CudaDevice;
import dev.tkc.backend.ptx.CudaKernel;
import dev.tkc.backend.ptx.CudaModule;
import dev.tkc.backend.ptx.CudaStream;
import dev.tkc.backend.ptx.CudaTensorMap;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.ByteText;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.TensorMap;
import dev.tkc.ir.interp.TensorView;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.type.Element;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import dev.tkc.passes.target.Capability;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * One launch on a GPU: memory there for the tensors and temps, and the kernels to run with their grids and arguments.
 *
 * <p>The plan is the kernel function of the compiled module. It is interpreted once, when the launch is prepared; what
 * it launches is written down and can be queued any number of times.
 */
final class CudaLaunch implements AutoCloseable {
  /** What unwritten outputs are filled with: a NaN in every float type. */
  private static final byte UNWRITTEN = (byte) 0xff;

  private record Step(CudaKernel kernel, CudaKernel.Launch launch, List<CudaKernel.Argument> arguments) {}

  /** A tensor, its place on the device, and host memory that the driver can copy from. */
  private record Resident(Tensor tensor, Parameter parameter, CudaBuffer buffer, MemorySegment host) {}

  private final List<Resident> residents = new ArrayList<>();
  private final List<CudaBuffer> temps = new ArrayList<>();
  private final List<Step> steps = new ArrayList<>();
  private final Map<CudaTensorMap, CudaKernel.Argument> maps = new HashMap<>();

  private final CompiledKernel compiled;

  private final Constants sizes;

  private CudaLaunch(CompiledKernel compiled, Binding binding) {
    this.compiled = compiled;
    this.sizes = new Constants(new HashMap<>(binding.sizes()));
  }

  /** What it was launched with. */
  Constants sizes() {
    return sizes;
  }

  CompiledKernel compiled() {
    return compiled;
  }

  static CudaLaunch plan(CudaDevice device, CudaModule module, CompiledKernel compiled, Binding binding) {
    CudaLaunch launch = new CudaLaunch(compiled, binding);
    try {
      Map<Tensor, Buffer> buffers = launch.allocate(device, compiled.kernel().parameters(), binding);
      List<Datum> data =
          LaunchData.of(compiled.placed().kernel(), compiled.kernel(), binding, buffers::get);
      new Interpreter(Interpreter.Options.defaults())
          .run(compiled.placed(), data, launch.recorder(device, module, compiled));
      return launch;
    } catch (RuntimeException e) {
      launch.close();
      throw e;
    }
  }

  private Map<Tensor, Buffer> allocate(CudaDevice device, List<Parameter> parameters, Binding binding) {
    long bytes = 0;
    for (Argument a : binding.arguments()) {
      bytes += a instanceof Argument.Array(Tensor tensor) && tensor.device().isEmpty() ? tensor.bytes() : 0;
    }
    long free = device.freeMemory();
    if (bytes > free) {
      throw new DiagnosticException(Diagnostic.error(
          Code.DEVICE_MEMORY, "the arguments take " + ByteText.of(bytes) + ", " + device + " has " + ByteText.of(free)
          + " free"));
    }
    Map<Tensor, Buffer> buffers = new IdentityHashMap<>();
    for (int i = 0; i < binding.arguments().size(); i++) {
      if (!(binding.arguments().get(i) instanceof Argument.Array(Tensor tensor)) || buffers.containsKey(tensor)) {
        continue;
      }
      if (tensor.device().isPresent()) {
        buffers.put(tensor, Buffer.of(tensor.element(), segment(tensor.address(), tensor.bytes())));
      } else {
        CudaBuffer buffer = device.allocate(tensor.bytes());
        MemorySegment host = tensor.data().isNative() ? tensor.data() : tensor.copy().data();
        residents.add(new Resident(tensor, parameters.get(i), buffer, host));
        buffers.put(tensor, Buffer.of(tensor.element(), segment(buffer.address(), tensor.bytes())));
      }
    }
    return buffers;
  }

  /** An address of the device in the clothes of memory; nobody reads through it here. */
  @SuppressWarnings("restricted")
  private static MemorySegment segment(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  private Interpreter.Device recorder(CudaDevice device, CudaModule module, CompiledKernel compiled) {
    return new Interpreter.Device() {
      @Override
      public Buffer temp(Inst inst, Element element, long count) {
        CudaBuffer buffer = scratch(inst, device, element.bytes(count));
        temps.add(buffer);
        return Buffer.of(element, segment(buffer.address(), element.bytes(count)));
      }

      @Override
      public Buffer counter(Inst inst, long count) {
        CudaBuffer buffer = device.allocate(Element.I32.bytes(Math.max(1, count)));
        temps.add(buffer);
        try (CudaStream stream = device.newStream()) {
          buffer.fill((byte) 0, stream);
          stream.synchronize();
        }
        return Buffer.of(Element.I32, segment(buffer.address(), Element.I32.bytes(count)));
      }

      @Override
      public void launch(Inst inst, Func callee, long grid, List<Datum> arguments) {
        if (grid > Integer.MAX_VALUE) {
          throw new DiagnosticException(Diagnostic.error(
              Code.LAUNCH_BOUND, "the phase needs " + grid + " blocks, more than a launch can have")
                  .label(inst.loc().span().orElse(null), ""));
        }
        KernelShape shape = compiled.shapes().stream()
            .filter(s -> s.name().equals(callee.name())).findFirst().orElseThrow();
        if (grid > 0) {
          steps.add(new Step(
              module.kernel(callee.name()),
              new CudaKernel.Launch((int) grid, 1, 1, shape.threads(), Math.toIntExact(shape.sharedBytes()))
                  .early(compiled.target().info().has(Capability.DEPENDENT_LAUNCH)),
              arguments.stream().map(CudaLaunch.this::argument).toList()));
        }
      }
    };
  }

  /** Memory for a {@code temp}; where there is too little, its place in the kernel is said. */
  private static CudaBuffer scratch(Inst inst, CudaDevice device, long bytes) {
    try {
      return device.allocate(bytes);
    } catch (DiagnosticException e) {
      throw new DiagnosticException(
          e.diagnostics().stream().map(d -> d.label(inst.loc().span().orElse(null), "for this")).toList());
    }
  }

  private CudaKernel.Argument argument(Datum datum) {
    if (datum instanceof Buffer buffer) {
      return new CudaKernel.Argument.I64(buffer.memory().address());
    }
    return datum instanceof TensorMap map
        ? maps.computeIfAbsent(described(map), CudaKernel.Argument::map)
        : scalar((Tile) datum);
  }

  private static CudaTensorMap described(TensorMap map) {
    TensorView t = map.tensor();
    return new CudaTensorMap(t.buffer().memory().address(), t.element().bits() / 8,
        Arrays.stream(t.sizes()).boxed().toList(), Arrays.stream(t.strides()).boxed().toList(), map.box(),
        map.swizzle());
  }

  private static CudaKernel.Argument scalar(Tile tile) {
    return switch (tile.element()) {
      case F64 -> new CudaKernel.Argument.F64(tile.asDouble(0));
      case F32 -> new CudaKernel.Argument.F32((float) tile.asDouble(0));
      case I64, U64 -> new CudaKernel.Argument.I64(tile.asLong());
      case BOOL -> new CudaKernel.Argument.I32(tile.asBool() ? 1 : 0);
      case I8, I16, I32, U8, U16, U32 -> new CudaKernel.Argument.I32((int) tile.asLong());
      case F16, BF16, E4M3, E5M2, E2M1, E8M0 ->
          new CudaKernel.Argument.I32(FloatFormat.of(tile.element()).encode(tile.asDouble(0), true));
      case I4, U4 -> throw new IllegalStateException("a scalar of 4 bits");
    };
  }

  void upload(CudaStream stream) {
    for (Resident r : residents) {
      if (r.parameter().isRead()) {
        r.buffer().upload(r.host(), stream);
      } else {
        r.buffer().fill(UNWRITTEN, stream);
      }
    }
  }

  /** Queues every kernel of the launch. */
  void enqueue(CudaStream stream) {
    for (Step step : steps) {
      step.kernel().launch(step.launch(), step.arguments(), stream);
    }
  }

  void download(CudaStream stream) {
    for (Resident r : residents) {
      if (r.parameter().isWritten()) {
        r.buffer().download(r.host(), stream);
      }
    }
  }

  /** Brings results that went through other memory to their tensors; after the stream was synchronised. */
  void finish() {
    for (Resident r : residents) {
      if (r.parameter().isWritten()) {
        if (r.host() != r.tensor().data()) {
          r.tensor().data().copyFrom(r.host());
        }
        r.tensor().buffer().trustAll();
      }
    }
  }

  @Override
  public void close() {
    residents.forEach(r -> r.buffer().close());
    temps.forEach(CudaBuffer::close);
  }
}
