package dev.tkc.tests.staged;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A module with the arguments of one launch; those that are buffers are copied for each run. */
record StagedProgram(Module module, List<Datum> arguments) {
  /** What the buffers hold after a run. */
  List<byte[]> run(Module changed, long seed) {
    List<byte[]> memory = new ArrayList<>();
    List<Datum> copies = new ArrayList<>();
    for (Datum d : arguments) {
      if (d instanceof Buffer b) {
        byte[] bytes = b.memory().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        memory.add(bytes);
        copies.add(Buffer.of(b.element(), MemorySegment.ofArray(bytes)));
      } else {
        copies.add(d);
      }
    }
    Interpreter.Options options = Interpreter.Options.defaults().withSeed(seed).withThreads(1).withMaxSteps(10_000_000);
    new Interpreter(options).run(changed, copies);
    return memory;
  }

  static boolean same(List<byte[]> a, List<byte[]> b) {
    for (int i = 0; i < a.size(); i++) {
      if (!Arrays.equals(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** How the change is found by one of the first seeds: a code, or {@code wrong results}; empty if it is not. */
  Optional<String> caught(Module changed, int seeds, List<byte[]> expected) {
    for (int seed = 0; seed < seeds; seed++) {
      try {
        if (!same(run(changed, seed), expected)) {
          return Optional.of("wrong results");
        }
      } catch (DiagnosticException e) {
        return Optional.of(e.diagnostics().getFirst().code().id());
      }
    }
    return Optional.empty();
  }

  /** Small whole numbers in f32, whose sums are exact. */
  static Buffer wholeNumbers(int count, int seed) {
    java.util.Random random = new java.util.Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(9) - 4;
    }
    return Buffer.of(Element.F32, MemorySegment.ofArray(values));
  }
}
