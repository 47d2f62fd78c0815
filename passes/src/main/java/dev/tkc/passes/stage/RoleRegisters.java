package dev.tkc.passes.stage;

import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.target.TargetInfo.Registers;

/**
 * How many registers each thread of a producer and of so many consuming warps gets. Together they have what all warps
 * of the block are given at the start: as many each as the processor has for a block alone.
 *
 * @param launch for every thread at the start; no single instruction may take more, whatever registers its role has
 * @param producer for a thread that copies
 * @param consumer for a thread that computes
 */
record RoleRegisters(int launch, int producer, int consumer) {
  /** A producer takes a whole group of warps, since registers are moved between groups. */
  static final int PRODUCER_WARPS = 4;

  /** Addresses and loop counters fit these; with more a producer has room to keep what it would compute again. */
  private static final int LEAST_FOR_PRODUCER = 32;
  private static final int MOST_FOR_PRODUCER = 40;

  /**
   * Better where it computes one tile's places while it still needs those of the tile before, if consumers can spare
   * them.
   */
  private static final int FOR_OVERLAPPING_PRODUCER = 56;
  private static final int ENOUGH_FOR_CONSUMER = 200;

  /** Of a consumer's registers, those for other things than tiles. */
  private static final int BESIDE_TILES = 24;
  private static final int MOST_FOR_TILES = 216;

  /** What a producer can do with where consumers need all others. */
  private static final int SPARING_PRODUCER = 24;

  /**
   * {@code overlapping}: the producer is ahead by a tile; {@code sparing}: the consumers' tiles leave few registers to
   * the rest.
   */
  static RoleRegisters of(TargetInfo target, int consumers, boolean overlapping, boolean sparing) {
    if (sparing) {
      return of(target, consumers, SPARING_PRODUCER, SPARING_PRODUCER);
    }
    RoleRegisters tight = of(target, consumers, LEAST_FOR_PRODUCER, MOST_FOR_PRODUCER);
    RoleRegisters wide = of(target, consumers, FOR_OVERLAPPING_PRODUCER, FOR_OVERLAPPING_PRODUCER);
    return overlapping && wide.consumer >= ENOUGH_FOR_CONSUMER ? wide : tight;
  }

  /**
   * How many of a consumer's registers products' sums, operands and what crosses rounds may take: the rest is for
   * addresses and what is computed in between; with fewer the assembler serialises.
   */
  static int forTiles(TargetInfo target, int consumers) {
    return Math.min(MOST_FOR_TILES, of(target, consumers, false, false).consumer - BESIDE_TILES);
  }

  private static RoleRegisters of(TargetInfo target, int consumers, int least, int most) {
    Registers limits = target.registers();
    int warps = PRODUCER_WARPS + consumers;
    int each = Math.min(limits.perThread() / limits.granule() * limits.granule(),
        limits.perProcessor() / (warps * target.lanes()) / limits.granule() * limits.granule());
    int consumer = Math.min(limits.perThread() / limits.granule() * limits.granule(),
        share(each * warps - least * PRODUCER_WARPS, consumers, limits));
    int producer = Math.min(most, share(each * warps - consumer * consumers, PRODUCER_WARPS, limits));
    return new RoleRegisters(each, producer, consumer);
  }

  private static int share(int registers, int warps, Registers limits) {
    return registers / warps / limits.granule() * limits.granule();
  }
}
