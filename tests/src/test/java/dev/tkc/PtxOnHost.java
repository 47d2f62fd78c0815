package dev.tkc;

import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import dev.tkc.tests.emulator.EmulatedDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sessions whose kernels run as the PTX that is made for a target, on the host. In this package because engines are.
 */
public final class PtxOnHost implements Engine {
  private final Target target;

  private PtxOnHost(Target target) {
    this.target = target;
  }

  public static Tkc session(Target target) {
    return new Tkc(Device.interpreter(), Tkc.Options.defaults(), new PtxOnHost(target));
  }

  @Override
  public Timing launch(Kernel kernel, Constants constants, List<Argument> given) {
    long start = System.nanoTime();
    Kernel.Bound bound = kernel.bind(constants, given, target);
    CompiledKernel compiled = kernel.compile(target, bound.specialisation(), CompileOptions.defaults(), _ -> { });
    Binding binding = bound.binding();
    Map<Tensor, Buffer> buffers = new IdentityHashMap<>();
    try (Arena arena = Arena.ofShared()) {
      for (Argument a : binding.arguments()) {
        if (a instanceof Argument.Array(Tensor tensor)) {
          MemorySegment memory = arena.allocate(Math.max(1, tensor.bytes()), 256).asSlice(0, tensor.bytes());
          memory.copyFrom(tensor.data());
          buffers.put(tensor, Buffer.of(tensor.element(), memory));
        }
      }
      List<Datum> data = LaunchData.of(compiled.placed().kernel(), kernel, binding, buffers::get);
      new Interpreter(Interpreter.Options.defaults())
          .run(compiled.placed(), data, new EmulatedDevice(compiled.assembly(), compiled.shapes()));
      buffers.forEach((tensor, buffer) -> {
        tensor.data().copyFrom(buffer.memory());
        tensor.buffer().trustAll();
      });
    }
    long nanos = System.nanoTime() - start;
    return new Timing(nanos, nanos);
  }

  @Override
  public void close() {}
}
