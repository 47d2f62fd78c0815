package dev.tkc.tests.emulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * Thirty-two threads. Lanes may stand at different instructions; those at the least one run, so that lanes that
 * diverged meet again where their paths join. A lane runs until it exits or waits: at a barrier, or at a collective for
 * other lanes.
 */
final class Warp {
  /** A copy to shared memory that is under way. */
  record Copy(int address, byte[] data) {}

  final Block block;
  final int number;
  final long[] registers;
  private final Instruction[] code;
  private final int[] pc = new int[32];
  private int running;
  private int alive;
  /** Lanes at a collective that others have not reached yet. */
  private int parked;
  private int atBarrier;
  private int atCluster;
  /** Lanes that have arrived at the cluster's barrier and not waited. */
  private int owed;
  private final byte[][] local = new byte[32][];
  /** Of every lane, the copies not committed yet, and the committed groups, oldest first. */
  private final List<List<Copy>> open = new ArrayList<>();
  private final List<Deque<List<Copy>>> groups = new ArrayList<>();
  /** The same of bulk stores. */
  private final List<List<Runnable>> openBulk = new ArrayList<>();
  private final List<Deque<List<Runnable>>> bulk = new ArrayList<>();

  Warp(Block block, int number, int lanes, long[] registers) {
    this.block = block;
    this.number = number;
    this.registers = registers;
    this.code = block.kernel().code();
    this.alive = lanes == 32 ? -1 : (1 << lanes) - 1;
    this.running = alive;
    for (int l = 0; l < 32; l++) {
      open.add(new ArrayList<>());
      groups.add(new ArrayDeque<>());
      openBulk.add(new ArrayList<>());
      bulk.add(new ArrayDeque<>());
    }
  }

  boolean canRun() {
    return running != 0;
  }

  int alive() {
    return alive;
  }

  int atBarrier() {
    return atBarrier;
  }

  Instruction at(int lane) {
    return code[pc[lane]];
  }

  /** Lets lanes go on after a barrier. */
  void release(int lanes) {
    atBarrier &= ~lanes;
    running |= lanes;
    for (int m = lanes; m != 0; m &= m - 1) {
      pc[Integer.numberOfTrailingZeros(m)]++;
    }
  }

  /** By which shared memory knows it among the warps of the cluster. */
  int id() {
    return 32 * block.cluster().rank(block) + number;
  }

  /** The lanes come to the cluster's barrier. */
  void arriveAtCluster(int lanes) {
    if ((owed & lanes) != 0) {
      throw new PtxFault("lanes " + Integer.toHexString(owed & lanes)
          + " arrive at the cluster's barrier twice without waiting");
    }
    atCluster |= lanes;
    owed |= lanes;
  }

  /** Whether a lane that has arrived at the cluster's barrier may go on from it. */
  boolean passesCluster(int lane) {
    if ((owed >>> lane & 1) == 0) {
      throw new PtxFault("lane " + lane + " waits at the cluster's barrier without having arrived");
    }
    return (atCluster >>> lane & 1) == 0;
  }

  void passedCluster(int lanes) {
    owed &= ~lanes;
  }

  /** Lanes that have arrived at the cluster's barrier since it opened. */
  int atCluster() {
    return atCluster;
  }

  void openCluster() {
    atCluster = 0;
  }

  /** Lets lanes go on for whom what they wait for is over. */
  boolean passWaits() {
    boolean any = false;
    for (int m = atBarrier; m != 0; m &= m - 1) {
      int l = Integer.numberOfTrailingZeros(m);
      if (at(l) instanceof Instruction.Wait wait && wait.isOver(this, l)) {
        wait.run(this, 1 << l);
        release(1 << l);
        any = true;
      }
    }
    return any;
  }

  /** Runs until no lane can. */
  void run() {
    while (running != 0) {
      int at = Integer.MAX_VALUE;
      for (int m = running; m != 0; m &= m - 1) {
        at = Math.min(at, pc[Integer.numberOfTrailingZeros(m)]);
      }
      int lanes = 0;
      int next = Integer.MAX_VALUE;
      for (int m = running; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        if (pc[l] == at) {
          lanes |= 1 << l;
        } else {
          next = Math.min(next, pc[l]);
        }
      }
      straight(at, lanes, next);
    }
    if (parked != 0) {
      int l = Integer.numberOfTrailingZeros(parked);
      throw new PtxFault("warp " + number + " waits for lanes that never come, at " + at(l) + "; parked "
          + Integer.toHexString(parked) + ", at a barrier " + Integer.toHexString(atBarrier) + ", alive "
          + Integer.toHexString(alive));
    }
  }

