package dev.tkc.tests.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Interpreter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A product's PTX with one instruction taken out is never taken for right: the emulator is no rubber stamp. */
final class EmulatorMutationTest {
  private static final Emulated PRODUCT =
      Emulated.parse("gemm | gemm | BM=32 BN=32 BK=32 | M=40 N=40 K=136");

  @Test
  void everyInstructionThatMattersIsMissed() {
    Module module = PRODUCT.lower();
    Sample expected = Sample.of(module, PRODUCT.sizes(), 42);
    Sample clean = expected.copy();
    new Interpreter(Interpreter.Options.defaults()).run(module, expected.arguments());
    PtxBackend.Compiled compiled = PRODUCT.compile(module, PtxTargets.SM_90A);
    List<String> unnoticed = new ArrayList<>();
    int mutants = 0;
    Matcher m = Pattern.compile("(bar\\.sync|mma\\.sync|ldmatrix|st\\.shared|cp\\.async\\.wait_group)[^;]*;")
        .matcher(compiled.ptx());
    while (m.find()) {
      String ptx = compiled.ptx().substring(0, m.start()) + compiled.ptx().substring(m.end());
      mutants++;
      if (passes(module, with(compiled, ptx), clean.copy(), expected)) {
        unnoticed.add(m.group());
      }
    }
    assertThat(mutants).isGreaterThan(10);
    assertThat(unnoticed).isEmpty();
    assertThat(passes(module, compiled, clean.copy(), expected)).isTrue();
  }

  private static PtxBackend.Compiled with(PtxBackend.Compiled c, String ptx) {
    return new PtxBackend.Compiled(ptx, c.llvm(), c.ptxVersion(), c.target(), c.kernels());
  }

  private static boolean passes(Module module, PtxBackend.Compiled compiled, Sample actual, Sample expected) {
    try {
      Emulated.emulate(module, compiled, actual);
    } catch (PtxFault e) {
      return false;
    }
    return expected.outputs().stream().allMatch(name -> Emulated.compare(name, expected, actual).isEmpty());
  }
}
