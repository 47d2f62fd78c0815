package dev.tkc.tests.emulator;

/**
 * One decoded instruction. Operands are slots: places in a warp's register file where the 32 lanes' values lie side by
 * side; constants and special registers have slots too, filled before the first instruction.
 */
abstract class Instruction {
  /** How the warp treats it. */
  enum Kind {
    /** Every lane by itself. */
    PLAIN,
    /** Lanes go on at the target. */
    BRANCH,
    /** Lanes end. */
    EXIT,
    /** Happens when all lanes of the member mask are there. */
    COLLECTIVE,
    /** Lanes wait for other warps. */
    BARRIER
  }

  static final int NO_GUARD = -1;

  final Kind kind;
  int line;
  String text;
  int guard = NO_GUARD;
  boolean negated;
  /** Index of the instruction a branch goes to. */
  int target;
  /** How often warps have executed it. */
  long executed;

  Instruction(Kind kind) {
    this.kind = kind;
  }

  /** Executes for the lanes whose bits are set. */
  abstract void run(Warp w, int lanes);

  /** The lanes that must arrive together; asked of collectives. */
  int members(Warp w, int lanes) {
    return -1;
  }

  /** Which barrier, and how many threads meet there, 0 for all; asked of barriers. */
  int barrier(Warp w, int lane) {
    return 0;
  }

  /** What a lane brings to a barrier that says whether something holds anywhere. */
  boolean holds(Warp w, int lane) {
    return false;
  }

  /** The barrier has opened. */
  void met(Warp w, int lane, boolean anywhere) {}

  int barrierThreads(Warp w, int lane) {
    return 0;
  }

  @Override
  public String toString() {
    return "line " + line + ": " + text;
  }

  /** What one lane computes of up to three values. */
  @FunctionalInterface
  interface Lanewise {
    long apply(long a, long b, long c);
  }

  /** Elementwise computation. */
  static final class Compute extends Instruction {
    private final int to;
    private final int a;
    private final int b;
    private final int c;
    private final Lanewise op;

    Compute(int to, int a, int b, int c, Lanewise op) {
      super(Kind.PLAIN);
      this.to = to;
      this.a = a;
      this.b = b;
      this.c = c;
      this.op = op;
    }

    @Override
    void run(Warp w, int lanes) {
      long[] r = w.registers;
      if (lanes == -1) {
        for (int l = 0; l < 32; l++) {
          r[to + l] = op.apply(r[a + l], r[b + l], r[c + l]);
        }
        return;
      }
      for (int m = lanes; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[to + l] = op.apply(r[a + l], r[b + l], r[c + l]);
      }
    }
  }

  /** An action of one lane at a time. */
  @FunctionalInterface
  interface Action {
    void run(Warp w, int lane);
  }

  static final class Each extends Instruction {
    private final Action action;

    Each(Action action) {
      super(Kind.PLAIN);
      this.action = action;
    }

    @Override
    void run(Warp w, int lanes) {
      for (int m = lanes; m != 0; m &= m - 1) {
        action.run(w, Integer.numberOfTrailingZeros(m));
      }
    }
  }

  /** Something that needs several lanes at once. */
  @FunctionalInterface
  interface Together {
    void run(Warp w, int lanes);
  }

  static final class Collective extends Instruction {
    private final int memberSlot;
    private final Together action;

    /** {@code memberSlot} holds the member mask; negative: the whole warp. */
    Collective(int memberSlot, Together action) {
      super(Kind.COLLECTIVE);
      this.memberSlot = memberSlot;
      this.action = action;
    }

    @Override
    int members(Warp w, int lanes) {
      if (memberSlot < 0) {
        return -1;
      }
      int mask = (int) w.registers[memberSlot + Integer.numberOfTrailingZeros(lanes)];
      for (int m = lanes; m != 0; m &= m - 1) {
        if ((int) w.registers[memberSlot + Integer.numberOfTrailingZeros(m)] != mask) {
          throw new PtxFault("lanes give different member masks");
        }
      }
      if ((lanes & ~mask) != 0) {
        throw new PtxFault("lanes execute it that are not in its member mask");
      }
      return mask;
    }

    @Override
    void run(Warp w, int lanes) {
      action.run(w, lanes);
    }
  }

  /** Lanes wait for something by themselves. */
  abstract static class Wait extends Instruction {
    Wait() {
      super(Kind.BARRIER);
    }

    @Override
    int barrier(Warp w, int lane) {
      return -1;
    }

    abstract boolean isOver(Warp w, int lane);
  }

  /** {@code barrier.cluster.wait}. */
  static final class ClusterWait extends Wait {
    @Override
    boolean isOver(Warp w, int lane) {
      return w.passesCluster(lane);
    }

    @Override
    void run(Warp w, int lanes) {
      w.passedCluster(lanes);
    }
  }

  /** {@code bar.sync}, and {@code bar.red.or}, whose predicate {@code any} is whether {@code mine} holds anywhere. */
  static final class Barrier extends Instruction {
    private final int id;
    private final int threads;
    private final int any;
    private final int mine;

    Barrier(int id, int threads) {
      this(id, threads, -1, -1);
    }

    Barrier(int id, int threads, int any, int mine) {
      super(Kind.BARRIER);
      this.id = id;
      this.threads = threads;
      this.any = any;
      this.mine = mine;
    }

    @Override
    boolean holds(Warp w, int lane) {
      return mine >= 0 && w.registers[mine + lane] != 0;
    }

    @Override
    void met(Warp w, int lane, boolean anywhere) {
      if (any >= 0) {
        w.registers[any + lane] = anywhere ? 1 : 0;
      }
    }

    @Override
    void run(Warp w, int lanes) {
      throw new IllegalStateException("barriers are the block's");
    }

    @Override
    int barrier(Warp w, int lane) {
      return (int) w.registers[id + lane];
    }

    @Override
    int barrierThreads(Warp w, int lane) {
      return threads < 0 ? 0 : (int) w.registers[threads + lane];
    }
  }

  /** {@code bra}, {@code exit} and {@code ret}: the warp does them. */
  static final class Flow extends Instruction {
    Flow(Kind kind) {
      super(kind);
    }

    @Override
    void run(Warp w, int lanes) {
      throw new IllegalStateException("control flow is the warp's");
    }
  }
}
