package dev.tkc.tests.ptx;

import dev.tkc.backend.llvm.lower.OpLowering.KernelShape;
import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.TargetInfo;
import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;

/** Runs the phases of placed modules as the PTX that the backend makes of them, on {@link PtxMachine}. */
public final class PtxDevice implements Interpreter.Device {
  private final Arena arena = Arena.ofAuto();
  private final PtxMachine machine;
  private final List<KernelShape> kernels;

  /** Runs what the text and the launch facts of its kernels say. */
  public PtxDevice(String ptx, List<KernelShape> kernels) {
    this.kernels = List.copyOf(kernels);
    this.machine = new PtxMachine(ptx);
  }

  /** Compiles the module and runs its kernel; buffers of the arguments must be native memory. */
  public static PtxBackend.Compiled run(Module placed, TargetInfo target, List<Datum> arguments) {
    PtxBackend.Compiled compiled = PtxBackend.compile(placed, target, PtxBackend.Options.DEFAULT);
    new Interpreter(Interpreter.Options.defaults()).run(placed, arguments, new PtxDevice(compiled.ptx(), compiled.kernels()));
    return compiled;
  }

  @Override
  public Buffer temp(Inst inst, Element element, long count) {
    return Buffer.of(element, arena.allocate(Math.max(1, element.bytes(count)), 128));
  }

  @Override
  public void launch(Inst inst, Func callee, long grid, List<Datum> arguments) {
    KernelShape shape = kernels.stream().filter(k -> k.name().equals(callee.name())).findFirst().orElseThrow();
    List<Long> values = new ArrayList<>();
    arguments.forEach(a -> values.add(value(a)));
    machine.launch(shape.name(), (int) grid, shape.threads(), shape.sharedBytes(), values);
    // Only addresses were handed over; the memory behind them must outlive the run.
    Reference.reachabilityFence(arguments);
    Reference.reachabilityFence(arena);
  }

  private static long value(Datum datum) {
    if (datum instanceof Buffer b) {
      return b.memory().address();
    }
    Tile t = (Tile) datum;
    return switch (t.element()) {
      case F64 -> Double.doubleToRawLongBits(t.asDouble(0));
      case F32 -> Float.floatToRawIntBits((float) t.asDouble(0)) & 0xFFFFFFFFL;
      case BOOL -> t.asBool() ? 1 : 0;
      case I8, I16, I32, I64, U8, U16, U32, U64, I4, U4 -> t.asLong();
      case F16, BF16, E4M3, E5M2, E2M1, E8M0 -> FloatFormat.of(t.element()).encode(t.asDouble(0), true);
    };
  }
}
