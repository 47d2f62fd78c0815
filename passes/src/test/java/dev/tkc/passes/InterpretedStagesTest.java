package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.num.Philox;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.TargetInfo;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * A program computes the same bits before the pipeline and after every pass of it, and the checker has nothing to say.
 */
class InterpretedStagesTest {
  /** Runs the module on fresh copies of the arrays; the last one is the result. */
  private record Program(String text, List<byte[]> arrays, Function<List<Buffer>, List<Datum>> arguments,
      List<Element> elements) {
    byte[] run(Module module) {
      List<byte[]> copies = arrays.stream().map(byte[]::clone).toList();
      List<Buffer> buffers = new ArrayList<>();
      for (int i = 0; i < copies.size(); i++) {
        buffers.add(Buffer.of(elements.get(i), MemorySegment.ofArray(copies.get(i))));
      }
      new Interpreter(Interpreter.Options.defaults().withCheck(true)).run(module, arguments.apply(buffers));
      return copies.getLast();
    }

    void sameAfterEveryPass(Optional<TargetInfo> target) {
      List<String> stages = new ArrayList<>();
      byte[][] expected = new byte[1][];
      PassContext.Observer observer = new PassContext.Observer() {
        @Override
        public void before(Module module) {
          expected[0] = run(module);
        }

        @Override
        public void after(Step step, Module module) {
          stages.add(step.name());
          assertThat(Arrays.equals(run(module), expected[0])).as("same result after " + step.name()).isTrue();
        }
      };
      PassDriver.run(IrParser.parse(text), new PassContext(target, PassOptions.checked(), _ -> { }, observer));
      assertThat(stages).isNotEmpty();
    }
  }

  private static byte[] random(Element e, int seed, int n) {
    byte[] memory = new byte[(int) e.bytes(n)];
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      float x = (float) Philox.normal(seed, i);
      values[i] = e == Element.F32 ? x : FloatFormat.of(e).round(x, false);
    }
    byte[] floats = new byte[4 * n];
    MemorySegment.ofArray(floats).copyFrom(MemorySegment.ofArray(values));
    if (e == Element.F32) {
      return floats;
    }
    for (int i = 0; i < n; i++) {
      int bits = FloatFormat.of(e).encode(values[i], false);
      memory[2 * i] = (byte) bits;
      memory[2 * i + 1] = (byte) (bits >> 8);
    }
    return memory;
  }

  private static final List<Program> PROGRAMS = List.of(
      new Program(Programs.AXPY, List.of(random(Element.BF16, 1, 1040), random(Element.F32, 2, 1040)),
          b -> List.of(b.get(0), b.get(1), Tile.integer(1040), Tile.scalar(Literal.of(Element.F32, 0.5))),
          List.of(Element.BF16, Element.F32)),
      new Program(Programs.GEMM,
          List.of(random(Element.BF16, 3, 144 * 48), random(Element.BF16, 4, 48 * 160),
              random(Element.BF16, 5, 144 * 160)),
          b -> List.of(b.get(0), b.get(1), b.get(2), Tile.integer(144), Tile.integer(48), Tile.integer(160)),
          List.of(Element.BF16, Element.BF16, Element.BF16)),
      new Program(Programs.SOFTMAX, List.of(random(Element.F32, 6, 3 * 4096), random(Element.F32, 7, 3 * 4096)),
          b -> List.of(b.get(0), b.get(1), Tile.integer(3)), List.of(Element.F32, Element.F32)));

  @Test
  void withoutATarget() {
    PROGRAMS.forEach(p -> p.sameAfterEveryPass(Optional.empty()));
  }

  @Test
  void forATarget() {
    PROGRAMS.forEach(p -> p.sameAfterEveryPass(Optional.of(TestTarget.TARGET)));
    PROGRAMS.forEach(p -> p.sameAfterEveryPass(Optional.of(TestTargets.WIDE)));
  }
}
