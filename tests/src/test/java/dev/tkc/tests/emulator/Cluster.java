package dev.tkc.tests.emulator;

import java.util.ArrayList;
import java.util.List;

/**
 * Blocks that run at the same time, meet, and reach each other's shared memory; a block by itself where a kernel says
 * nothing of clusters. In a generic address of shared memory the bits from {@link #RANK} on are 0 for the block's own,
 * or one more than the number of the block whose it is.
 */
final class Cluster {
  static final int RANK = 32;

  private static final int RANKS = 0xFF;

  private final List<Block> blocks = new ArrayList<>();

  void add(Block block) {
    blocks.add(block);
  }

  int size() {
    return blocks.size();
  }

  int rank(Block block) {
    return blocks.indexOf(block);
  }

  /** The shared memory that an address of one of the blocks is in. */
  SharedMemory shared(Block from, long address) {
    int rank = (int) (address >>> RANK) & RANKS;
    if (rank == 0) {
      return from.shared();
    }
    Block to = blocks.get(rank - 1);
    if (!to.isAlive()) {
      throw new PtxFault("block " + from.id() + " reaches for the shared memory of block " + to.id()
          + ", which has ended");
    }
    return to.shared();
  }

  /** {@code mapa}: the address that a place of a block's own shared memory has in block {@code rank}. */
  long mapped(long address, long rank) {
    if (address >>> GlobalMemory.WINDOW_BITS != GlobalMemory.SHARED_WINDOW >>> GlobalMemory.WINDOW_BITS || rank < 0
        || rank >= blocks.size()) {
      throw new PtxFault("address " + Long.toHexString(address) + " in block " + rank + " of " + blocks.size());
    }
    return address & ~((long) RANKS << RANK) | rank + 1 << RANK;
  }

  void run() {
    while (blocks.stream().anyMatch(Block::isAlive)) {
      boolean progress = false;
      for (Block b : blocks) {
        progress |= b.step();
      }
      progress |= meet();
      if (!progress && blocks.stream().noneMatch(b -> b.barriers().land())) {
        throw new PtxFault(blocks.stream().filter(Block::isAlive).map(Block::waiting).toList().toString());
      }
    }
    blocks.forEach(Block::end);
  }

  /** Opens the cluster's barrier where all threads that have not ended have arrived. */
  private boolean meet() {
    List<Warp> warps = blocks.stream().flatMap(b -> b.warps().stream()).toList();
    if (warps.stream().allMatch(w -> w.atCluster() == 0)
        || warps.stream().anyMatch(w -> (w.alive() & ~w.atCluster()) != 0)) {
      return false;
    }
    warps.forEach(Warp::openCluster);
    blocks.forEach(b -> b.shared().nextEpoch());
    return true;
  }
}
