package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a thread moves its registers of a tile to or from linear memory in vectors: each access names the registers in
 * the order of their places in memory, and every access starts at a multiple of its width. Registers that hold
 * duplicates of others are left out; the reader of a load copies them from their twins.
 */
public record VectorAccess(int width, List<List<Integer>> accesses) {
  public VectorAccess {
    accesses = accesses.stream().map(List::copyOf).toList();
  }

  /**
   * The widest accesses, of at most {@code limit} elements, for a map from flat (register, lane, warp) inputs to places
   * in memory of which the lowest {@code registerBits} columns are the registers. The accesses come in the order of
   * their first registers.
   */
  public static VectorAccess of(Gf2 toPlace, int registerBits, int limit) {
    Gf2 registers = toPlace.columns(0, registerBits);
    int bits = 0;
    List<Long> steps = new ArrayList<>();
    long fixed = lowestBit(toPlace, registerBits);
    while (1 << (bits + 1) <= limit && bits < registers.rows() && (fixed == 0 || 1L << bits < fixed)) {
      Optional<Long> step = registers.solve(1L << bits);
      if (step.isEmpty()) {
        break;
      }
      steps.add(step.get());
      bits++;
    }
    return new VectorAccess(1 << bits, group(registers, steps));
  }

  /**
   * The lowest place bit that lanes or warps move, which bounds the alignment of any access; 0 where they move none.
   */
  private static long lowestBit(Gf2 toPlace, int registerBits) {
    long moved = 0;
    for (int i = registerBits; i < toPlace.columnCount(); i++) {
      moved |= toPlace.column(i);
    }
    return Long.lowestOneBit(moved);
  }

  private static List<List<Integer>> group(Gf2 registers, List<Long> steps) {
    Gf2 within = Gf2.of(registers.columnCount(), steps);
    long low = (1L << steps.size()) - 1;
    long free = registers.dependentColumns();
    List<List<Integer>> accesses = new ArrayList<>();
    for (int register = 0; register < 1 << registers.columnCount(); register++) {
      if ((register & free) != 0 || (registers.apply(register) & low) != 0) {
        continue;
      }
      List<Integer> access = new ArrayList<>();
      for (int e = 0; e < 1 << steps.size(); e++) {
        access.add(register ^ (int) within.apply(e));
      }
      accesses.add(access);
    }
    return accesses;
  }
}
