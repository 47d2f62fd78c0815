package dev.tkc.tests.emulator;

import dev.tkc.backend.llvm.lower.OpLowering.KernelShape;
import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.TensorMap;
import dev.tkc.ir.interp.TensorView;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.TargetInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The device of a kernel's host plan on which launches are emulated. Buffers are brought in at their first use and
 * brought back after every launch; in between the host must not write them.
 */
public final class EmulatedDevice implements Interpreter.Device {
  private record Mapped(long address, byte[] bytes) {}

  private final List<KernelShape> kernels;
  private final PtxMachine machine;
  private final Map<Buffer, Mapped> mapped = new IdentityHashMap<>();

  EmulatedDevice(String ptx, List<KernelShape> kernels, boolean profiling) {
    this.kernels = List.copyOf(kernels);
    this.machine = new PtxMachine(ptx, profiling);
  }

  /** Runs what the text and the launch facts of its kernels say. */
  public EmulatedDevice(String ptx, List<KernelShape> kernels) {
    this(ptx, kernels, false);
  }

  /** Compiles a placed module and runs its kernel. */
  public static PtxBackend.Compiled run(Module placed, TargetInfo target, List<Datum> arguments) {
    PtxBackend.Compiled compiled = PtxBackend.compile(placed, target, PtxBackend.Options.DEFAULT);
    new Interpreter(Interpreter.Options.defaults())
        .run(placed, arguments, new EmulatedDevice(compiled.ptx(), compiled.kernels()));
    return compiled;
  }

  PtxMachine machine() {
    return machine;
  }

  /** Scratch is all ones, a NaN in every float format. */
  @Override
  public Buffer temp(Inst inst, Element element, long count) {
    MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, element.bytes(count)), 256)
        .asSlice(0, element.bytes(count));
    memory.fill((byte) 0xFF);
    return Buffer.of(element, memory);
  }

  @Override
  public Buffer counter(Inst inst, long count) {
    return Buffer.of(Element.I32, Arena.ofAuto().allocate(Element.I32.bytes(count)));
  }

  @Override
  public void launch(Inst inst, Func callee, long grid, List<Datum> arguments) {
    KernelShape shape = kernels.stream().filter(k -> k.name().equals(callee.name())).findFirst().orElseThrow();
    List<Long> bits = new ArrayList<>();
    for (Datum d : arguments) {
      bits.add(switch (d) {
        case Buffer b -> mapped.computeIfAbsent(b, this::map).address();
        case Tile t -> bits(t);
        case TensorMap map -> machine.map(box(map));
        default -> throw new IllegalStateException("an argument that is " + d);
      });
    }
    machine.launch(callee.name(), grid, shape.threads(), Math.toIntExact(shape.sharedBytes()), bits);
    mapped.forEach((b, m) -> MemorySegment.copy(MemorySegment.ofArray(m.bytes()), 0, b.memory(), 0, m.bytes().length));
  }

  private TensorBox box(TensorMap map) {
    TensorView t = map.tensor();
    return new TensorBox(mapped.computeIfAbsent(t.buffer(), this::map).address(), t.element().bits() / 8,
        Arrays.stream(t.sizes()).boxed().toList(), Arrays.stream(t.strides()).boxed().toList(), map.box(),
        map.swizzle());
  }

  private Mapped map(Buffer b) {
    byte[] bytes = b.memory().toArray(ValueLayout.JAVA_BYTE);
    return new Mapped(machine.memory().map(bytes), bytes);
  }

  private static long bits(Tile t) {
    byte[] bytes = new byte[8];
    t.write(MemorySegment.ofArray(bytes));
    return SharedMemory.get(bytes, 0, 8);
  }

  /** Marks bytes of an output as never written: all ones. */
  static void poison(Buffer b) {
    byte[] ones = new byte[(int) b.memory().byteSize()];
    Arrays.fill(ones, (byte) 0xFF);
    b.memory().copyFrom(MemorySegment.ofArray(ones));
  }
}