  /** Runs lanes from one instruction on until they part, wait, end, or reach {@code next}, where others stand. */
  private void straight(int from, int lanes, int next) {
    int at = from;
    while (true) {
      if (at >= code.length) {
        throw new PtxFault("ran past the end of " + block.kernel().name());
      }
      Instruction i = code[at];
      int active = i.guard < 0 ? lanes : guarded(i, lanes);
      i.executed++;
      boolean go = switch (i.kind) {
        case PLAIN -> {
          execute(i, active);
          yield true;
        }
        case BRANCH -> branch(i, at, lanes, active);
        case EXIT -> {
          running &= ~active;
          alive &= ~active;
          place(lanes & ~active, at + 1);
          yield false;
        }
        case COLLECTIVE -> collective(i, at, lanes, active);
        case BARRIER -> {
          place(lanes & ~active, at + 1);
          place(active, at);
          running &= ~active;
          atBarrier |= active;
          yield false;
        }
      };
      if (!go) {
        return;
      }
      at = i.kind == Instruction.Kind.BRANCH && active == lanes ? i.target : at + 1;
      if (at >= next || at < from && next != Integer.MAX_VALUE) {
        place(lanes, at);
        return;
      }
    }
  }

  private void execute(Instruction i, int active) {
    if (active == 0) {
      return;
    }
    try {
      i.run(this, active);
    } catch (PtxFault e) {
      throw new PtxFault(e.getMessage() + "\n  at " + i + "\n  block " + block.id() + ", warp " + number + ", lanes "
          + Integer.toHexString(active), e);
    }
  }

  private boolean branch(Instruction i, int at, int lanes, int active) {
    if (active == lanes || active == 0) {
      return true;
    }
    place(active, i.target);
    place(lanes & ~active, at + 1);
    return false;
  }

  private boolean collective(Instruction i, int at, int lanes, int active) {
    if (active != lanes) {
      place(lanes & ~active, at + 1);
    }
    if (active == 0) {
      return false;
    }
    int here = active;
    for (int m = parked; m != 0; m &= m - 1) {
      int l = Integer.numberOfTrailingZeros(m);
      here |= pc[l] == at ? 1 << l : 0;
    }
    int members = i.members(this, here);
    if ((members & ~here) != 0) {
      place(active, at);
      running &= ~active;
      parked |= active;
      return false;
    }
    execute(i, here);
    if (here == lanes) {
      return true;
    }
    parked &= ~here;
    running |= here;
    place(here, at + 1);
    return false;
  }

  private void place(int lanes, int at) {
    for (int m = lanes; m != 0; m &= m - 1) {
      pc[Integer.numberOfTrailingZeros(m)] = at;
    }
  }

  private int guarded(Instruction i, int lanes) {
    int out = 0;
    for (int m = lanes; m != 0; m &= m - 1) {
      int l = Integer.numberOfTrailingZeros(m);
      if ((registers[i.guard + l] != 0) != i.negated) {
        out |= 1 << l;
      }
    }
    return out;
  }

  byte[] local(int lane) {
    if (local[lane] == null) {
      local[lane] = new byte[block.kernel().localBytes()];
      Arrays.fill(local[lane], (byte) 0xFF);
    }
    return local[lane];
  }

  // Bulk stores: they read shared memory when somebody waits for them.

  void startBulk(int lane, Runnable store) {
    openBulk.get(lane).add(store);
  }

  void commitBulk(int lane) {
    bulk.get(lane).add(List.copyOf(openBulk.get(lane)));
    openBulk.get(lane).clear();
  }

  void awaitBulk(int lane, int pending) {
    while (bulk.get(lane).size() > pending) {
      bulk.get(lane).removeFirst().forEach(Runnable::run);
    }
  }

  /** Whether nothing that the warp has started is under way. */
  boolean isQuiet() {
    return openBulk.stream().allMatch(List::isEmpty) && bulk.stream().allMatch(Deque::isEmpty);
  }

  // Asynchronous copies.

  void copy(int lane, int address, byte[] data) {
    block.shared().depart(address, data.length, this);
    open.get(lane).add(new Copy(address, data));
  }

  void commit(int lane) {
    groups.get(lane).add(List.copyOf(open.get(lane)));
    open.get(lane).clear();
  }

  /** Waits until at most {@code pending} groups are under way. */
  void await(int lane, int pending) {
    Deque<List<Copy>> all = groups.get(lane);
    while (all.size() > pending) {
      for (Copy c : all.removeFirst()) {
        block.shared().land(c.address(), c.data(), this);
      }
    }
  }
}
