package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Collective;
import dev.tkc.tests.emulator.Instruction.Each;
import dev.tkc.tests.emulator.Registers.Address;
import java.util.regex.Pattern;

/** What runs beside the warps: transaction barriers, bulk copies, products of four warps. */
final class AsyncDecoder {
  private static final Pattern RANK = Pattern.compile("[1-5]d");

  private final Registers registers;

  AsyncDecoder(Registers registers) {
    this.registers = registers;
  }

  static boolean knows(Statement s) {
    return switch (s.opcode()) {
      case "mbarrier", "wgmma", "setmaxnreg" -> true;
      case "cp" -> s.has("bulk");
      default -> false;
    };
  }

  Instruction decode(Statement s) {
    return switch (s.opcode()) {
      case "mbarrier" -> barrier(s);
      case "cp" -> bulk(s);
      case "wgmma" -> s.has("mma_async") ? new WarpgroupMultiply(s, registers) : new Collective(-1, (w, lanes) -> { });
      case "setmaxnreg" -> registers(s);
      default -> throw s.unknown();
    };
  }

  private static Instruction registers(Statement s) {
    int count = Integer.parseInt(s.operand(0));
    if (count % 8 != 0 || count < 24 || count > 256) {
      throw s.unknown();
    }
    return new Collective(-1, (w, lanes) -> { });
  }

  private static long at(Warp w, Address a, int lane) {
    return (w.registers[a.base() + lane] + a.offset()) & ~GlobalMemory.SHARED_WINDOW;
  }

  private Instruction barrier(Statement s) {
    if (s.has("try_wait") && s.has("parity")) {
      return new TransactionWait(registers.slot(s.operand(0)), registers.address(s.operand(1)),
          registers.slot(s.operand(2)));
    }
    boolean counts = s.has("arrive");
    Address place = registers.address(s.operand(counts ? 1 : 0));
    int number = registers.slot(s.operands().size() > (counts ? 2 : 1) ? s.operands().getLast() : "0");
    return new Each((w, l) -> {
      TransactionBarriers barriers = w.block.barriers();
      long value = w.registers[number + l] & 0xFFFFFFFFL;
      if (s.has("init")) {
        barriers.init(at(w, place, l), (int) value);
      } else if (s.has("expect_tx")) {
        barriers.expect(at(w, place, l), value);
      } else if (counts) {
        barriers.arrive(at(w, place, l));
      } else {
        throw s.unknown();
      }
    });
  }

  /** Lanes wait until the phase is over. */
  static final class TransactionWait extends Instruction.Wait {
    private final int result;
    private final Address place;
    private final int parity;

    TransactionWait(int result, Address place, int parity) {
      this.result = result;
      this.place = place;
      this.parity = parity;
    }

    @Override
    boolean isOver(Warp w, int lane) {
      return w.block.barriers().isOver(at(w, place, lane), w.registers[parity + lane] & 1);
    }

    @Override
    void run(Warp w, int lanes) {
      for (int m = lanes; m != 0; m &= m - 1) {
        w.registers[result + Integer.numberOfTrailingZeros(m)] = 1;
      }
    }
  }

  private Instruction bulk(Statement s) {
    if (s.has("commit_group")) {
      return new Each((w, l) -> w.commitBulk(l));
    }
    if (s.has("wait_group")) {
      int pending = Integer.parseInt(s.operand(0));
      return new Each((w, l) -> w.awaitBulk(l, pending));
    }
    if (!s.has("tensor") || !s.has("tile") || s.suffixes().stream().noneMatch(x -> RANK.matcher(x).matches())) {
      throw s.unknown();
    }
    boolean load = s.has("mbarrier::complete_tx::bytes");
    boolean prefetch = s.has("prefetch") && s.has("L2");
    if (!load && !prefetch && !s.has("bulk_group")) {
      throw s.unknown();
    }
    String tensor = s.operand(load ? 1 : 0);
    int brace = tensor.indexOf('{');
    Address map = registers.address(tensor.substring(0, tensor.lastIndexOf(',', brace)).strip() + "]");
    int[] at = registers.slots(tensor.substring(brace, tensor.indexOf('}') + 1));
    if (prefetch) {
      return new Each((w, l) -> box(w, map, at, l));
    }
    Address shared = registers.address(s.operand(load ? 0 : 1));
    if (!load) {
      return new Each((w, l) -> {
        TensorBox box = box(w, map, at, l);
        long[] origin = origin(w, at, l);
        long from = aligned(at(w, shared, l));
        w.startBulk(l, () -> box.store(w.block.memory(), w.block.shared(), origin, from));
      });
    }
    Address barrier = registers.address(s.operand(2));
    return new Each((w, l) -> {
      TensorBox box = box(w, map, at, l);
      long[] origin = origin(w, at, l);
      long to = aligned(at(w, shared, l));
      w.block.shared().depart(to, (int) box.bytes());
      w.block.barriers().depart(
          () -> box.load(w.block.memory(), w.block.shared(), origin, to), at(w, barrier, l), box.bytes());
    });
  }

  private static long aligned(long address) {
    if (address % 128 != 0) {
      throw new PtxFault("a bulk copy at shared address " + address + ", no multiple of 128");
    }
    return address;
  }

  private static TensorBox box(Warp w, Address map, int[] at, int lane) {
    long place = w.registers[map.base() + lane] + map.offset() & ~GlobalMemory.PARAM_WINDOW;
    TensorBox box = w.block.map(SharedMemory.get(w.block.parameters(), Math.toIntExact(place), 8));
    if (box.sizes().size() != at.length) {
      throw new PtxFault("a copy of " + at.length + " dimensions with the map of " + box.sizes().size());
    }
    return box;
  }

  /** Coordinates come the fastest first. */
  private static long[] origin(Warp w, int[] at, int lane) {
    long[] origin = new long[at.length];
    for (int i = 0; i < at.length; i++) {
      origin[at.length - 1 - i] = (int) w.registers[at[i] + lane];
    }
    return origin;
  }
}
