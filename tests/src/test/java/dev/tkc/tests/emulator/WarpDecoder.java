package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Barrier;
import dev.tkc.tests.emulator.Instruction.Collective;
import dev.tkc.tests.emulator.Registers.Address;
import java.util.List;

/** What lanes do together: barriers, shuffles, votes, sums, matrices. */
final class WarpDecoder {
  private static final long WORD = 0xFFFFFFFFL;

  private final Registers registers;

  WarpDecoder(Registers registers) {
    this.registers = registers;
  }

  Instruction decode(Statement s) {
    return switch (s.opcode()) {
      case "bar", "barrier" -> barrier(s);
      case "shfl" -> shuffle(s);
      case "vote" -> vote(s);
      case "match" -> match(s);
      case "redux" -> reduce(s);
      case "elect" -> elect(s);
      case "activemask" -> new Collective(-1, (w, lanes) -> {
        throw new PtxFault("activemask depends on scheduling");
      });
      case "ldmatrix" -> loadMatrices(s);
      case "stmatrix" -> storeMatrices(s);
      case "mma" -> new MatrixMultiply(s, registers);
      default -> throw s.unknown();
    };
  }

  private Instruction barrier(Statement s) {
    if (s.has("cluster") && s.has("arrive")) {
      return new Instruction.Each((w, l) -> w.arriveAtCluster(1 << l));
    }
    if (s.has("cluster") && s.has("wait")) {
      return new Instruction.ClusterWait();
    }
    if (s.has("warp")) {
      return new Collective(registers.slot(s.operand(0)), (w, lanes) -> { });
    }
    if (s.has("red") && s.has("or")) {
      return new Barrier(registers.slot(s.operand(1)), registers.slot(s.operand(2)), registers.slot(s.operand(0)),
          registers.slot(s.operand(3)));
    }
    if (!s.has("sync") && !s.has("arrive")) {
      throw s.unknown();
    }
    if (s.has("arrive")) {
      int id = registers.slot(s.operand(0));
      int threads = registers.slot(s.operand(1));
      return new Collective(-1,
          (w, lanes) -> w.block.arrive((int) w.registers[id], Integer.bitCount(lanes), (int) w.registers[threads]));
    }
    return new Barrier(registers.slot(s.operand(0)), s.operands().size() > 1 ? registers.slot(s.operand(1)) : -1);
  }

  private static int lane(int mask) {
    return Integer.numberOfTrailingZeros(mask);
  }

  /** {@code shfl.sync.mode.b32 d|p, a, b, c, mask}: c holds the segment mask and the last lane of a segment. */
  private Instruction shuffle(Statement s) {
    int shift = s.operands().size() - 5;
    int to = registers.slot(s.operand(0));
    int inside = shift == 1 ? registers.slot(s.operand(1)) : registers.slot("_");
    int a = registers.slot(s.operand(1 + shift));
    int b = registers.slot(s.operand(2 + shift));
    int c = registers.slot(s.operand(3 + shift));
    String mode = s.suffixes().get(1);
    return new Collective(registers.slot(s.operand(4 + shift)), (w, lanes) -> {
      long[] r = w.registers;
      long[] values = new long[32];
      System.arraycopy(r, a, values, 0, 32);
      for (int m = lanes; m != 0; m &= m - 1) {
        int l = lane(m);
        int by = (int) r[b + l] & 31;
        int last = (int) r[c + l] & 31;
        int segment = (int) r[c + l] >>> 8 & 31;
        int most = l & segment | last & ~segment;
        int from = switch (mode) {
          case "up" -> l - by;
          case "down" -> l + by;
          case "bfly" -> l ^ by;
          case "idx" -> l & segment | by & ~segment;
          default -> throw s.unknown();
        };
        boolean in = mode.equals("up") ? from >= most : from <= most;
        int source = in ? from : l;
        if ((lanes >>> source & 1) == 0) {
          throw new PtxFault("lane " + l + " reads lane " + source + ", which does not take part");
        }
        r[to + l] = values[source] & WORD;
        r[inside + l] = in ? 1 : 0;
      }
    });
  }

  private Instruction vote(Statement s) {
    int to = registers.slot(s.operand(0));
    boolean not = s.operand(1).startsWith("!");
    int a = registers.slot(not ? s.operand(1).substring(1) : s.operand(1));
    return new Collective(registers.slot(s.operand(2)), (w, lanes) -> {
      int yes = 0;
      for (int m = lanes; m != 0; m &= m - 1) {
        yes |= (w.registers[a + lane(m)] != 0) != not ? 1 << lane(m) : 0;
      }
      long result = s.has("ballot") ? yes & WORD : s.has("all") ? yes == lanes ? 1 : 0 : s.has("any") ? yes != 0 ? 1 : 0
          : yes == 0 || yes == lanes ? 1 : 0;
      fill(w, to, lanes, result);
    });
  }

