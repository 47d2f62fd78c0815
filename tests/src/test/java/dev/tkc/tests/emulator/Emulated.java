package dev.tkc.tests.emulator;

import dev.tkc.Literals;
import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.grammar.lower.Library;
import dev.tkc.grammar.lower.Lowering;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.tests.Project;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One kernel at one size: interpreted, and compiled and emulated. The specialisation knows what a launch would know:
 * what divides the sizes, and that tensors are aligned.
 *
 * @param file in the folder of kernels, or in another one of the project
 * @param constants tile sizes and other constants of the head
 * @param sizes the dimensions that are known only at launch
 */
record Emulated(String file, String kernel, Map<String, Object> constants, Map<String, Long> sizes) {
  private static final int ALIGNMENT = 16;
  /** What a launch says of sizes. */
  private static final int MOST_DIVISOR = 128;

  /** Reads {@code file | kernel | NAME=VALUE … | NAME=VALUE …}. */
  static Emulated parse(String line) {
    String[] parts = line.split("\\|");
    Map<String, Object> constants = new LinkedHashMap<>();
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (String pair : parts[2].strip().split(" ")) {
      String value = pair.substring(pair.indexOf('=') + 1);
      constants.put(pair.substring(0, pair.indexOf('=')), Literals.parse(value).orElseThrow());
    }
    for (String pair : parts[3].strip().split(" ")) {
      sizes.put(pair.substring(0, pair.indexOf('=')), Long.valueOf(pair.substring(pair.indexOf('=') + 1)));
    }
    return new Emulated(parts[0].strip() + ".tk", parts[1].strip(), constants, sizes);
  }

  Module lower() {
    Path path = Project.ROOT.resolve(file.contains("/") ? "" : "kernels").resolve(file);
    try {
      Library library = Library.of(SyntaxReader.read(new Source(file, Files.readString(path))).program());
      Map<String, Integer> divisors = new HashMap<>();
      sizes.forEach((name, n) -> divisors.put(name, Specialisation.powerOfTwo(n, MOST_DIVISOR)));
      Module plain = Lowering.lower(library, kernel, Specialisation.of(constants));
      Sample.of(plain, sizes, 0).tensors().keySet().forEach(name -> divisors.put(name, ALIGNMENT));
      return Lowering.lower(library, kernel, new Specialisation(constants, divisors, Specialisation.Schedule.NONE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Compiles for the target. */
  PtxBackend.Compiled compile(Module module, TargetInfo target) {
    PassDriver.run(module, PassContext.of(target, PassOptions.checked()));
    return PtxBackend.compile(module, target, PtxBackend.Options.DEFAULT);
  }

  /** What differs between the two, or nothing. */
  String difference(TargetInfo target) {
    return difference(target, Map.of());
  }

  /** The same with settings of a schedule. */
  String difference(TargetInfo target, Map<String, Object> settings) {
    Module module = lower();
    module.kernel().annotations().putAll(settings);
    Sample expected = Sample.of(module, sizes, 42);
    expected.tensors().values().stream().filter(v -> v.access() == Access.OUT)
        .forEach(v -> EmulatedDevice.poison(v.buffer()));
    Sample actual = expected.copy();
    new Interpreter(Interpreter.Options.defaults()).run(module, expected.arguments());
    PtxBackend.Compiled compiled = compile(module, target);
    emulate(module, compiled, actual);
    StringBuilder wrong = new StringBuilder();
    expected.outputs().forEach(name -> wrong.append(compare(name, expected, actual)));
    return wrong.toString();
  }

  static void emulate(Module module, PtxBackend.Compiled compiled, Sample arguments) {
    EmulatedDevice device = new EmulatedDevice(compiled.ptx(), compiled.kernels());
    new Interpreter(Interpreter.Options.defaults()).run(module, arguments.arguments(), device);
  }

  @Override
  public String toString() {
    return kernel + " " + constants + " " + sizes;
  }

  static String compare(String name, Sample expected, Sample actual) {
    Element element = expected.tensors().get(name).element();
    double[] want = expected.numbers(name);
    double[] got = actual.numbers(name);
    double most = 0;
    for (double w : want) {
      most = Double.isFinite(w) ? Math.max(most, Math.abs(w)) : most;
    }
    double relative = relative(element);
    int wrong = 0;
    int first = -1;
    for (int i = 0; i < want.length; i++) {
      boolean same = want[i] == got[i] || Double.isNaN(want[i]) && Double.isNaN(got[i])
          || Math.abs(want[i] - got[i]) <= relative * (Math.abs(want[i]) + 0.25 * most);
      if (!same) {
        first = wrong == 0 ? i : first;
        wrong++;
      }
    }
    return wrong == 0 ? "" : name + ": " + wrong + " of " + want.length + " differ, first element " + first + ": "
        + got[first] + " instead of " + want[first] + "\n";
  }

  /** Two units in the last place of narrow types; sums in another order for f32. */
  private static double relative(Element element) {
    return switch (element) {
      case BF16 -> 0x1p-7;
      case F16 -> 0x1p-10;
      case F32 -> 2e-5;
      case F64 -> 1e-12;
      case E4M3 -> 0x1p-3;
      case E5M2 -> 0x1p-2;
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, I4, U4, E2M1, E8M0 -> 0;
    };
  }
}
