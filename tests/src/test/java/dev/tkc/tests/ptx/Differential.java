package dev.tkc.tests.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.grammar.lower.Library;
import dev.tkc.grammar.lower.Lowering;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.tests.emulator.EmulatedDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Runs a kernel twice, in the interpreter and as PTX on the host, on the same random data, and compares every tensor.
 */
final class Differential {
  private final Module module;
  private final TargetInfo target;
  private final Map<String, Object> scalars = new LinkedHashMap<>();
  private final Map<String, Long> counts = new LinkedHashMap<>();
  private double tolerance = 0;
  private long spread = 64;

  private Differential(Module module, TargetInfo target) {
    this.module = module;
    this.target = target;
  }

  /** The first kernel of a source text; {@code constants} are name, value, name, value, … */
  static Differential of(String source, Object... constants) {
    return of(source, null, constants);
  }

  static Differential kernel(String source, String name, Object... constants) {
    return of(source, name, constants);
  }

  private static Differential of(String source, String name, Object[] constants) {
    Library library = Library.of(SyntaxReader.read(new Source("test.tk", source)).program());
    Map<String, Object> values = new LinkedHashMap<>();
    for (int i = 0; i < constants.length; i += 2) {
      Object v = constants[i + 1];
      values.put((String) constants[i], v instanceof Integer n ? (Object) (long) n : v);
    }
    String kernel = name == null ? library.kernels().get(0).name().text() : name;
    for (Constant c : library.kernel(kernel).orElseThrow().constants()) {
      c.value().ifPresent(v -> values.putIfAbsent(c.name().text(), literal(v)));
    }
    return new Differential(Lowering.lower(library, kernel, Specialisation.of(values)), PtxTargets.SM_90A);
  }

  private static Object literal(Expr e) {
    return switch (e) {
      case Expr.IntLit i -> (Object) i.value().longValueExact();
      case Expr.BoolLit b -> b.value();
      case Expr.FloatLit f -> f.value();
      default -> throw new IllegalArgumentException("a default that is no literal");
    };
  }

  Differential on(TargetInfo other) {
    Differential d = new Differential(module, other);
    d.scalars.putAll(scalars);
    d.counts.putAll(counts);
    d.tolerance = tolerance;
    d.spread = spread;
    return d;
  }

  /** The value of a dimension or scalar parameter. */
  Differential with(String name, Object value) {
    scalars.put(name, value instanceof Integer n ? (Object) (long) n : value);
    return this;
  }

  /** How many elements a tensor has. */
  Differential tensor(String name, long count) {
    counts.put(name, count);
    return this;
  }

  /** The error allowed, relative to the larger of the value and 1. */
  Differential within(double relative) {
    tolerance = relative;
    return this;
  }

  /** Integers are drawn from 0 to this, exclusive. */
  Differential integersBelow(long limit) {
    spread = limit;
    return this;
  }

  private static Module placed(Module module, TargetInfo target) {
    Module placed = Cloner.clone(module);
    PassDriver.run(placed, PassContext.of(target, PassOptions.checked()));
    return placed;
  }

  /** Compares, and assembles for this and the oldest target; returns the PTX for further looks. */
  String agree() {
    PtxBackend.assemble(
        PtxBackend.compile(placed(module, PtxTargets.SM_80), PtxTargets.SM_80, PtxBackend.Options.DEFAULT));
    Module placed = placed(module, target);
    try (Arena arena = Arena.ofShared()) {
      Map<String, Buffer> expected = new LinkedHashMap<>();
      Map<String, Buffer> actual = new LinkedHashMap<>();
      List<Datum> first = arguments(arena, expected);
      List<Datum> second = arguments(arena, actual);
      new Interpreter(Interpreter.Options.defaults()).run(module, first);
      PtxBackend.Compiled compiled = EmulatedDevice.run(placed, target, second);
      expected.forEach((name, buffer) -> compare(name, buffer, actual.get(name), placed));
      PtxBackend.assemble(compiled);
      return compiled.ptx();
    }
  }

  private List<Datum> arguments(Arena arena, Map<String, Buffer> buffers) {
    List<Datum> data = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(7);
    for (Param p : module.kernel().params()) {
      String name = p.value().name();
      if (p.value().type() instanceof PointerType t) {
        Long count = counts.get(name);
        assertThat(count).as("size of " + name).isNotNull();
        MemorySegment memory = arena.allocate(Math.max(1, t.element().bytes(count)), 128);
        fill(t.element(), memory, count, random);
        Buffer buffer = Buffer.of(t.element(), memory);
        buffers.put(name, buffer);
        data.add(buffer);
      } else {
        Object value = scalars.get(name);
        assertThat(value).as("value of " + name).isNotNull();
        Element e = p.value().tile().element();
        data.add(Tile.scalar(switch (value) {
          case Boolean b -> Literal.of(b);
          case Long n -> Literal.of(e, n);
          case Double d -> Literal.of(e, d);
          default -> throw new IllegalArgumentException("scalar " + value);
        }));
      }
    }
    return data;
  }

  private void fill(Element e, MemorySegment memory, long count, SplittableRandom random) {
    if (count == 0) {
      return;
    }
    double[] values = new double[(int) count];
    for (int i = 0; i < values.length; i++) {
      values[i] = e.isBool() ? random.nextInt(2) : e.isInteger() ? random.nextLong(spread) : random.nextGaussian();
    }
    RandomCells.write(e, memory, values);
  }

  private void compare(String name, Buffer expected, Buffer actual, Module placed) {
    Element e = expected.element();
    long count = expected.capacity();
    if (count == 0 || counts.get(name) == 0) {
      return;
    }
    Tile want = Tile.read(e, List.of((int) count), expected.memory());
    Tile have = Tile.read(e, List.of((int) count), actual.memory());
    for (int i = 0; i < count; i++) {
      boolean same = e.isFloat() ? close(want.asDouble(i), have.asDouble(i)) : want.text(i).equals(have.text(i));
      if (!same) {
        throw new AssertionError(name + "[" + i + "] is " + have.text(i) + " instead of " + want.text(i) + "\n"
            + IrPrinter.print(placed));
      }
    }
  }

  private boolean close(double want, double have) {
    return Double.isNaN(want) ? Double.isNaN(have)
        : want == have || Math.abs(want - have) <= tolerance * Math.max(1, Math.abs(want));
  }
}