  private static void fill(Warp w, int to, int lanes, long value) {
    for (int m = lanes; m != 0; m &= m - 1) {
      w.registers[to + lane(m)] = value;
    }
  }

  private Instruction match(Statement s) {
    boolean all = s.has("all");
    int shift = s.operands().size() - 3;
    int to = registers.slot(s.operand(0));
    int equal = shift == 1 ? registers.slot(s.operand(1)) : registers.slot("_");
    int a = registers.slot(s.operand(1 + shift));
    return new Collective(registers.slot(s.operand(2 + shift)), (w, lanes) -> {
      for (int m = lanes; m != 0; m &= m - 1) {
        int same = 0;
        for (int n = lanes; n != 0; n &= n - 1) {
          same |= w.registers[a + lane(n)] == w.registers[a + lane(m)] ? 1 << lane(n) : 0;
        }
        w.registers[to + lane(m)] = (all ? same == lanes ? lanes : 0 : same) & WORD;
        w.registers[equal + lane(m)] = same == lanes ? 1 : 0;
      }
    });
  }

  private Instruction reduce(Statement s) {
    int to = registers.slot(s.operand(0));
    int a = registers.slot(s.operand(1));
    Statement plain = new Statement(s.line(), s.text(), s.suffixes().get(1), List.of(s.suffixes().getLast()),
        List.of());
    Instruction.Lanewise op = Integers.op(plain);
    return new Collective(registers.slot(s.operand(2)), (w, lanes) -> {
      long total = w.registers[a + lane(lanes)];
      for (int m = lanes & lanes - 1; m != 0; m &= m - 1) {
        total = op.apply(total, w.registers[a + lane(m)], 0);
      }
      fill(w, to, lanes, total);
    });
  }

  private Instruction elect(Statement s) {
    int to = registers.slot(s.operand(0));
    int p = registers.slot(s.operand(1));
    return new Collective(registers.slot(s.operand(2)), (w, lanes) -> {
      fill(w, to, lanes, lane(lanes));
      fill(w, p, lanes, 0);
      w.registers[p + lane(lanes)] = 1;
    });
  }

  /**
   * Lane 8i + r has the address of row r of matrix i. Lane l receives of each matrix elements 2(l mod 4) and the next
   * of row l / 4; with {@code .trans} of column l / 4.
   */
  private Instruction loadMatrices(Statement s) {
    int[] to = registers.slots(s.operand(0));
    Address address = registers.address(s.operand(1));
    boolean transposed = s.has("trans");
    if (!s.has("m8n8") || !s.has("b16") || !(s.has("shared") || s.has("shared::cta"))) {
      throw s.unknown();
    }
    return new Collective(-1, (w, lanes) -> {
      long[][] rows = new long[8 * to.length][8];
      for (int i = 0; i < rows.length; i++) {
        long at = w.registers[address.base() + i] + address.offset();
        if (at % 16 != 0) {
          throw new PtxFault("row address " + at + " of lane " + i + " is no multiple of 16");
        }
        for (int j = 0; j < 8; j++) {
          rows[i][j] = w.block.shared().load(at + 2 * j, 2, w);
        }
      }
      for (int i = 0; i < to.length; i++) {
        for (int l = 0; l < 32; l++) {
          int x = l / 4;
          int y = 2 * (l % 4);
          long low = transposed ? rows[8 * i + y][x] : rows[8 * i + x][y];
          long high = transposed ? rows[8 * i + y + 1][x] : rows[8 * i + x][y + 1];
          w.registers[to[i] + l] = high << 16 | low;
        }
      }
    });
  }

  /** The inverse of {@link #loadMatrices}. */
  private Instruction storeMatrices(Statement s) {
    Address address = registers.address(s.operand(0));
    int[] from = registers.slots(s.operand(1));
    boolean transposed = s.has("trans");
    if (!s.has("m8n8") || !s.has("b16") || !(s.has("shared") || s.has("shared::cta"))) {
      throw s.unknown();
    }
    return new Collective(-1, (w, lanes) -> {
      for (int i = 0; i < 8 * from.length; i++) {
        long at = w.registers[address.base() + i] + address.offset();
        if (at % 16 != 0) {
          throw new PtxFault("row address " + at + " of lane " + i + " is no multiple of 16");
        }
        for (int j = 0; j < 8; j++) {
          int x = transposed ? j : i % 8;
          int y = transposed ? i % 8 : j;
          long word = w.registers[from[i / 8] + 4 * x + y / 2];
          w.block.shared().store(at + 2 * j, 2, word >>> y % 2 * 16 & 0xFFFF, w);
        }
      }
    });
  }
}
