package dev.tkc.tests.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A block's shared memory. Between two barriers (an epoch) a byte that one warp writes may be neither read nor written
 * with another value by another warp; a byte that a copy is on its way to may not be touched at all. Bytes begin as all
 * ones, which is a NaN in every float format, so that what was never written shows.
 */
final class SharedMemory {
  private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int MANY = 255;
  /** The bits of a generic address that say where in a block's shared memory; those above say in whose. */
  static final long OFFSET = 0xFFFFFFFFL;

  private final byte[] data;
  /** Per four-byte word, epoch · 256 + warp of its last write and of its reads. */
  private final int[] writers;
  private final int[] readers;
  private final byte[] flying;
  private int epoch = 1;

  SharedMemory(int bytes) {
    data = new byte[bytes];
    writers = new int[bytes];
    readers = new int[bytes];
    flying = new byte[bytes];
    clear();
  }

  void clear() {
    Arrays.fill(data, (byte) 0xFF);
    Arrays.fill(flying, (byte) 0);
    epoch++;
  }

  void nextEpoch() {
    epoch++;
  }

  static long get(byte[] data, int at, int bytes) {
    return switch (bytes) {
      case 1 -> data[at] & 0xFFL;
      case 2 -> (short) SHORT.get(data, at) & 0xFFFFL;
      case 4 -> (int) INT.get(data, at) & 0xFFFFFFFFL;
      case 8 -> (long) LONG.get(data, at);
      default -> throw new IllegalStateException(bytes + " bytes");
    };
  }

  static void set(byte[] data, int at, int bytes, long value) {
    switch (bytes) {
      case 1 -> data[at] = (byte) value;
      case 2 -> SHORT.set(data, at, (short) value);
      case 4 -> INT.set(data, at, (int) value);
      case 8 -> LONG.set(data, at, value);
      default -> throw new IllegalStateException(bytes + " bytes");
    }
  }

  long load(long address, int bytes, Warp w) {
    int at = range(address, bytes);
    int mine = epoch << 8 | w.id();
    for (int i = at; i < at + bytes; i++) {
      if (flying[i] != 0) {
        throw new PtxFault("reads shared byte " + i + ", to which a copy is under way");
      }
      if (writers[i] >>> 8 == epoch && writers[i] != mine) {
        throw new PtxFault("reads shared byte " + i + ", which warp " + (writers[i] & 255)
            + " has written since the last barrier");
      }
      readers[i] = readers[i] >>> 8 == epoch && readers[i] != mine ? epoch << 8 | MANY : mine;
    }
    return get(data, at, bytes);
  }

  void store(long address, int bytes, long value, Warp w) {
    int at = range(address, bytes);
    for (int i = 0; i < bytes; i++) {
      claim(at + i, data[at + i] == (byte) (value >>> 8 * i), w);
    }
    set(data, at, bytes, value);
  }

  /** An atomic operation may meet others of its kind. */
  long peek(long address, int bytes) {
    return get(data, range(address, bytes), bytes);
  }

  void poke(long address, int bytes, long value) {
    set(data, range(address, bytes), bytes, value);
  }

  private void claim(int i, boolean same, Warp w) {
    int mine = epoch << 8 | w.id();
    if (flying[i] != 0) {
      throw new PtxFault("writes shared byte " + i + ", to which a copy is under way");
    }
    if (readers[i] >>> 8 == epoch && readers[i] != mine) {
      throw new PtxFault("writes shared byte " + i + ", which warp " + (readers[i] & 255)
          + " (255: several) has read since the last barrier");
    }
    if (writers[i] >>> 8 == epoch && writers[i] != mine && !same) {
      throw new PtxFault("writes shared byte " + i + ", which warp " + (writers[i] & 255)
          + " has written with another value since the last barrier");
    }
    writers[i] = mine;
  }

  /** A copy sets out to these bytes. */
  void depart(long address, int bytes, Warp w) {
    int at = range(address, bytes);
    for (int i = at; i < at + bytes; i++) {
      claim(i, false, w);
      flying[i] = 1;
      data[i] = (byte) 0xFF;
    }
  }

  void land(int at, byte[] bytes, Warp w) {
    for (int i = 0; i < bytes.length; i++) {
      flying[at + i] = 0;
      claim(at + i, true, w);
      data[at + i] = bytes[i];
    }
  }

  /** A bulk copy sets out to these bytes. */
  void depart(long address, int bytes) {
    int at = range(address, bytes);
    for (int i = at; i < at + bytes; i++) {
      if (flying[i] != 0) {
        throw new PtxFault("two copies on their way to shared byte " + i);
      }
      flying[i] = 1;
      data[i] = (byte) 0xFF;
    }
  }

  /** What a bulk copy brings. */
  void arrive(long address, int bytes, long value) {
    int at = range(address, bytes);
    Arrays.fill(flying, at, at + bytes, (byte) 0);
    set(data, at, bytes, value);
  }

  /** What the copy engine or a product reads. */
  long settled(long address, int bytes) {
    int at = range(address, bytes);
    if (flying[at] != 0) {
      throw new PtxFault("reads shared byte " + at + ", to which a copy is under way");
    }
    return get(data, at, bytes);
  }

  private int range(long address, int bytes) {
    if (address < 0 || address + bytes > data.length) {
      throw new PtxFault("shared address " + address + " (+" + bytes + ") of " + data.length + " bytes");
    }
    return (int) address;
  }
}
