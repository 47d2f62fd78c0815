package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Each;
import dev.tkc.tests.emulator.Instruction.Lanewise;
import dev.tkc.tests.emulator.Registers.Address;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Loads, stores, atomics and asynchronous copies. */
final class MemoryDecoder {
  private final Registers registers;

  MemoryDecoder(Registers registers) {
    this.registers = registers;
  }

  Instruction decode(Statement s) {
    return switch (s.opcode()) {
      case "ld", "ldu" -> access(s, false, s.operand(0), s.operand(1));
      case "st" -> access(s, true, s.operand(1), s.operand(0));
      case "atom" ->
          atomic(s, registers.slots(s.operand(0)), s.operand(1), s.operands().subList(2, s.operands().size()));
      case "red" -> atomic(s, new int[0], s.operand(0), s.operands().subList(1, s.operands().size()));
      case "cp" -> copy(s);
      default -> throw s.unknown();
    };
  }

  private static Access.Space space(Statement s) {
    for (String x : s.suffixes()) {
      switch (x) {
        case "global", "const" -> {
          return Access.Space.GLOBAL;
        }
        case "shared", "shared::cta" -> {
          return Access.Space.SHARED;
        }
        case "local" -> {
          return Access.Space.LOCAL;
        }
        case "param" -> {
          return Access.Space.PARAM;
        }
        default -> { }
      }
    }
    return Access.Space.GENERIC;
  }

  private Instruction access(Statement s, boolean store, String values, String address) {
    int[] slots = registers.slots(values);
    return new Access(space(s), store, slots, Arrays.stream(slots).map(registers::bits).toArray(),
        registers.address(address), s.type());
  }

  // Atomics.

  private Instruction atomic(Statement s, int[] results, String place, List<String> operands) {
    PtxType t = s.type();
    Address address = registers.address(place);
    int[] values = registers.slots(operands.get(0));
    int[] others = operands.size() > 1 ? registers.slots(operands.get(1)) : values;
    Lanewise op = update(s, t);
    boolean shared = space(s) == Access.Space.SHARED;
    return new Each((w, l) -> {
      long at = w.registers[address.base() + l] + address.offset();
      if (at % ((long) t.bytes() * values.length) != 0) {
        throw new PtxFault("atomic at " + Long.toHexString(at) + " is not aligned");
      }
      for (int i = 0; i < values.length; i++, at += t.bytes()) {
        long old = shared ? w.block.shared().peek(at, t.bytes()) : w.block.memory().load(at, t.bytes());
        long now = op.apply(old, w.registers[values[i] + l], w.registers[others[i] + l]);
        if (shared) {
          w.block.shared().poke(at, t.bytes(), now);
        } else {
          w.block.memory().store(at, t.bytes(), now);
        }
        if (results.length > 0) {
          w.registers[results[i] + l] = old;
        }
      }
    });
  }

  /** From the old value and the operands to the new value. */
  private static Lanewise update(Statement s, PtxType t) {
    List<String> names = new ArrayList<>(s.suffixes());
    names.retainAll(List.of("add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"));
    if (names.size() != 1) {
      throw s.unknown();
    }
    long mask = t.mask();
    return switch (names.get(0)) {
      case "exch" -> (old, b, c) -> b & mask;
      case "cas" -> (old, b, c) -> (old & mask) == (b & mask) ? c & mask : old;
      case "inc" -> (old, b, c) -> Long.compareUnsigned(old, b) >= 0 ? 0 : old + 1;
      case "dec" -> (old, b, c) -> old == 0 || Long.compareUnsigned(old, b) > 0 ? b : old - 1;
      default -> {
        Statement plain = new Statement(s.line(), s.text(), names.get(0), List.of(s.suffixes().getLast()), List.of());
        yield t.isFloat() || t.isPair() ? Floats.op(plain) : Integers.op(plain);
      }
    };
  }

  // Asynchronous copies.

  private Instruction copy(Statement s) {
    if (!s.has("async") || s.has("bulk") || s.has("mbarrier")) {
      throw s.unknown();
    }
    if (s.has("commit_group")) {
      return new Each(Warp::commit);
    }
    if (s.has("wait_group")) {
      int pending = Integer.parseInt(s.operand(0));
      return new Each((w, l) -> w.await(l, pending));
    }
    if (s.has("wait_all")) {
      return new Each((w, l) -> {
        w.commit(l);
        w.await(l, 0);
      });
    }
    Address to = registers.address(s.operand(0));
    Address from = registers.address(s.operand(1));
    int bytes = Integer.parseInt(s.operand(2));
    int valid = registers.slot(s.operands().size() > 3 ? s.operand(3) : s.operand(2));
    return new Each((w, l) -> {
      long target = w.registers[to.base() + l] + to.offset();
      long source = w.registers[from.base() + l] + from.offset();
      int read = (int) w.registers[valid + l];
      if (target % bytes != 0 || read > 0 && source % bytes != 0 || read < 0 || read > bytes) {
        throw new PtxFault("cp.async of " + read + " of " + bytes + " bytes from " + Long.toHexString(source) + " to "
            + target);
      }
      byte[] data = new byte[bytes];
      if (read > 0) {
        System.arraycopy(w.block.memory().array(source, read), GlobalMemory.offset(source), data, 0, read);
      }
      w.copy(l, Math.toIntExact(target), data);
    });
  }
}
