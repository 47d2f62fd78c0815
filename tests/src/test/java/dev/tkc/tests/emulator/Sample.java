package dev.tkc.tests.emulator;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.TensorView;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TileType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Arguments of one launch: sizes as given, tensors of exactly the bytes that their shapes take, filled at random.
 * Scalars that are no sizes have values that suit their names.
 *
 * @param arguments one for each parameter of the kernel
 * @param tensors by parameter name, what is seen through each pointer
 */
record Sample(List<Datum> arguments, Map<String, TensorView> tensors) {
  /** Stands for memory while shapes are computed; never read. */
  @SuppressWarnings("restricted")
  private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(1L << 60);

  /** Random arguments, the same for the same seed. */
  static Sample of(Module module, Map<String, Long> sizes, long seed) {
    Map<String, TensorView> views = shapes(module, sizes);
    long least = sizes.values().stream().mapToLong(Long::longValue).filter(n -> n > 0).min().orElse(1);
    Random random = new Random(seed);
    List<Datum> arguments = new ArrayList<>();
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    for (Param p : module.kernel().params()) {
      TensorView view = views.get(p.value().name());
      if (view == null) {
        arguments.add(scalar(p, sizes));
        continue;
      }
      Element element = view.element();
      Buffer buffer = Buffer.of(element, Arena.ofAuto().allocate(Math.max(1, element.bytes(extent(view))), 256)
          .asSlice(0, element.bytes(extent(view))));
      fill(buffer, random, least);
      arguments.add(buffer);
      tensors.put(p.value().name(), new TensorView(buffer, view.sizes(), view.strides(), view.access(), view.name()));
    }
    return new Sample(arguments, tensors);
  }

  /** The same arguments in memory of their own. */
  Sample copy() {
    List<Datum> copied = new ArrayList<>();
    Map<String, TensorView> views = new LinkedHashMap<>();
    for (Datum d : arguments) {
      copied.add(d instanceof Buffer b ? copy(b) : d);
    }
    tensors.forEach((name, v) -> views.put(name, new TensorView(
        (Buffer) copied.get(arguments.indexOf(v.buffer())), v.sizes(), v.strides(), v.access(), v.name())));
    return new Sample(copied, views);
  }

  private static Buffer copy(Buffer b) {
    MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, b.memory().byteSize()), 256)
        .asSlice(0, b.memory().byteSize());
    memory.copyFrom(b.memory());
    return Buffer.of(b.element(), memory);
  }

  /** The kernel's own description of its tensors, found by running what comes before its phases. */
  private static Map<String, TensorView> shapes(Module module, Map<String, Long> sizes) {
    Map<String, TensorView> found = new LinkedHashMap<>();
    try (Interpreter.Session session = new Interpreter(Interpreter.Options.defaults()).session()) {
      for (Param p : module.kernel().params()) {
        session.frame().put(p.value(), p.value().type() instanceof PointerType t
            ? Buffer.of(t.element(), EVERYTHING) : scalar(p, sizes));
      }
      for (Inst inst : module.kernel().body().insts()) {
        if (inst.op() instanceof ControlOp || inst.op() instanceof MemoryOp.Temp) {
          break;
        }
        try {
          session.evaluate(inst);
        } catch (RuntimeException e) {
          throw new IllegalStateException("cannot evaluate " + inst.op(), e);
        }
        if (inst.op() instanceof MemoryOp.MakeTensor t) {
          found.put(t.pointer().name(), (TensorView) session.frame().get(inst.result()));
        }
      }
    }
    return found;
  }

  private static long extent(TensorView v) {
    long last = 0;
    for (int d = 0; d < v.rank(); d++) {
      if (v.sizes()[d] == 0) {
        return 0;
      }
      last += (v.sizes()[d] - 1) * v.strides()[d];
    }
    return last + 1;
  }

  private static Tile scalar(Param p, Map<String, Long> sizes) {
    Element element = ((TileType) p.value().type()).element();
    String name = p.value().name();
    if (sizes.containsKey(name)) {
      return Tile.integer(element, sizes.get(name));
    }
    return element.isFloat() ? Tile.scalar(Literal.of(element, name.equals("eps") ? 1e-5 : 0.3))
        : Tile.integer(element, 12345);
  }

  private static void fill(Buffer b, Random random, long least) {
    MemorySegment m = b.memory();
    for (long i = 0; i < b.capacity(); i++) {
      float x = (float) (random.nextGaussian() * 0.8);
      switch (b.element()) {
        case BF16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) PtxType.BF16.bits(x));
        case F16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) PtxType.F16.bits(x));
        case F32 -> m.setAtIndex(ValueLayout.JAVA_FLOAT, i, x);
        case F64 -> m.setAtIndex(ValueLayout.JAVA_DOUBLE, i, x);
        case E4M3 -> m.set(ValueLayout.JAVA_BYTE, i, (byte) PtxType.E4M3.bits(x));
        case E5M2 -> m.set(ValueLayout.JAVA_BYTE, i, (byte) PtxType.E5M2.bits(x));
        case BOOL -> m.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(2));
        case I8, U8 -> m.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextLong(Math.min(least, 100)));
        case I16, U16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) random.nextLong(Math.min(least, 1000)));
        case I32, U32 -> m.setAtIndex(ValueLayout.JAVA_INT, i, (int) random.nextLong(least));
        case I64, U64 -> m.setAtIndex(ValueLayout.JAVA_LONG, i, random.nextLong(least));
        case I4, U4, E2M1, E8M0 -> throw new IllegalStateException("no samples of " + b.element());
      }
    }
  }

  /** The names of tensors that the kernel writes. */
  List<String> outputs() {
    return tensors.entrySet().stream().filter(e -> e.getValue().access() != Access.IN).map(Map.Entry::getKey).toList();
  }

  /** A tensor's elements as numbers, in the order of its memory. */
  double[] numbers(String name) {
    Buffer b = tensors.get(name).buffer();
    Tile tile = Tile.read(b.element(), List.of((int) b.capacity()), b.memory());
    double[] out = new double[tile.count()];
    for (int i = 0; i < out.length; i++) {
      out[i] = b.element() == Element.BOOL ? tile.asBool(i) ? 1 : 0 : b.element().isFloat() ? tile.asDouble(i)
          : tile.asLong(i);
    }
    return out;
  }
}
