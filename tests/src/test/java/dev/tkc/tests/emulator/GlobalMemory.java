package dev.tkc.tests.emulator;

import java.util.ArrayList;
import java.util.List;

/**
 * Global memory: allocations far apart, so that an address past the end of one hits no other. Windows of the generic
 * address space for shared and local memory and for parameters come first.
 */
final class GlobalMemory {
  static final int WINDOW_BITS = 40;
  static final long SHARED_WINDOW = 1L << WINDOW_BITS;
  static final long LOCAL_WINDOW = 2L << WINDOW_BITS;
  static final long PARAM_WINDOW = 3L << WINDOW_BITS;
  private static final int FIRST = 4;

  private final List<byte[]> allocations = new ArrayList<>();

  /** Makes an array reachable; its address is a multiple of 256. */
  long map(byte[] bytes) {
    allocations.add(bytes);
    return (long) (FIRST + allocations.size() - 1) << WINDOW_BITS;
  }

  byte[] array(long address, int bytes) {
    int number = (int) (address >>> WINDOW_BITS) - FIRST;
    long offset = offset(address);
    if (number < 0 || number >= allocations.size() || offset + bytes > allocations.get(number).length) {
      throw new PtxFault("global address " + Long.toHexString(address) + " (+" + bytes + ") is outside: "
          + (number < 0 || number >= allocations.size() ? "no allocation is near"
              : "offset " + offset + " in allocation " + number + " of " + allocations.get(number).length + " bytes"));
    }
    return allocations.get(number);
  }

  static int offset(long address) {
    long offset = address & (1L << WINDOW_BITS) - 1;
    return offset > Integer.MAX_VALUE - 64 ? Integer.MAX_VALUE - 64 : (int) offset;
  }

  long load(long address, int bytes) {
    return SharedMemory.get(array(address, bytes), offset(address), bytes);
  }

  void store(long address, int bytes, long value) {
    SharedMemory.set(array(address, bytes), offset(address), bytes, value);
  }
}
