package dev.tkc.tests.emulator;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code mma.sync}, A row-major and B column-major. With g = lane / 4, t = lane mod 4 and e elements in a register,
 * element j of register r is: of A the one in row g + 8 (r mod 2) and column e t + j + 4 e (r / 2), of B in row e t + j
 * + 4 e r and column g; and of C and D element i is in row g + 8 (i / 2) and column 2 t + i mod 2. This covers every
 * shape m16n8 and m8n8k4 of the manual. Products are exact; they are added in double and rounded once.
 */
final class MatrixMultiply extends Instruction {
  private static final Pattern SHAPE = Pattern.compile("m(\\d+)n8k(\\d+)");

  private final int m;
  private final int k;
  private final PtxType resultType;
  private final PtxType leftType;
  private final PtxType rightType;
  private final PtxType sumType;
  private final int[] result;
  private final int[] left;
  private final int[] right;
  private final int[] sum;

  MatrixMultiply(Statement s, Registers registers) {
    super(Kind.COLLECTIVE);
    Matcher shape = s.suffixes().stream().map(SHAPE::matcher).filter(Matcher::matches).findFirst()
        .orElseThrow(s::unknown);
    m = Integer.parseInt(shape.group(1));
    k = Integer.parseInt(shape.group(2));
    if (!s.has("row") || !s.has("col") || s.types().size() != 4 || s.has("satfinite")) {
      throw s.unknown();
    }
    resultType = s.types().get(0);
    leftType = s.types().get(1);
    rightType = s.types().get(2);
    sumType = s.types().get(3);
    result = registers.slots(s.operand(0));
    left = registers.slots(s.operand(1));
    right = registers.slots(s.operand(2));
    sum = registers.slots(s.operand(3));
    if (left.length * perRegister(leftType) * 32 != m * k || right.length * perRegister(rightType) * 32 != k * 8
        || result.length * perRegister(resultType) * 32 != m * 8) {
      throw s.unknown();
    }
  }

  private static int perRegister(PtxType t) {
    return t == PtxType.F64 ? 1 : 32 / t.bits();
  }

  @Override
  void run(Warp w, int lanes) {
    long[] r = w.registers;
    double[][] a = new double[m][k];
    double[][] b = new double[k][8];
    for (int l = 0; l < 32; l++) {
      int g = l / 4;
      int t = l % 4;
      int e = perRegister(leftType);
      for (int i = 0; i < left.length; i++) {
        for (int j = 0; j < e; j++) {
          a[g + 8 * (i % 2 * (m / 16))][e * t + j + 4 * e * (m == 16 ? i / 2 : i)] = part(leftType, r[left[i] + l], j);
        }
      }
      for (int i = 0; i < right.length; i++) {
        for (int j = 0; j < e; j++) {
          b[e * t + j + 4 * e * i][g] = part(rightType, r[right[i] + l], j);
        }
      }
    }
    for (int l = 0; l < 32; l++) {
      accumulate(r, l, a, b);
    }
  }

  private static double part(PtxType t, long raw, int j) {
    return t.number(raw >>> j * t.bits() & t.mask());
  }

  private void accumulate(long[] r, int l, double[][] a, double[][] b) {
    int elements = m * 8 / 32;
    int e = perRegister(resultType);
    long[] out = new long[result.length];
    for (int i = 0; i < elements; i++) {
      int row = l / 4 + 8 * (i / 2);
      int column = 2 * (l % 4) + i % 2;
      int perSum = perRegister(sumType);
      long c = r[sum[i / perSum] + l] >>> i % perSum * sumType.bits();
      double total = 0;
      for (int x = 0; x < k; x++) {
        total += a[row][x] * b[x][column];
      }
      long bits = resultType == PtxType.S32 ? (long) total + c & 0xFFFFFFFFL
          : resultType.bits(total + sumType.number(c & sumType.mask()));
      out[i / e] |= bits << i % e * resultType.bits();
    }
    for (int i = 0; i < result.length; i++) {
      r[result[i] + l] = out[i];
    }
  }
}
