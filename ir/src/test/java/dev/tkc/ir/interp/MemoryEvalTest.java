package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryEvalTest {
  /** One block with tensors x (in) and y (inout) of the given element type and sizes. */
  static Module block(String element, String sizesX, String sizesY, String body) {
    int rankX = sizesX.split(" ").length;
    int rankY = sizesY.split(" ").length;
    return Runs.parse("""
        kernel @k(%x: ptr<EL>, %y: ptr<EL>) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c2 = constant {value = 2 : i64} : i64
          %c3 = constant {value = 3 : i64} : i64
          %c4 = constant {value = 4 : i64} : i64
          %c5 = constant {value = 5 : i64} : i64
          %c6 = constant {value = 6 : i64} : i64
          %tx = make_tensor %x, [SIZEX], [STRIDEX] {access = in, name = "x"} : tensor<EL, RANKX>
          %ty = make_tensor %y, [SIZEY], [STRIDEY] {access = inout, name = "y"} : tensor<EL, RANKY>
          parallel %c0, %c1 {step = 1} (%i: i64) {
            BODY
            yield []
          }
          yield []
        }
        """.replace("SIZEX", list(sizesX)).replace("STRIDEX", strides(sizesX)).replace("SIZEY", list(sizesY))
        .replace("STRIDEY", strides(sizesY)).replace("RANKX", "" + rankX).replace("RANKY", "" + rankY)
        .replace("EL", element).replace("BODY", body.replace("\n", "\n    ")));
  }

  private static String list(String sizes) {
    return "%c" + sizes.replace(" ", ", %c");
  }

  private static String strides(String sizes) {
    String[] s = sizes.split(" ");
    return s.length == 1 ? "%c1" : "%c" + s[1] + ", %c1";
  }

  private static int[] run(Module m, int[] x, int outputs) {
    int[] y = new int[outputs];
    Runs.checking().run(m, List.of(Runs.ints(x), Runs.ints(y)));
    return y;
  }

  private static final int[] SIX = {10, 11, 12, 13, 14, 15};

  @Test
  void rangesReachOutsideAndAreCutOff() {
    Module m = block("i32", "2 3", "2 3", """
        %r = range %c1, %c1, %c4 {size = 4} : range<4>
        %q = range %c0, %c1, %c2 {size = 4} : range<4>
        %p = constant {value = 7 : i32} : i32
        %t = load %tx, [%r, %q], %p : i32[4, 4]
        store %ty, [%q, %r], %t""");
    // Rows 1.. of x are (13 14 pad pad) and three of pad; y takes rows 0, 1 at columns 1, 2.
    assertThat(run(m, SIX, 6)).containsExactly(0, 13, 14, 0, 7, 7);
  }

  @Test
  void strideOfARange() {
    Module m = block("i32", "6", "3", """
        %r = range %c1, %c2, %c3 {size = 3} : range<3>
        %o = range %c0, %c1, %c3 {size = 3} : range<3>
        %t = load %tx, [%r], _ : i32[3]
        store %ty, [%o], %t""");
    assertThat(run(m, SIX, 3)).containsExactly(11, 13, 15);
  }

  @Test
  void scalarsDropDimensions() {
    Module m = block("i32", "2 3", "3", """
        %o = range %c0, %c1, %c3 {size = 3} : range<3>
        %t = load %tx, [%c1, %o], _ : i32[3]
        store %ty, [%o], %t
        %z = load %tx, [%c0, %c2], _ : i32
        store %ty, [%c0], %z""");
    assertThat(run(m, SIX, 3)).containsExactly(12, 14, 15);
  }

  @Test
  void gatherAndScatterByOneIndexTile() {
    Module m = block("i32", "6", "6", """
        %n = iota {size = 3} : i32[3]
        %two = constant {value = 2 : i32} : i32
        %s = splat %two {shape = [3]} : i32[3]
        %at = mul %n, %s : i32[3]
        %t = load %tx, [%at], _ : i32[3]
        %rev = sub %s, %n : i32[3]
        store %ty, [%rev], %t""");
    assertThat(run(m, SIX, 6)).containsExactly(14, 12, 10, 0, 0, 0);
  }

  @Test
  void twoIndexTilesAreAnOuterProductAndRankTwoIsPointwise() {
    Module outer = block("i32", "2 3", "4", """
        %n = iota {size = 2} : i32[2]
        %one = constant {value = 1 : i32} : i32
        %s = splat %one {shape = [2]} : i32[2]
        %c = add %n, %s : i32[2]
        %t = load %tx, [%n, %c], _ : i32[2, 2]
        %f = reshape %t {shape = [4]} : i32[4]
        %o = range %c0, %c1, %c4 {size = 4} : range<4>
        store %ty, [%o], %f""");
    assertThat(run(outer, SIX, 4)).containsExactly(11, 12, 14, 15);
    Module pointwise = block("i32", "2 3", "2", """
        %n = iota {size = 2} : i32[2]
        %d = reshape %n {shape = [2, 1]} : i32[2, 1]
        %t = load %tx, [%d, %d], _ : i32[2, 1]
        %f = reshape %t {shape = [2]} : i32[2]
        %o = range %c0, %c1, %c2 {size = 2} : range<2>
        store %ty, [%o], %f""");
    assertThat(run(pointwise, SIX, 2)).containsExactly(10, 14);
  }

  @Test
  void atomicsAddEveryLane() {
    Module m = block("i32", "6", "2", """
        %n = iota {size = 6} : i32[6]
        %two = constant {value = 2 : i32} : i32
        %s = splat %two {shape = [6]} : i32[6]
        %at = rem %n, %s : i32[6]
        %o = range %c0, %c1, %c6 {size = 6} : range<6>
        %t = load %tx, [%o], _ : i32[6]
        atomic %ty, [%at], %t {kind = KIND}""".replace("KIND", "add"));
    assertThat(run(m, SIX, 2)).containsExactly(36, 39);
  }

  @Test
  void viewsShareTheMemory() {
    Module m = Runs.parse("""
        kernel @k(%x: ptr<i32>, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c2 = constant {value = 2 : i64} : i64
          %tx = make_tensor %x, [%n], [%c1] {access = inout, name = "x"} : tensor<i32, 1>
          %v = view %tx, [%c2, %c2] : tensor<i32, 2>
          parallel %c0, %c1 {step = 1} (%i: i64) {
            %s = constant {value = 9 : i32} : i32
            store %v, [%c1, %c0], %s
            yield []
          }
          yield []
        }
        """);
    int[] x = new int[4];
    Runs.checking().run(m, List.of(Runs.ints(x), Tile.integer(4)));
    assertThat(x).containsExactly(0, 0, 9, 0);
    Runs.fails(Code.VIEW, "4 elements and not 3", m, Runs.ints(1, 2, 3), Tile.integer(3));
    Runs.fails(Code.TENSOR_MEMORY, "needs 5 elements of memory, and 3 are there", m, Runs.ints(1, 2, 3),
        Tile.integer(5));
    Runs.fails(Code.TENSOR_MEMORY, "negative", m, Runs.ints(1, 2, 3), Tile.integer(-1));
  }

  @Test
  void nibblesArePacked() {
    Module m = block("i4", "6", "6", """
        %r = range %c1, %c1, %c3 {size = 3} : range<3>
        %t = load %tx, [%r], _ : i4[3]
        store %ty, [%r], %t""");
    byte[] x = {0x21, 0x43, (byte) 0xF5};
    byte[] y = {0x77, 0x77, 0x77};
    Runs.checking().run(m, List.of(nibbles(x), nibbles(y)));
    assertThat(y).containsExactly(0x27, 0x43, 0x77);
  }

  private static Buffer nibbles(byte[] x) {
    return Buffer.of(Element.I4, MemorySegment.ofArray(x));
  }

  @Test
  void everyElementTypeRoundTripsThroughMemory() {
    for (Element e : Element.values()) {
      byte[] memory = new byte[32];
      for (int i = 0; i < memory.length; i++) {
        memory[i] = (byte) (e.isBool() ? i & 1 : 17 * i + 3);
      }
      if (e == Element.E8M0 || e == Element.E4M3) {
        memory[0] = 1;
      }
      Tile t = Tile.read(e, List.of(32 * 8 / e.bits()), MemorySegment.ofArray(memory));
      byte[] again = new byte[32];
      t.write(MemorySegment.ofArray(again));
      assertThat(again).as(e.text()).isEqualTo(memory);
    }
  }

  @Test
  void integerIndexOutsideIsAnError() {
    Module m = block("i32", "2 3", "3", "%z = load %tx, [%c2, %c0], _ : i32\nstore %ty, [%c0], %z");
    Runs.fails(Code.INDEX_OUTSIDE, "index 2 in dimension 0 is outside x: i32[2, 3]", m, Runs.ints(SIX),
        Runs.ints(0, 0, 0));
  }

  @Test
  void aStoreMayNotCoincideWithItself() {
    Module m = block("i32", "6", "3", """
        %one = constant {value = 1 : i32} : i32
        %s = splat %one {shape = [2]} : i32[2]
        store %ty, [%s], %s""");
    Runs.fails(Code.STORE_COINCIDES, "y[1]", m, Runs.ints(SIX), Runs.ints(0, 0, 0));
  }
}
