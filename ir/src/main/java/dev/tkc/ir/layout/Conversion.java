package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a tile gets from one register layout to another of the same tile, the cheapest way that serves: nothing, a
 * renaming of registers within each thread, shuffles within each warp, or through shared memory.
 */
public sealed interface Conversion {
  /** Register for register the same. */
  record None() implements Conversion {}

  /** Target register {@code i} of every thread is its source register {@code from.get(i)}. */
  record Permute(List<Integer> from) implements Conversion {
    public Permute {
      from = List.copyOf(from);
    }
  }

  /** Elements stay within their warps. */
  record Shuffle(ShufflePlan plan) implements Conversion {}

  /** Write all, wait for the whole block, read all. */
  record Shared(Scratch scratch) implements Conversion {}

  /** More shuffle rounds than this lose against a trip through shared memory. */
  int MOST_ROUNDS = 16;

  /** More lane-dependent bits of the published register than this lose too: selects double with each. */
  int MOST_SELECT_BITS = 2;

  static Conversion plan(LinearLayout source, LinearLayout target, int elementBits, Banks banks) {
    if (!source.sizes().equals(target.sizes())) {
      throw new IllegalStateException("layouts of different tiles: " + source.sizes() + " and " + target.sizes());
    }
    return withoutMemory(source, target, elementBits)
        .orElseGet(() -> new Shared(Scratch.between(source, target, elementBits, banks)));
  }

  /** The plan, if it is not one through shared memory. */
  static Optional<Conversion> withoutMemory(LinearLayout source, LinearLayout target, int elementBits) {
    Optional<List<Integer>> renamed = permutation(source, target);
    if (renamed.isPresent()) {
      return Optional.of(isIdentity(renamed.get(), source) ? new None() : new Permute(renamed.get()));
    }
    Optional<ShufflePlan> shuffles = withinWarps(source, target)
        .flatMap(map -> ShufflePlan.of(source, target, map, elementBits));
    return shuffles.filter(s -> s.rounds().size() <= MOST_ROUNDS && s.selectBits() <= MOST_SELECT_BITS
        && elementBits <= 32).map(Shuffle::new);
  }

  /** Whether no data leaves its thread. */
  static boolean isFree(LinearLayout source, LinearLayout target) {
    return source.sizes().equals(target.sizes()) && permutation(source, target).isPresent();
  }

  private static boolean isIdentity(List<Integer> from, LinearLayout source) {
    if (from.size() != source.registersPerThread()) {
      return false;
    }
    for (int i = 0; i < from.size(); i++) {
      if (from.get(i) != i && source.applyFlat(InDim.REGISTER, from.get(i)) != source.applyFlat(InDim.REGISTER, i)) {
        return false;
      }
    }
    return true;
  }

  /** The source register of each target register, where every thread already holds what it must. */
  private static Optional<List<Integer>> permutation(LinearLayout source, LinearLayout target) {
    int lanes = target.bits(InDim.LANE);
    int warps = target.bits(InDim.WARP);
    if (lanes != source.bits(InDim.LANE) || warps != source.bits(InDim.WARP)) {
      return Optional.empty();
    }
    Optional<Gf2> registers = source.matrix(InDim.REGISTER).factor(target.matrix(InDim.REGISTER));
    if (registers.isEmpty() || !agree(source, target, InDim.LANE) || !agree(source, target, InDim.WARP)) {
      return Optional.empty();
    }
    List<Integer> from = new ArrayList<>();
    for (int r = 0; r < target.registersPerThread(); r++) {
      from.add((int) registers.get().apply(r));
    }
    return Optional.of(from);
  }

  private static boolean agree(LinearLayout source, LinearLayout target, InDim dim) {
    return source.flatBasis(dim).equals(target.flatBasis(dim));
  }

  /** From a target's (register, lane) to the source's in the same warp that holds its element. */
  private static Optional<Gf2> withinWarps(LinearLayout source, LinearLayout target) {
    if (source.bits(InDim.LANE) != target.bits(InDim.LANE) || !agree(source, target, InDim.WARP)) {
      return Optional.empty();
    }
    Gf2 registers = source.matrix(InDim.REGISTER);
    Gf2 holders = registers.beside(source.matrix(InDim.LANE));
    List<Long> columns = new ArrayList<>();
    for (long element : target.flatBasis(InDim.REGISTER)) {
      Optional<Long> holder = holders.solve(element);
      if (holder.isEmpty()) {
        return Optional.empty();
      }
      columns.add(holder.get());
    }
    for (int i = 0; i < target.bits(InDim.LANE); i++) {
      long element = target.flatBasis(InDim.LANE).get(i);
      long ownLane = 1L << (source.bits(InDim.REGISTER) + i);
      // A lane that holds the element itself needs no other.
      Optional<Long> holder = registers.solve(element ^ holders.apply(ownLane)).map(r -> r ^ ownLane)
          .or(() -> holders.solve(element));
      if (holder.isEmpty()) {
        return Optional.empty();
      }
      columns.add(holder.get());
    }
    return Optional.of(Gf2.of(holders.columnCount(), columns));
  }
}
