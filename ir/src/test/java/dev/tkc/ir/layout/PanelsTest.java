package dev.tkc.ir.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.layout.MatrixDescriptor.Operand;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Panels and descriptors, against what the manual says that copy engine and matrix instruction do with addresses. */
class PanelsTest {
  private static final List<List<Integer>> SHAPES = List.of(
      List.of(128, 64), List.of(64, 256), List.of(512, 64), List.of(16, 32), List.of(8, 16), List.of(8, 128),
      List.of(2, 64, 128), List.of(4, 512, 64), List.of(1, 8, 64), List.of(256), List.of(2, 512), List.of(1, 4096),
      List.of(192, 64), List.of(128, 96), List.of(64, 192), List.of(192, 192), List.of(24, 48), List.of(2, 24, 96),
      List.of(320, 64));

  /** The exchange of 16-byte pieces by the bits of the address above them (PTX ISA, "Swizzling modes"). */
  private static long exchanged(long address, int swizzle) {
    return switch (swizzle) {
      case 128 -> address ^ (address >> 7 & 7) << 4;
      case 64 -> address ^ (address >> 7 & 3) << 4;
      case 32 -> address ^ (address >> 7 & 1) << 4;
      default -> address;
    };
  }

  /** Shared memory after the copies: the flat coordinate of the element at each place. */
  private static int[] copied(Panels p, long slot) {
    int bytes = p.elementBits() / 8;
    int[] memory = new int[(int) p.slotBytes() / bytes];
    Arrays.fill(memory, -1);
    List<Integer> box = p.box();
    int elements = box.stream().reduce(1, (a, b) -> a * b);
    for (Panels.Box copy : p.boxes()) {
      for (int i = 0; i < elements; i++) {
        List<Integer> at = new ArrayList<>();
        int rest = i;
        for (int d = box.size() - 1; d >= 0; d--) {
          at.addFirst(copy.origin().get(d) + rest % box.get(d));
          rest /= box.get(d);
        }
        long address = exchanged(slot + copy.offset() + (long) i * bytes, p.swizzle()) - slot;
        assertThat(memory[(int) address / bytes]).isEqualTo(-1);
        memory[(int) address / bytes] = (int) LinearLayout.flatten(LinearLayout.cover(p.shape()), at);
      }
    }
    return memory;
  }

