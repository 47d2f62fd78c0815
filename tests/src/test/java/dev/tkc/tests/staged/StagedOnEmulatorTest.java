package dev.tkc.tests.staged;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.stage.TakeTurns;
import dev.tkc.tests.emulator.EmulatedDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** Every way in which operands may lie, more rows and columns than one instruction has, panels of all widths. */
  @ParameterizedTest
  @CsvSource({
      "BF16, WGMMA_BF16, 64, 128, 64, 4, mk, kn, 1", "BF16, WGMMA_BF16, 128, 64, 128, 4, mk, nk, 2",
      "BF16, WGMMA_BF16, 256, 64, 32, 8, mk, nk, 1", "BF16, WGMMA_BF16, 128, 128, 64, 8, km, kn, 2",
      "BF16, WGMMA_BF16, 256, 32, 64, 8, km, nk, 1", "BF16, WGMMA_BF16, 64, 512, 32, 4, mk, kn, 1",
      "BF16, WGMMA_BF16, 64, 512, 32, 4, mk, nk, 1", "BF16, WGMMA_BF16, 64, 16, 16, 4, mk, kn, 1",
      "F16, WGMMA_F16, 128, 128, 128, 8, registers, kn, 1", "F16, WGMMA_F16, 256, 64, 64, 8, registers, nk, 2",
      "BF16, WGMMA_BF16, 64, 512, 64, 4, registers, kn, 1",
      "E4M3, WGMMA_E4M3, 64, 64, 128, 4, mk, nk, 2", "E5M2, WGMMA_E5M2, 128, 32, 64, 4, registers, nk, 1",
      "E4M3, WGMMA_E4M3, 64, 8, 32, 4, mk, nk, 1",
      "BF16, WGMMA_BF16, 192, 128, 64, 12, mk, kn, 1", "BF16, WGMMA_BF16, 192, 96, 96, 12, mk, nk, 1",
      "BF16, WGMMA_BF16, 192, 64, 128, 12, registers, kn, 1", "BF16, WGMMA_BF16, 192, 32, 64, 12, km, nk, 2",
      "BF16, WGMMA_BF16, 384, 32, 32, 12, mk, kn, 1", "BF16, WGMMA_BF16, 192, 32, 64, 4, mk, kn, 1",
      "BF16, WGMMA_BF16, 128, 96, 64, 8, mk, kn, 2", "BF16, WGMMA_BF16, 64, 192, 96, 4, mk, kn, 1",
      "BF16, WGMMA_BF16, 320, 24, 48, 20, mk, nk, 1", "BF16, WGMMA_BF16, 128, 96, 96, 8, registers, nk, 1",
      "E4M3, WGMMA_E4M3, 192, 96, 96, 12, mk, nk, 1"})
  void tile(Element e, String instruction, int m, int n, int k, int warps, String left, String right, int parts) {
    double[] a = randoms(3, (long) m * k);
    double[] b = randoms(4, (long) k * n);
    MemorySegment result = Arena.ofAuto().allocate(4L * m * n, 256);
    result.fill((byte) 0xFF);
    StagedTile tile = new StagedTile(e, instruction, m, n, k, warps, left, right, parts);
    EmulatedDevice.run(IrParser.parse(tile.tir()), PtxTargets.SM_90A,
        List.of(buffer(e, a), buffer(e, b), Buffer.of(Element.F32, result)));
    for (int i = 0; i < m * n; i++) {
      double exact = 0;
      for (int x = 0; x < k; x++) {
        exact += a[left.equals("km") ? x * m + i / n : i / n * k + x]
            * b[right.equals("nk") ? i % n * k + x : x * n + i % n];
      }
      assertThat((double) result.getAtIndex(ValueLayout.JAVA_FLOAT, i)).as("row %d, column %d", i / n, i % n)
          .isEqualTo(exact);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void attention(boolean turns) {
    Module module = IrParser.parse(StagedAttention.tir());
    if (turns) {
      takeTurns(module);
    }
    int heads = 2;
    int keys = 384;
    int width = 128;
    double[] q = Arrays.stream(randoms(5, (long) heads * keys * width)).map(x -> x / 32).toArray();
    double[] k = Arrays.stream(randoms(6, (long) heads * keys * width)).map(x -> x / 8).toArray();
    double[] v = randoms(7, (long) heads * keys * width);
    MemorySegment result = Arena.ofAuto().allocate(4L * heads * keys * width, 256);
    result.fill((byte) 0xFF);
    EmulatedDevice.run(module, PtxTargets.SM_90A, List.of(buffer(Element.BF16, q),
        buffer(Element.BF16, k), buffer(Element.BF16, v), Buffer.of(Element.F32, result), Tile.integer(heads),
        Tile.integer(keys)));
    for (int row = 0; row < heads * keys; row += 7) {
      double[] weights = new double[keys];
      for (int j = 0; j < keys; j++) {
        double score = 0;
        for (int x = 0; x < width; x++) {
          score += q[row * width + x] * k[(row / keys * keys + j) * width + x];
        }
        weights[j] = Math.pow(2, score);
      }
      double all = Arrays.stream(weights).sum();
      for (int x = 0; x < width; x++) {
        double exact = 0;
        for (int j = 0; j < keys; j++) {
          exact += weights[j] / all * v[(row / keys * keys + j) * width + x];
        }
        assertThat((double) result.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * width + x))
            .as("row %d, column %d", row, x)
            .isCloseTo(exact, Offset.offset(0.03));
      }
    }
  }

  private static void takeTurns(Module module) {
    Func device = module.funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE).findFirst().orElseThrow();
    device.annotations().put("turns", true);
    TakeTurns.run(device, PassContext.of(PtxTargets.SM_90A, PassOptions.checked()));
    assertThat(IrPrinter.print(module)).containsPattern("turn_take\\s+dot_fence[^@]*turn_pass\\s+%\\S+ = dot_wait");
    assertThat(Verifier.verify(module)).isEmpty();
  }

  /** Groups that take more turns than are passed on wait for ever, and what makes them do so is no sound IR. */
  @Test
  void turnsThatAreNotPassedOn() {
    Module module = IrParser.parse(StagedAttention.tir());
    takeTurns(module);
    String text = IrPrinter.print(module);
    assertThat(Verifier.verify(IrParser.parse(text.replaceFirst("\n *turn_pass", "")))).anySatisfy(
        d -> assertThat(d.message()).contains("a turn that is not passed on"));
    assertThat(Verifier.verify(IrParser.parse(text.replaceFirst("\n *turn_take", "")))).isNotEmpty();
  }

  /**
   * What is wrong about copies and barriers is noticed: a wait left out, bytes that do not come or are too many, a
   * store that is not waited for, an arrival too few.
   */
  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      barrier_wait %full, %slot_2, %phase_2 |                                    | threads wait at different barriers
      {bytes = 49152}                       | {bytes = 49168}                    | threads wait at different barriers
      {bytes = 49152}                       | {bytes = 49136}                    | threads wait at different barriers
      store_wait {pending = 0}              |                                    | ends while its copies are under way
      barrier_arrive %empty, %before, %keep |                                    | threads wait at different barriers
      arrivals = 8                          | arrivals = 9                       | threads wait at different barriers""")
  void mistake(String before, String after, String found) {
    String tir = new StagedGemm(Element.BF16, Element.F32, "WGMMA_BF16", true, 4, 132).tir();
    assertThat(tir).contains(before);
    List<Datum> arguments = new ArrayList<>(List.of(buffer(Element.BF16, randoms(1, 128 * 512)),
        buffer(Element.BF16, randoms(2, 512 * 256)), buffer(Element.BF16, new double[128 * 256])));
    arguments.addAll(List.of(Tile.integer(128), Tile.integer(256), Tile.integer(512)));
    assertThatThrownBy(() -> EmulatedDevice.run(
        IrParser.parse(tir.replace(before, after == null ? "" : after)), PtxTargets.SM_90A, arguments))
            .hasMessageContaining(found);
  }
}
