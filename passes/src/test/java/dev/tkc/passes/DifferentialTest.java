package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.target.TargetInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs every program of the corpus in the interpreter, as written and after each pass, those for a target included: the memory
 * must be the same, bit for bit. A program that says {@code approximate} may differ by rounding. Arguments are in lines
 * {@code // run: N=97 x=f32[97] off=i32[0, 3, 7]}: one number in brackets is a size, several are the elements.
 */
class DifferentialTest {
  @TestFactory
  Stream<DynamicTest> everyPassKeepsTheMeaning() throws IOException, URISyntaxException {
    Path corpus = Path.of(Objects.requireNonNull(DifferentialTest.class.getResource("corpus")).toURI());
    List<Path> files;
    try (Stream<Path> all = Files.list(corpus)) {
      files = all.filter(f -> f.toString().endsWith(".tir")).sorted().toList();
    }
    assertThat(files).hasSizeGreaterThan(7);
    return files.stream().flatMap(f -> Stream.of(
        DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(Files.readString(f), Optional.empty())),
        DynamicTest.dynamicTest(
            f.getFileName() + ", narrow", () -> check(Files.readString(f), Optional.of(TestTargets.NARROW))),
        DynamicTest.dynamicTest(
            f.getFileName() + ", wide", () -> check(Files.readString(f), Optional.of(TestTargets.WIDE)))));
  }

  private static void check(String text, Optional<TargetInfo> target) {
    // All sizes for the passes of every target; those for one target are run on two.
    List<String> runs = text.lines().filter(l -> l.startsWith("// run:")).map(l -> l.substring(7).strip())
        .limit(target.isPresent() ? 2 : Long.MAX_VALUE).toList();
    assertThat(runs).isNotEmpty();
    boolean approximate = text.contains("// approximate");
    Module original = IrParser.parse(text);
    assertThat(Verifier.verify(original)).isEmpty();
    List<List<byte[]>> expected = runs.stream().map(r -> run(original, r)).toList();
    Module module = IrParser.parse(text);
    PassOptions options = PassOptions.checked();
    PassDriver.run(module, new PassContext(target, options, s -> { }, new PassContext.Observer() {
      @Override
      public void before(Module m) {}

      @Override
      public void after(Step step, Module m) {
        if (target.isEmpty()) {
          assertThat(IrPrinter.print(IrParser.parse(IrPrinter.print(m)))).isEqualTo(IrPrinter.print(m));
        }
        for (int i = 0; i < runs.size(); i++) {
          compare(step.name() + " with " + runs.get(i), run(m, runs.get(i)), expected.get(i), approximate, m);
        }
      }
    }));
  }

  private static void compare(String what, List<byte[]> actual, List<byte[]> expected, boolean approximate, Module m) {
    for (int i = 0; i < actual.size(); i++) {
      byte[] a = actual.get(i);
      byte[] e = expected.get(i);
      if (!approximate) {
        assertThat(a).as(() -> what + "\n" + IrPrinter.print(m)).isEqualTo(e);
        continue;
      }
      for (int at = 0; at + 4 <= a.length; at += 4) {
        float x = MemorySegment.ofArray(a).get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
        float y = MemorySegment.ofArray(e).get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
        assertThat(Math.abs(x - y) <= 1e-5 * Math.max(1, Math.abs(y)) || Float.isNaN(x) && Float.isNaN(y)).as(what).isTrue();
      }
    }
  }

  /** What the buffers hold after the run. */
  private static List<byte[]> run(Module module, String spec) {
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
