package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Compute;
import dev.tkc.tests.emulator.Instruction.Each;
import dev.tkc.tests.emulator.Instruction.Flow;
import dev.tkc.tests.emulator.Instruction.Kind;
import dev.tkc.tests.emulator.Instruction.Lanewise;

/** Statements to instructions. Groups of opcodes have classes of their own. */
final class Decoder {
  private final Registers registers;
  private final MemoryDecoder memory;
  private final WarpDecoder warp;
  private final AsyncDecoder async;

  Decoder(Registers registers) {
    this.registers = registers;
    this.memory = new MemoryDecoder(registers);
    this.warp = new WarpDecoder(registers);
    this.async = new AsyncDecoder(registers);
  }

  Instruction decode(Statement s) {
    return AsyncDecoder.knows(s) ? async.decode(s) : ordinary(s);
  }

  private Instruction ordinary(Statement s) {
    return switch (s.opcode()) {
      case "bra" -> new Flow(Kind.BRANCH);
      case "ret", "exit" -> new Flow(Kind.EXIT);
      case "trap", "brkpt" -> new Each((w, l) -> {
        throw new PtxFault("trap");
      });
      case "nanosleep", "membar", "fence", "prefetch", "prefetchu", "applypriority", "discard", "griddepcontrol" ->
          new Each((w, l) -> { });
      case "mov" -> move(s);
      case "cvt" -> convert(s);
      case "cvta" -> address(s);
      case "mapa" -> mapped(s);
      case "setp" -> compare(s);
      case "ld", "ldu", "st", "atom", "red", "cp", "isspacep" -> memory.decode(s);
      case "bar", "barrier", "shfl", "vote", "match", "redux", "activemask", "elect", "ldmatrix", "stmatrix", "mma" ->
          warp.decode(s);
      default -> compute(s);
    };
  }

  /** {@code mapa.u64 to, address, rank}. */
  private Instruction mapped(Statement s) {
    int to = registers.slot(s.operand(0));
    int address = registers.slot(s.operand(1));
    int rank = registers.slot(s.operand(2));
    return new Each((w, l) -> w.registers[to + l] =
        w.block.cluster().mapped(w.registers[address + l], w.registers[rank + l] & SharedMemory.OFFSET));
  }

  private Instruction compute(Statement s) {
    int[] in = new int[3];
    for (int i = 0; i < 3; i++) {
      in[i] = i + 1 < s.operands().size() ? registers.slot(s.operand(i + 1)) : registers.constant(0);
    }
    if (s.opcode().equals("lop3")) {
      return new Compute(registers.slot(s.operand(0)), in[0], in[1], in[2],
          Integers.lop3((int) Long.decode(s.operand(4)).longValue()));
    }
    if (s.opcode().equals("prmt") || s.opcode().equals("bfi")) {
      int d = s.operands().size() == 5 ? registers.slot(s.operand(4)) : registers.constant(0);
      return s.opcode().equals("bfi") ? insertBits(s, in, d)
          : new Compute(registers.slot(s.operand(0)), in[0], in[1], in[2], Integers::permute);
    }
    PtxType type = s.type();
    Lanewise op = type.isFloat() || type.isPair() ? Floats.op(s) : Integers.op(s);
    return new Compute(registers.slot(s.operand(0)), in[0], in[1], in[2], op);
  }

  private Instruction insertBits(Statement s, int[] in, int length) {
    int to = registers.slot(s.operand(0));
    long all = s.type().mask();
    return new Each((w, l) -> {
      long[] r = w.registers;
      int at = (int) r[in[2] + l] & 255;
      int n = (int) r[length + l] & 255;
      long field = n >= 64 ? -1 : (1L << n) - 1;
      field = at >= 64 ? 0 : field << at;
      r[to + l] = (r[in[0] + l] << at & field | r[in[1] + l] & ~field) & all;
    });
  }

  private Instruction move(Statement s) {
    int[] to = registers.slots(s.operand(0));
    int[] from = registers.slots(s.operand(1));
    int bits = s.type().bits();
    if (to.length == 1 && from.length == 1) {
      long mask = s.type().mask();
      return new Compute(to[0], from[0], from[0], from[0], (a, b, c) -> a & mask);
    }
    return new Each((w, l) -> {
      long whole = 0;
      int width = bits / from.length;
      for (int i = 0; i < from.length; i++) {
        long part = w.registers[from[i] + l];
        whole |= (width == 64 ? part : part & (1L << width) - 1) << i * width;
      }
      int piece = bits / to.length;
      for (int i = 0; i < to.length; i++) {
        w.registers[to[i] + l] = piece == 64 ? whole : whole >>> i * piece & (1L << piece) - 1;
      }
    });
  }

  private Instruction convert(Statement s) {
    int to = registers.slot(s.operand(0));
    int a = registers.slot(s.operand(1));
    int b = s.operands().size() > 2 ? registers.slot(s.operand(2)) : a;
    return new Compute(to, a, b, a, Conversion.of(s, registers.bits(to)));
  }

  private Instruction address(Statement s) {
    long window = s.has("shared") ? GlobalMemory.SHARED_WINDOW : s.has("local") ? GlobalMemory.LOCAL_WINDOW
        : s.has("param") ? GlobalMemory.PARAM_WINDOW : 0;
    int a = registers.slot(s.operand(1));
    Lanewise op = s.has("to") ? (x, y, z) -> x & ~window : (x, y, z) -> x | window;
    return new Compute(registers.slot(s.operand(0)), a, a, a, op);
  }

  /** {@code setp.lt.and.f32 p|q, a, b, c}: p is (a < b) and c, q is not (a < b) and c. */
  private Instruction compare(Statement s) {
    String combine = s.suffixes().stream().filter(x -> x.equals("and") || x.equals("or") || x.equals("xor")).findFirst()
        .orElse("");
    boolean two = s.operands().size() == (combine.isEmpty() ? 4 : 5);
    int p = registers.slot(s.operand(0));
    int first = two ? 2 : 1;
    int a = registers.slot(s.operand(first));
    int b = registers.slot(s.operand(first + 1));
    Lanewise test = Comparison.of(s);
    if (combine.isEmpty() && !two) {
      return new Compute(p, a, b, b, test);
    }
    int q = two ? registers.slot(s.operand(1)) : registers.slot("_");
    String last = combine.isEmpty() ? "1" : s.operand(first + 2);
    boolean not = last.startsWith("!");
    int c = registers.slot(not ? last.substring(1) : last);
    return new Each((w, l) -> {
      long[] r = w.registers;
      long t = test.apply(r[a + l], r[b + l], 0);
      long other = not ? 1 - r[c + l] : r[c + l];
      r[p + l] = joined(combine, t, other);
      r[q + l] = joined(combine, 1 - t, other);
    });
  }

  private static long joined(String combine, long t, long c) {
    return switch (combine) {
      case "or" -> t | c;
      case "xor" -> t ^ c;
      default -> t & c;
    };
  }
}
