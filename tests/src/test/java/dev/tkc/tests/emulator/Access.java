package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Registers.Address;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * A load or a store. When the machine profiles, it counts how many 32-byte sectors of global memory and how many turns
 * of the shared memory's banks its executions took, and how many they would have taken at best.
 */
final class Access extends Instruction {
  enum Space { GENERIC, GLOBAL, SHARED, LOCAL, PARAM }

  private static final int SECTOR = 32;
  private static final int BANKS = 32;

  final Space space;
  final boolean store;
  private final int[] values;
  private final int[] widths;
  private final Address address;
  private final PtxType type;
  private final int bytes;
  long taken;
  long best;

  Access(Space space, boolean store, int[] values, int[] widths, Address address, PtxType type) {
    super(Kind.PLAIN);
    this.space = space;
    this.store = store;
    this.values = values;
    this.widths = widths;
    this.address = address;
    this.type = type;
    this.bytes = type.bytes();
  }

  /** Bytes that one lane moves. */
  int bytesPerLane() {
    return bytes * values.length;
  }

  @Override
  void run(Warp w, int lanes) {
    if (w.block.profiles()) {
      count(w, lanes);
    }
    for (int m = lanes; m != 0; m &= m - 1) {
      int l = Integer.numberOfTrailingZeros(m);
      long at = w.registers[address.base() + l] + address.offset();
      if (at % bytesPerLane() != 0) {
        throw new PtxFault("address " + Long.toHexString(at) + " of lane " + l + " is no multiple of "
            + bytesPerLane());
      }
      for (int i = 0; i < values.length; i++, at += bytes) {
        if (store) {
          write(w, l, at, w.registers[values[i] + l] & type.mask());
        } else {
          long raw = read(w, l, at);
          w.registers[values[i] + l] = type.isSigned() ? type.integer(raw) & mask(widths[i]) : raw;
        }
      }
    }
  }

  private static long mask(int width) {
    return width == 64 ? -1L : (1L << width) - 1;
  }

  private long read(Warp w, int lane, long at) {
    return switch (where(at)) {
      case SHARED -> w.block.cluster().shared(w.block, at).load(at & SharedMemory.OFFSET, bytes, w);
      case LOCAL -> SharedMemory.get(w.local(lane), (int) (at & ~GlobalMemory.LOCAL_WINDOW), bytes);
      case PARAM -> SharedMemory.get(w.block.parameters(), (int) at, bytes);
      case GLOBAL, GENERIC -> w.block.memory().load(at, bytes);
    };
  }

  private void write(Warp w, int lane, long at, long value) {
    switch (where(at)) {
      case SHARED -> w.block.cluster().shared(w.block, at).store(at & SharedMemory.OFFSET, bytes, value, w);
      case LOCAL -> SharedMemory.set(w.local(lane), (int) (at & ~GlobalMemory.LOCAL_WINDOW), bytes, value);
      case PARAM -> throw new PtxFault("a store to a parameter");
      case GLOBAL, GENERIC -> w.block.memory().store(at, bytes, value);
    }
  }

  private Space where(long at) {
    if (space != Space.GENERIC) {
      return space;
    }
    long window = at >>> GlobalMemory.WINDOW_BITS << GlobalMemory.WINDOW_BITS;
    return window == GlobalMemory.SHARED_WINDOW ? Space.SHARED : window == GlobalMemory.LOCAL_WINDOW ? Space.LOCAL
        : Space.GLOBAL;
  }

  private void count(Warp w, int lanes) {
    long[] at = new long[32];
    int n = 0;
    for (int m = lanes; m != 0; m &= m - 1) {
      at[n++] = w.registers[address.base() + Integer.numberOfTrailingZeros(m)] + address.offset();
    }
    if (space == Space.GLOBAL) {
      taken += Arrays.stream(at, 0, n).flatMap(a -> LongStream.rangeClosed(a / SECTOR,
          (a + bytesPerLane() - 1) / SECTOR)).distinct().count();
      long distinct = Arrays.stream(at, 0, n).distinct().count();
      best += Math.ceilDiv(distinct * bytesPerLane(), SECTOR);
    } else if (space == Space.SHARED) {
      int together = Math.max(1, Math.min(32, 128 / bytesPerLane()));
      for (int from = 0; from < n; from += together) {
        taken += turns(at, from, Math.min(n, from + together), bytesPerLane());
        best++;
      }
    }
  }

  /** The most different words that one bank is asked for. */
  static long turns(long[] at, int from, int to, int bytes) {
    long[] words = Arrays.stream(at, from, to).flatMap(a -> LongStream.rangeClosed(a / 4,
        (a + bytes - 1) / 4)).distinct().toArray();
    int[] load = new int[BANKS];
    for (long word : words) {
      load[(int) (word % BANKS)]++;
    }
    return Arrays.stream(load).max().orElse(0);
  }
}
