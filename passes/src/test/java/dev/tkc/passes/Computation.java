package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.num.Philox;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.target.TargetInfo;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * A program and what it is run on. Whatever passes have run, it computes the same bits, and the interpreter's checks
 * have nothing to say.
 *
 * @param arrays for the kernel's pointers, in their order; a run gets copies
 * @param numbers for its other parameters, in theirs
 */
public record Computation(String text, List<byte[]> arrays, List<? extends Number> numbers) {
  /** What the arrays hold after a run of the module. */
  public List<byte[]> run(Module module) {
    List<byte[]> copies = arrays.stream().map(byte[]::clone).toList();
    Iterator<byte[]> array = copies.iterator();
    Iterator<? extends Number> number = numbers.iterator();
    List<Datum> arguments = new ArrayList<>();
    for (Param p : module.kernel().params()) {
      arguments.add(switch (p.value().type()) {
        case PointerType t -> Buffer.of(t.element(), MemorySegment.ofArray(array.next()));
        case TileType t when t.element().isFloat() ->
            Tile.scalar(Literal.of(t.element(), number.next().doubleValue()));
        default -> Tile.integer(number.next().longValue());
      });
    }
    new Interpreter(Interpreter.Options.defaults().withCheck(true)).run(module, arguments);
    return copies;
  }

  /** Runs it before all passes and after each; the names of those that ran. */
  public List<String> sameAfterEveryPass(Optional<TargetInfo> target) {
    return sameAfterEveryPass(target, PassOptions.checked());
  }

  /** The same, some passes being left out. */
  public List<String> sameAfterEveryPass(Optional<TargetInfo> target, PassOptions options) {
    List<String> steps = new ArrayList<>();
    List<byte[]> expected = new ArrayList<>();
    PassContext.Observer observer = new PassContext.Observer() {
      @Override
      public void before(Module module) {
        expected.addAll(run(module));
      }

      @Override
      public void after(Step step, Module module) {
        steps.add(step.name());
        assertThat(run(module)).as("after " + step.name()).usingRecursiveComparison().isEqualTo(expected);
      }
    };
    PassDriver.run(IrParser.parse(text), new PassContext(target, options, _ -> { }, observer));
    return steps;
  }

  /** Normally distributed numbers in memory. */
  public static byte[] normal(Element element, int seed, int count) {
    byte[] bytes = new byte[(int) element.bytes(count)];
    MemorySegment memory = MemorySegment.ofArray(bytes);
    for (int i = 0; i < count; i++) {
      float x = (float) Philox.normal(seed, i);
      switch (element) {
        case F32 -> memory.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, x);
        case BF16 -> memory.setAtIndex(
            ValueLayout.JAVA_SHORT_UNALIGNED, i, (short) FloatFormat.of(element).encode(x, false));
        default -> throw new IllegalArgumentException("no numbers of " + element);
      }
    }
    return bytes;
  }

  /** Numbers of bf16 from −2 to 2, of which sums are exact in any order. */
  public static byte[] whole(int seed, int count) {
    byte[] bytes = new byte[2 * count];
    MemorySegment memory = MemorySegment.ofArray(bytes);
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      int bits = FloatFormat.BF16.encode(random.nextInt(5) - 2, false);
      memory.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, (short) bits);
    }
    return bytes;
  }
}
