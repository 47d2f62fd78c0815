package dev.tkc.ir.interp;

import java.util.Arrays;

/**
 * A vector clock: for each part of a block's doings how much of it is known to have been done. What a part counts is
 * said where the part is made ({@link Team}, {@link BarrierSlot}); a time that is {@link #NEVER} is known to nobody.
 */
final class Clock {
  static final long NEVER = Long.MAX_VALUE;

  private long[] times = new long[8];

  Clock() {}

  Clock(Clock other) {
    times = other.times.clone();
  }

  long of(int part) {
    return part < times.length ? times[part] : 0;
  }

  boolean knows(int part, long time) {
    return of(part) >= time;
  }

  void raise(int part, long time) {
    if (part >= times.length) {
      times = Arrays.copyOf(times, Math.max(part + 1, 2 * times.length));
    }
    times[part] = Math.max(times[part], time);
  }

  void join(Clock other) {
    for (int i = 0; i < other.times.length; i++) {
      if (other.times[i] > 0) {
        raise(i, other.times[i]);
      }
    }
  }
}
