package dev.tkc.tests.staged;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.type.Element;
import dev.tkc.tests.emulator.EmulatedDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The programs with roles as PTX, executed by the emulator: every copy as late as it may be, and the right result. */
class StagedOnEmulatorTest {
  private static double[] randoms(int seed, long count) {
    return new Random(seed).ints(count, -8, 9).mapToDouble(i -> i).toArray();
  }

  private static Buffer buffer(Element e, double[] values) {
    MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, e.bytes(values.length)), 256);
    for (int i = 0; i < values.length; i++) {
      long bits = e.isFloat() ? FloatFormat.of(e).encode(values[i], true) : (long) values[i];
      if (e.bits() == 8) {
        memory.set(ValueLayout.JAVA_BYTE, i, (byte) bits);
      } else {
        memory.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) bits);
      }
    }
    return Buffer.of(e, memory);
  }

  /** Small integers: products and their sums are exact, so only the rounding to bf16 remains. */
  @ParameterizedTest
  @CsvSource({
      "BF16, F32, WGMMA_BF16, false, 128, 256, 64, 132", "BF16, F32, WGMMA_BF16, true, 128, 256, 64, 132",
      "BF16, F32, WGMMA_BF16, false, 200, 520, 712, 3", "BF16, F32, WGMMA_BF16, true, 200, 520, 456, 3",
      "F16, F32, WGMMA_F16, false, 130, 256, 136, 1", "E4M3, F32, WGMMA_E4M3, true, 130, 264, 400, 2",
      "I8, I32, WGMMA_S8, true, 130, 264, 400, 2"})
  void product(Element e, Element sum, String instruction, boolean kMajor, int m, int n, int k, int blocks) {
    double[] a = randoms(1, (long) m * k);
    double[] b = randoms(2, (long) k * n);
    Buffer c = buffer(Element.BF16, new double[m * n]);
    c.memory().fill((byte) 0xFF);
    List<Datum> arguments = new ArrayList<>(List.of(buffer(e, a), buffer(e, b), c));
    arguments.addAll(List.of(Tile.integer(m), Tile.integer(n), Tile.integer(k)));
    EmulatedDevice.run(
        IrParser.parse(new StagedGemm(e, sum, instruction, kMajor, 4, blocks).tir()), PtxTargets.SM_90A, arguments);
    for (int i = 0; i < m * n; i++) {
      double exact = 0;
      for (int x = 0; x < k; x++) {
        exact += a[i / n * k + x] * b[kMajor ? i % n * k + x : x * n + i % n];
      }
      float got = Float.intBitsToFloat(c.memory().getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
      assertThat(got).as("row %d, column %d", i / n, i % n)
          .isEqualTo(FloatFormat.of(Element.BF16).round(exact, true));
    }
  }
}
