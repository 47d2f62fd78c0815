package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;

/**
 * One access to a slot of shared memory: whoever has {@code time} of {@code part} in its clock knows that it is done.
 *
 * @param team the warps that made or started it
 */
record Access(Kind kind, Team team, Inst inst, int part, long time) {
  /** How the access reaches memory, and so what it takes for others to come after it. */
  enum Kind {
    /** By the threads themselves. */
    ORDINARY,
    /** A copy that each thread makes for itself, until a wait covers it. */
    THREAD_COPY,
    BULK_COPY,
    BULK_STORE,
    DOT;

    /** Whether it goes through the proxy of the copy engine and the matrix unit. */
    boolean isAsynchronous() {
      return this == BULK_COPY || this == BULK_STORE || this == DOT;
    }
  }

  boolean isKnown(Clock clock) {
    return clock.knows(part, time);
  }
}
