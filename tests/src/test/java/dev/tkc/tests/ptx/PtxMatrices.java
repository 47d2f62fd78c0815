package dev.tkc.tests.ptx;

import dev.tkc.ir.type.Element;
import dev.tkc.tests.ptx.PtxMachine.Lane;
import dev.tkc.tests.ptx.PtxProgram.Instruction;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * {@code mma.sync} and {@code ldmatrix} by the formulas of the PTX manual ("Matrix Fragments for mma"), written down apart
 * from the compiler's own tables so that an error there shows.
 */
final class PtxMatrices {
  private PtxMatrices() {}

  /** The shape and element types of one product; {@code bits} is an operand element's width in a register. */
  private record Shape(int m, int n, int k, String a, String b, int bits) {
    static Shape of(Instruction i) {
      String size = i.parts().stream().filter(p -> p.matches("m\\d+n\\d+k\\d+")).findFirst().orElseThrow();
      String[] d = size.substring(1).split("[nk]");
      List<String> types = i.parts().subList(i.parts().size() - 4, i.parts().size());
      return new Shape(Integer.parseInt(d[0]), Integer.parseInt(d[1]), Integer.parseInt(d[2]), types.get(1), types.get(2),
          PtxArithmetic.bits(types.get(1)));
    }

    int pack() {
      return bits == 64 ? 1 : 32 / bits;
    }
  }

  static PtxStep multiply(Instruction i, PtxDecoder decoder) {
    Shape s = Shape.of(i);
    int[] to = PtxDecoder.registers(i.operands().get(0));
    List<ToLongFunction<Lane>> a = decoder.values(i.operands().get(1));
    List<ToLongFunction<Lane>> b = decoder.values(i.operands().get(2));
    List<ToLongFunction<Lane>> c = decoder.values(i.operands().get(3));
    boolean whole = i.type().equals("s32");
    boolean wide = i.type().equals("f64");
    return (lanes, n) -> {
      PtxDecoder.requireWarp(n);
      double[][] left = new double[s.m][s.k];
      double[][] right = new double[s.k][s.n];
      for (int lane = 0; lane < n; lane++) {
        int group = lane >> 2;
        int inGroup = lane & 3;
        for (int e = 0; e < a.size() * s.pack(); e++) {
          int word = e / s.pack();
          int row = group + (word % 2 == 1 ? 8 : 0);
          int k = inGroup * s.pack() + e % s.pack() + (word >= 2 ? s.k / 2 : 0);
          left[row][k] = element(s.a, s.bits, a.get(word).applyAsLong(lanes[lane]), e % s.pack());
        }
        for (int e = 0; e < b.size() * s.pack(); e++) {
          int word = e / s.pack();
          int k = inGroup * s.pack() + e % s.pack() + (word >= 1 ? s.k / 2 : 0);
          right[k][group] = element(s.b, s.bits, b.get(word).applyAsLong(lanes[lane]), e % s.pack());
        }
      }
      long[][] results = new long[n][to.length];
      for (int lane = 0; lane < n; lane++) {
        for (int e = 0; e < to.length; e++) {
          int row = (lane >> 2) + (e >= 2 ? 8 : 0);
          int column = (lane & 3) * 2 + e % 2;
          double sum = 0;
          for (int k = 0; k < s.k; k++) {
            sum += left[row][k] * right[k][column];
          }
          long old = c.get(e).applyAsLong(lanes[lane]);
          results[lane][e] = whole ? ((int) old + (long) sum) & 0xFFFFFFFFL
              : wide ? Double.doubleToRawLongBits(Double.longBitsToDouble(old) + sum)
              : Float.floatToRawIntBits((float) (Float.intBitsToFloat((int) old) + sum)) & 0xFFFFFFFFL;
        }
      }
      for (int lane = 0; lane < n; lane++) {
        for (int e = 0; e < to.length; e++) {
          lanes[lane].registers[to[e]] = results[lane][e];
        }
      }
    };
  }

  private static double element(String type, int bits, long word, int index) {
    long x = bits == 64 ? word : word >>> index * bits & PtxArithmetic.mask(bits);
    return switch (type) {
      case "bf16" -> PtxDecoder.decode(Element.BF16, x);
      case "f16" -> PtxDecoder.decode(Element.F16, x);
      case "e4m3" -> PtxDecoder.decode(Element.E4M3, x);
      case "e5m2" -> PtxDecoder.decode(Element.E5M2, x);
      case "tf32" -> Float.intBitsToFloat((int) x & 0xFFFFE000);
      case "s8" -> (byte) x;
      case "u8" -> x;
      case "f64" -> Double.longBitsToDouble(x);
      default -> throw new IllegalStateException("mma of " + type);
    };
  }

  static PtxStep load(Instruction i, PtxDecoder decoder) {
    int[] to = PtxDecoder.registers(i.operands().get(0));
    ToLongFunction<Lane> row = decoder.address(i.operands().get(1));
    boolean transposed = i.has("trans");
    return (lanes, n) -> {
      PtxDecoder.requireWarp(n);
      for (int matrix = 0; matrix < to.length; matrix++) {
        long[] rows = new long[8];
        for (int r = 0; r < 8; r++) {
          rows[r] = row.applyAsLong(lanes[8 * matrix + r]);
          if (rows[r] % 16 != 0) {
            throw new IllegalStateException("a matrix row at " + rows[r]);
          }
        }
        for (int lane = 0; lane < n; lane++) {
          long word = 0;
          for (int e = 0; e < 2; e++) {
            int along = 2 * (lane & 3) + e;
            long at = transposed ? rows[along] + 2 * (lane >> 2) : rows[lane >> 2] + 2 * along;
            word |= PtxMachine.read(lanes[lane].block.shared, at, 2) << 16 * e;
          }
          lanes[lane].registers[to[matrix]] = word;
        }
      }
    };
  }
}