  @Test
  void theLayoutIsWhatTheCopyEngineMakes() {
    for (List<Integer> shape : SHAPES) {
      for (int bits : List.of(8, 16, 32)) {
        Panels.of(shape, bits).ifPresent(p -> {
          LinearLayout layout = p.layout();
          int[] memory = copied(p, 5 * 1024);
          long copied = 0;
          for (int i = 0; i < memory.length; i++) {
            if (memory[i] >= 0) {
              copied++;
              assertThat(layout.applyFlat(InDim.OFFSET, i)).as("%s of %d bits at %d", shape, bits, i)
                  .isEqualTo(memory[i]);
            }
          }
          assertThat(copied).as("%s", shape).isEqualTo(shape.stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b));
        });
      }
    }
  }

  @Test
  void aBoxHasAtMost256OfEachDimension() {
    assertThat(Panels.of(List.of(128, 64), 16).orElseThrow().box()).containsExactly(128, 64);
    assertThat(Panels.of(List.of(64, 256), 16).orElseThrow().boxes()).containsExactly(
        new Panels.Box(List.of(0, 0), 0), new Panels.Box(List.of(0, 64), 8192),
        new Panels.Box(List.of(0, 128), 16384), new Panels.Box(List.of(0, 192), 24576));
    // Once a dimension is cut, those around it are walked one by one, so that a copy's bytes follow each other.
    Panels cut = Panels.of(List.of(4, 512, 64), 16).orElseThrow();
    assertThat(cut.box()).containsExactly(1, 256, 64);
    assertThat(cut.boxes()).hasSize(8).contains(new Panels.Box(List.of(1, 256, 0), 3 * 32768));
  }

  @Test
  void whatDoesNotFit() {
    assertThat(Panels.obstacle(List.of(128, 8), 16)).hasValueSatisfying(t -> assertThat(t).contains("16 bytes"));
    assertThat(Panels.obstacle(List.of(128, 72), 16)).hasValueSatisfying(t -> assertThat(t).contains("144 bytes"));
    assertThat(Panels.obstacle(List.of(128, 64), 64)).hasValueSatisfying(t -> assertThat(t).contains("64 bits"));
    assertThat(Panels.obstacle(List.of(16), 32)).hasValueSatisfying(t -> assertThat(t).contains("64 bytes"));
    assertThat(Panels.obstacle(List.of(128, 64), 16)).isEmpty();
    assertThatThrownBy(() -> SharedLayouts.panels(List.of(3, 5), 16)).hasMessageContaining("power of two");
  }

  @Test
  void aSlotEndsWithItsLastElement() {
    assertThat(Panels.of(List.of(192, 64), 16).orElseThrow().slotBytes()).isEqualTo(192 * 128);
    assertThat(Panels.of(List.of(128, 96), 16).orElseThrow().slotBytes()).isEqualTo(128 * 192);
    assertThat(Panels.of(List.of(64, 192), 16).orElseThrow().slotBytes()).isEqualTo(64 * 384);
    assertThat(Panels.of(List.of(8, 96), 16).orElseThrow().slotBytes()).isEqualTo(8 * 192);
    // Panels start where those of 256 rows would.
    assertThat(Panels.of(List.of(192, 128), 16).orElseThrow().slotBytes()).isEqualTo((256 + 192) * 128);
  }

  @Test
  void aLayoutIsRecognised() {
    LinearLayout layout = SharedLayouts.panels(List.of(64, 256), 16);
    assertThat(Panels.of(List.of(64, 256), 16, layout)).isPresent();
    assertThat(Panels.of(List.of(64, 256), 16,
        SharedLayouts.swizzled(List.of(64, 256), List.of(1, 0), SharedLayouts.Swizzle.NONE))).isEmpty();
  }

  /**
   * What the instruction reads for element (k, other) of a block that starts at {@code start}: canonical layouts of the
   * manual.
   */
  private static long address(MatrixDescriptor d, long start, int k, int other) {
    int bytes = d.panels().elementBits() / 8;
    int swizzle = d.panels().swizzle();
    int inRow = swizzle / bytes;
    long plain = d.kMajor()
        ? start + (long) other % 8 * swizzle + other / 8 * d.strideBytes() + (long) k * bytes
        : start + (long) other % inRow * bytes + other / inRow * d.leadingBytes() + (long) k % 8 * swizzle
        + k / 8 * d.strideBytes();
    return exchanged(plain, swizzle);
  }

  private static void reads(Panels p, List<Integer> order, Operand operand, int n) {
    MatrixDescriptor d = MatrixDescriptor.of(p, List.of(0, 0), order, operand);
    int bytes = p.elementBits() / 8;
    int step = 32 / bytes;
    int kAxis = order.get(operand == Operand.A ? 1 : 0);
    int otherAxis = 1 - kAxis;
    long slot = 3 * 1024;
    int[] memory = copied(p, slot);
    for (int k0 = 0; k0 < p.shape().get(kAxis); k0 += step) {
      for (int o0 = 0; o0 < p.shape().get(otherAxis); o0 += n) {
        long start = slot + d.offset(k0, o0);
        for (int k = 0; k < step; k++) {
          for (int o = 0; o < n; o++) {
            int row = kAxis == 0 ? k0 + k : o0 + o;
            int column = kAxis == 0 ? o0 + o : k0 + k;
            assertThat(memory[(int) (address(d, start, k, o) - slot) / bytes])
                .isEqualTo((int) LinearLayout.flatten(LinearLayout.cover(p.shape()), List.of(row, column)));
          }
        }
      }
    }
  }

  @Test
  void theInstructionFindsItsElements() {
    for (int bits : List.of(8, 16, 32)) {
      for (int rowBytes : List.of(32, 64, 128, 256)) {
        Panels p = Panels.of(List.of(64, rowBytes * 8 / bits), bits).orElseThrow();
        // Contiguous along k: A as it is, B transposed.
        reads(p, List.of(0, 1), Operand.A, 64);
        reads(p, List.of(1, 0), Operand.B, 32);
        if (bits == 16) {
          reads(p, List.of(0, 1), Operand.B, p.shape().get(1));
          reads(p, List.of(1, 0), Operand.A, Math.min(64, p.shape().get(1)));
        }
      }
    }
  }

  @Test
  void theInstructionFindsItsElementsInTilesThatAreNoPowersOfTwo() {
    for (List<Integer> shape : List.of(List.of(192, 64), List.of(128, 96), List.of(64, 192), List.of(192, 128))) {
      Panels p = Panels.of(shape, 16).orElseThrow();
      reads(p, List.of(0, 1), Operand.A, 64);
      reads(p, List.of(1, 0), Operand.B, shape.get(0));
      reads(p, List.of(0, 1), Operand.B, shape.get(1));
    }
  }

  @Test
  void theNumbersThatWereMeasured() {
    MatrixDescriptor a = MatrixDescriptor.of(
        Panels.of(List.of(128, 64), 16).orElseThrow(), List.of(0, 0), List.of(0, 1), Operand.A);
    assertThat(a.kMajor()).isTrue();
    assertThat(a.high()).isEqualTo(0x40000040);
    assertThat(a.low()).isEqualTo(1 << 16);
    assertThat(a.offset(16, 0)).isEqualTo(32);
    assertThat(a.offset(0, 64)).isEqualTo(8192);
    MatrixDescriptor b = MatrixDescriptor.of(
        Panels.of(List.of(64, 256), 16).orElseThrow(), List.of(0, 0), List.of(0, 1), Operand.B);
    assertThat(b.kMajor()).isFalse();
    assertThat(b.high()).isEqualTo(0x40000040);
    assertThat(b.low()).isEqualTo(8192 >> 4 << 16);
    assertThat(b.offset(16, 0)).isEqualTo(2048);
    assertThat(b.offset(0, 64)).isEqualTo(8192);
  }

  @Test
  void onlySixteenBitsAreReadAcrossK() {
    Panels p = Panels.of(List.of(64, 128), 8).orElseThrow();
    assertThatThrownBy(() -> MatrixDescriptor.of(p, List.of(0, 0), List.of(0, 1), Operand.B))
        .hasMessageContaining("along k");
  }
}
