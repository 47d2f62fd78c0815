package dev.tkc.tests.emulator;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code wgmma.mma_async}, one warp's sixteen rows of it. Computed when it is started: that nothing touches its
 * operands before it is done is the interpreter's to check. Of the accumulator, with g = lane / 4 and t = lane mod 4,
 * register 4 j + 2 h + e holds row g + 8 h, column 8 j + 2 t + e; a left operand in registers lies as that of
 * {@code mma}. Products are exact; they are added in double and rounded once.
 */
final class WarpgroupMultiply extends Instruction {
  private static final Pattern SHAPE = Pattern.compile("m64n(\\d+)k(\\d+)");
  private static final int ROWS = 16;

  private final int n;
  private final int k;
  private final PtxType sumType;
  private final PtxType leftType;
  private final PtxType rightType;
  private final int[] sum;
  private final int[] left;
  private final int right;
  private final int keep;
  private final boolean leftInRegisters;
  private final boolean leftTransposed;
  private final boolean rightTransposed;

  WarpgroupMultiply(Statement s, Registers registers) {
    super(Kind.COLLECTIVE);
    Matcher shape = s.suffixes().stream().map(SHAPE::matcher).filter(Matcher::matches).findFirst()
        .orElseThrow(s::unknown);
    n = Integer.parseInt(shape.group(1));
    k = Integer.parseInt(shape.group(2));
    sumType = s.types().get(0);
    leftType = s.types().get(1);
    rightType = s.types().get(2);
    sum = registers.slots(s.operand(0));
    left = registers.slots(s.operand(1));
    leftInRegisters = s.operand(1).startsWith("{");
    right = registers.slot(s.operand(2));
    keep = registers.slot(s.operand(3));
    int flags = leftType.bits() == 16 ? leftInRegisters ? 3 : 4 : sumType == PtxType.S32 ? 0 : 2;
    if (s.operands().size() != 4 + flags || sum.length != n / 2 || k * leftType.bits() != 256
        || leftInRegisters && left.length != 4) {
      throw s.unknown();
    }
    leftTransposed = flags == 4 && s.operand(6).equals("1");
    rightTransposed = flags >= 3 && s.operands().getLast().equals("1");
  }

  /** An operand in shared memory as its descriptor says: {@code mn} is the row of A or column of B. */
  private record Operand(long descriptor, boolean transposed, int bytes) {
    double[][] read(Warp w, PtxType type, int from, int count, int depth) {
      double[][] values = new double[count][depth];
      for (int i = 0; i < count; i++) {
        for (int x = 0; x < depth; x++) {
          long at = TensorBox.exchanged(address(from + i, x), swizzle());
          values[i][x] = type.number(w.block.shared().settled(at, bytes));
        }
      }
      return values;
    }

    private int swizzle() {
      return switch ((int) (descriptor >>> 62)) {
        case 1 -> 128;
        case 2 -> 64;
        case 3 -> 32;
        default -> throw new PtxFault("a descriptor without a swizzle: " + Long.toHexString(descriptor));
      };
    }

    private long address(int mn, int x) {
      long start = (descriptor & 0x3FFF) << 4;
      long leading = (descriptor >>> 16 & 0x3FFF) << 4;
      long stride = (descriptor >>> 32 & 0x3FFF) << 4;
      if (!transposed) {
        return start + mn / 8 * stride + mn % 8 * swizzle() + (long) x * bytes;
      }
      int across = swizzle() / bytes;
      return start + mn / across * leading + x / 8 * stride + x % 8 * swizzle() + (long) mn % across * bytes;
    }
  }

  @Override
  void run(Warp w, int lanes) {
    long[] r = w.registers;
    double[][] a = leftInRegisters ? fragment(r)
        : new Operand(r[left[0]], leftTransposed, leftType.bytes()).read(w, leftType, w.number % 4 * ROWS, ROWS, k);
    double[][] b = new Operand(r[right], rightTransposed, rightType.bytes()).read(w, rightType, 0, n, k);
    for (int l = 0; l < 32; l++) {
      for (int i = 0; i < sum.length; i++) {
        double[] row = a[l / 4 + i / 2 % 2 * 8];
        double[] column = b[i / 4 * 8 + 2 * (l % 4) + i % 2];
        double total = 0;
        for (int x = 0; x < k; x++) {
          total += row[x] * column[x];
        }
        long old = r[keep + l] != 0 ? r[sum[i] + l] : 0;
        r[sum[i] + l] = sumType == PtxType.S32
            ? (long) total + old & 0xFFFFFFFFL : sumType.bits(total + sumType.number(old & sumType.mask()));
      }
    }
  }

  private double[][] fragment(long[] r) {
    int e = 32 / leftType.bits();
    double[][] a = new double[ROWS][k];
    for (int l = 0; l < 32; l++) {
      for (int i = 0; i < left.length; i++) {
        for (int j = 0; j < e; j++) {
          a[l / 4 + 8 * (i % 2)][e * (l % 4) + j + 4 * e * (i / 2)] =
              leftType.number(r[left[i] + l] >>> j * leftType.bits() & leftType.mask());
        }
      }
    }
    return a;
  }
}
