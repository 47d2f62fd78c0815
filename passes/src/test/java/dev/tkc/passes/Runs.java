package dev.tkc.passes;

import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TileType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * Runs a module in the interpreter on arguments that a program's comments give, in lines
 * {@code // run: N=97 x=f32[97] off=i32[0, 3, 7]}: one number in brackets is a size, several are the elements.
 */
public final class Runs {
  private Runs() {}

  /** The runs that a program asks for. */
  public static List<String> of(String text) {
    return text.lines().filter(l -> l.startsWith("// run:")).map(l -> l.substring(7).strip()).toList();
  }

  /** What the buffers hold after the run. */
  public static List<byte[]> memory(Module module, String spec) {
    Map<String, String> given = new HashMap<>();
    for (String part : spec.replace(", ", ",").split(" +")) {
      given.put(part.substring(0, part.indexOf('=')), part.substring(part.indexOf('=') + 1));
    }
    List<byte[]> memory = new ArrayList<>();
    List<Datum> arguments = new ArrayList<>();
    for (Param p : module.kernel().params()) {
      String value = Objects.requireNonNull(given.get(p.value().name()), p.value().name());
      if (p.value().type() instanceof PointerType t) {
        byte[] bytes = contents(t.element(), value.substring(value.indexOf('[') + 1, value.length() - 1).split(","));
        memory.add(bytes);
        arguments.add(Buffer.of(t.element(), MemorySegment.ofArray(bytes)));
      } else {
        arguments.add(Tile.scalar(literal(((TileType) p.value().type()).element(), value)));
      }
    }
    new Interpreter(Interpreter.Options.defaults().withThreads(1)).run(module, arguments);
    return memory;
  }

  private static Literal literal(Element e, String value) {
    return e.isBool() ? Literal.of(Boolean.parseBoolean(value))
        : e.isFloat() ? Literal.of(e, (double) Float.parseFloat(value)) : Literal.of(e, Long.parseLong(value));
  }

  private static byte[] contents(Element e, String[] numbers) {
    int count = numbers.length > 1 ? numbers.length : Integer.parseInt(numbers[0]);
    byte[] bytes = new byte[(int) e.bytes(count)];
    MemorySegment memory = MemorySegment.ofArray(bytes);
    Random random = new Random(count);
    for (int i = 0; i < count; i++) {
      float f = random.nextFloat() * 2 - 1;
      switch (e) {
        case F32 -> memory.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, f);
        case BF16 -> memory.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, (short) (Float.floatToIntBits(f) >>> 16));
        case I32 -> memory.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, Integer.parseInt(numbers[i]));
        default -> throw new IllegalArgumentException("no contents of " + e);
      }
    }
    return bytes;
  }
}
