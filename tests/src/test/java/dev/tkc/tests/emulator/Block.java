package dev.tkc.tests.emulator;

import java.util.ArrayList;
import java.util.List;

/** A block of threads: its warps, their shared memory, and the barriers at which they meet. */
final class Block {
  private final PtxKernel kernel;
  private final long id;
  private final GlobalMemory memory;
  private final byte[] parameters;
  private final SharedMemory shared;
  private final boolean profiling;
  private final List<TensorBox> maps;
  private final Cluster cluster;
  private final TransactionBarriers barriers;
  /** Arrivals at each barrier of threads that do not wait there. */
  private final int[] arrivals = new int[16];
  private final List<Warp> warps = new ArrayList<>();

  Block(PtxKernel kernel, long id, GlobalMemory memory, byte[] parameters, SharedMemory shared, boolean profiling,
      List<TensorBox> maps, Cluster cluster) {
    this.kernel = kernel;
    this.id = id;
    this.memory = memory;
    this.parameters = parameters;
    this.shared = shared;
    this.profiling = profiling;
    this.maps = maps;
    this.cluster = cluster;
    this.barriers = new TransactionBarriers(shared);
  }

  PtxKernel kernel() {
    return kernel;
  }

  long id() {
    return id;
  }

  GlobalMemory memory() {
    return memory;
  }

  byte[] parameters() {
    return parameters;
  }

  SharedMemory shared() {
    return shared;
  }

  /** Whether accesses count what they take. */
  boolean profiles() {
    return profiling;
  }

  TransactionBarriers barriers() {
    return barriers;
  }

  /** The tensor map whose number a parameter holds. */
  TensorBox map(long number) {
    if (number < 0 || number >= maps.size()) {
      throw new PtxFault("a tensor map where there is none");
    }
    return maps.get((int) number);
  }

  void add(Warp warp) {
    warps.add(warp);
  }

  /** The blocks that run at the same time. */
  Cluster cluster() {
    return cluster;
  }

  List<Warp> warps() {
    return warps;
  }

  boolean isAlive() {
    return warps.stream().anyMatch(w -> w.alive() != 0);
  }

  /** Lets all warps go on as far as they can; whether any could. */
  boolean step() {
    boolean progress = false;
    for (Warp w : warps) {
      if (w.canRun()) {
        w.run();
        progress = true;
      }
    }
    progress |= meet();
    for (Warp w : warps) {
      progress |= w.passWaits();
    }
    return progress;
  }

  /** What threads wait at that cannot go on. */
  String waiting() {
    return "block " + id + ": threads wait at different barriers: " + warps.stream()
        .filter(w -> w.atBarrier() != 0).map(w -> w.at(Integer.numberOfTrailingZeros(w.atBarrier()))).toList();
  }

  void end() {
    if (!barriers.isQuiet() || !warps.stream().allMatch(Warp::isQuiet)) {
      throw new PtxFault("block " + id + " ends while its copies are under way");
    }
  }

  /** {@code bar.arrive}: so many threads count as there. */
  void arrive(int barrier, int threads, int expected) {
    arrivals[barrier] += threads;
    if (arrivals[barrier] > expected) {
      throw new PtxFault("block " + id + ": barrier " + barrier + " of " + expected + " threads has "
          + arrivals[barrier] + " arrivals");
    }
  }

  /** Opens the barriers at which all expected threads have arrived. */
  private boolean meet() {
    boolean any = false;
    for (int barrier = 0; barrier < 16; barrier++) {
      int arrived = arrivals[barrier];
      int expected = 0;
      int alive = 0;
      for (Warp w : warps) {
        int here = lanesAt(w, barrier);
        arrived += Integer.bitCount(here);
        alive += Integer.bitCount(w.alive());
        if (here != 0) {
          int lane = Integer.numberOfTrailingZeros(here);
          expected = w.at(lane).barrierThreads(w, lane);
        }
      }
      if (arrived > arrivals[barrier] && arrived >= (expected == 0 ? alive : expected)) {
        open(barrier);
        arrivals[barrier] = 0;
        shared.nextEpoch();
        any = true;
      }
    }
    return any;
  }

  private void open(int barrier) {
    boolean anywhere = false;
    for (Warp w : warps) {
      for (int m = lanesAt(w, barrier); m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        anywhere |= w.at(lane).holds(w, lane);
      }
    }
    for (Warp w : warps) {
      int lanes = lanesAt(w, barrier);
      for (int m = lanes; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        w.at(lane).met(w, lane, anywhere);
      }
      w.release(lanes);
    }
  }

  private static int lanesAt(Warp w, int barrier) {
    int lanes = 0;
    for (int m = w.atBarrier(); m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      lanes |= w.at(lane).barrier(w, lane) == barrier ? 1 << lane : 0;
    }
    return lanes;
  }
}
