package dev.tkc.tests.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The machine code of a function in a cubin for sm_90, read as far as a gate needs: an instruction has 16 bytes, the
 * lowest 9 bits are its operation, and those of a branch say where it goes. What an operation is called was seen with
 * {@code cuobjdump}; one that is not named here is {@link Kind#OTHER}.
 */
record Sass(String function, List<Instruction> instructions) {
  enum Kind {
    /** {@code HGMMA}, {@code IGMMA}, {@code QGMMA}: asynchronous matrix products. */
    PRODUCT,
    /** {@code WARPGROUP.ARRIVE}, {@code WARPGROUP.DEPBAR}: registers of products are handed over or waited for. */
    WARPGROUP,
    /** {@code R2UR}: a value that the assembler could not keep in uniform registers. */
    TO_UNIFORM,
    /** {@code WARPSYNC}: threads that may have gone different ways are brought together. */
    WARP_SYNC,
    /** {@code BAR}. */
    BARRIER,
    /** {@code SYNCS}: transaction barriers. */
    TRANSACTION,
    /** {@code LDL}, {@code STL}: spilled registers. */
    LOCAL,
    /** {@code LDS}, {@code STS}, {@code LDSM}, {@code STSM}. */
    SHARED,
    /** {@code LDG}, {@code STG}, {@code LDGSTS}, {@code REDG}. */
    GLOBAL,
    /** {@code BRA}, {@code CALL}, {@code EXIT}. */
    BRANCH,
    /** {@code MUFU}. */
    FUNCTION,
    OTHER
  }

  private static final Map<Integer, Kind> KINDS = Map.ofEntries(
      Map.entry(0x1f0, Kind.PRODUCT), Map.entry(0x1f1, Kind.PRODUCT), Map.entry(0x1f3, Kind.PRODUCT),
      Map.entry(0x1c5, Kind.WARPGROUP),
      Map.entry(0x0ca, Kind.TO_UNIFORM),
      Map.entry(0x148, Kind.WARP_SYNC),
      Map.entry(0x11d, Kind.BARRIER),
      Map.entry(0x1a7, Kind.TRANSACTION), Map.entry(0x1b2, Kind.TRANSACTION),
      Map.entry(0x183, Kind.LOCAL), Map.entry(0x187, Kind.LOCAL),
      Map.entry(0x184, Kind.SHARED), Map.entry(0x188, Kind.SHARED), Map.entry(0x03b, Kind.SHARED),
      Map.entry(0x044, Kind.SHARED), Map.entry(0x181, Kind.GLOBAL), Map.entry(0x186, Kind.GLOBAL),
      Map.entry(0x1ae, Kind.GLOBAL), Map.entry(0x1a6, Kind.GLOBAL), Map.entry(0x147, Kind.BRANCH),
      Map.entry(0x144, Kind.BRANCH), Map.entry(0x14d, Kind.BRANCH), Map.entry(0x108, Kind.FUNCTION));

  private static final int BRA = 0x147;

  /** One instruction; {@code target} is where a branch goes. */
  record Instruction(long address, Kind kind, OptionalLong target) {
    static Instruction of(long address, long low) {
      int operation = (int) low & 0x1ff;
      Kind kind = KINDS.getOrDefault(operation, Kind.OTHER);
      return new Instruction(address, kind,
          operation == BRA ? OptionalLong.of(address + SIZE + distance(low)) : OptionalLong.empty());
    }

    /** Bytes from the next instruction, a quarter of them in two pieces. */
    private static long distance(long low) {
      return (low >> 34 << 8 | low >> 16 & 0xff) * 4;
    }
  }

  /** A loop without another one that multiplies inside it. */
  record Loop(List<Instruction> body) {
    int count(Kind kind) {
      return Math.toIntExact(body.stream().filter(i -> i.kind == kind).count());
    }

    @Override
    public String toString() {
      return "%x-%x: %d instructions, %d products, %d to uniform registers, %d warp syncs, %d barriers, %d local"
          .formatted(
          body.getFirst().address, body.getLast().address, body.size(), count(Kind.PRODUCT), count(Kind.TO_UNIFORM),
          count(Kind.WARP_SYNC), count(Kind.BARRIER), count(Kind.LOCAL));
    }
  }

  private static final int SIZE = 16;

  /** Shorter loops only wait. */
  private static final int LEAST = 8;

  /** All functions of a cubin, by name. */
  static Map<String, Sass> read(byte[] cubin) {
    ByteBuffer elf = ByteBuffer.wrap(cubin).order(ByteOrder.LITTLE_ENDIAN);
    int headers = (int) elf.getLong(0x28);
    int each = elf.getShort(0x3a);
    int count = elf.getShort(0x3c);
    int names = (int) elf.getLong(headers + elf.getShort(0x3e) * each + 0x18);
    Map<String, Sass> functions = new LinkedHashMap<>();
    for (int n = 0; n < count; n++) {
      int header = headers + n * each;
      String name = text(cubin, names + elf.getInt(header));
      if (name.startsWith(".text.")) {
        String function = name.substring(".text.".length());
        functions.put(function,
            new Sass(function, code(elf, (int) elf.getLong(header + 0x18), elf.getLong(header + 0x20))));
      }
    }
    return functions;
  }

  private static List<Instruction> code(ByteBuffer elf, int offset, long bytes) {
    List<Instruction> code = new ArrayList<>();
    for (int at = 0; at < bytes; at += SIZE) {
      code.add(Instruction.of(at, elf.getLong(offset + at)));
    }
    return code;
  }

  private static String text(byte[] bytes, int from) {
    int to = from;
    while (bytes[to] != 0) {
      to++;
    }
    return new String(bytes, from, to - from, StandardCharsets.UTF_8);
  }

  int count(Kind kind) {
    return Math.toIntExact(instructions.stream().filter(i -> i.kind == kind).count());
  }

  /** The innermost loops among those that multiply. */
  List<Loop> loops() {
    List<Loop> all = new ArrayList<>();
    for (int end = 0; end < instructions.size(); end++) {
      Instruction i = instructions.get(end);
      if (i.target.isPresent() && i.target.getAsLong() >= 0 && i.target.getAsLong() <= i.address
          && !isBehindWait(end)) {
        Loop loop = new Loop(instructions.subList((int) (i.target.getAsLong() / SIZE), end + 1));
        if (loop.body.size() >= LEAST && loop.count(Kind.PRODUCT) > 0) {
          all.add(loop);
        }
      }
    }
    return all.stream()
        .filter(outer -> all.stream().noneMatch(inner -> inner != outer && contains(outer, inner))).toList();
  }

  /** Whether the branch goes back to where a wait was left for a place out of the way. */
  private boolean isBehindWait(int branch) {
    return branch > 1 && instructions.get(branch - 2).kind == Kind.TRANSACTION
        && instructions.get(branch - 1).target.equals(OptionalLong.of(instructions.get(branch - 2).address));
  }

  private static boolean contains(Loop outer, Loop inner) {
    return outer.body.size() > inner.body.size() && outer.body.getFirst().address <= inner.body.getFirst().address
        && outer.body.getLast().address >= inner.body.getLast().address;
  }

  /** What stands between two products that nothing tells apart: no hand-over of registers, wait or branch. */
  List<List<Instruction>> gaps() {
    List<List<Instruction>> gaps = new ArrayList<>();
    int last = -1;
    for (int n = 0; n < instructions.size(); n++) {
      switch (instructions.get(n).kind) {
        case PRODUCT -> {
          if (last >= 0) {
            gaps.add(instructions.subList(last + 1, n));
          }
          last = n;
        }
        case WARPGROUP, TRANSACTION, BRANCH -> last = -1;
        case TO_UNIFORM, WARP_SYNC, BARRIER, LOCAL, SHARED, GLOBAL, FUNCTION, OTHER -> { }
      }
    }
    return gaps;
  }
}
