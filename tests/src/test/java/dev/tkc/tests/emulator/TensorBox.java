package dev.tkc.tests.emulator;

import java.util.List;

/**
 * A tensor map as the copy engine reads it: boxes of a tensor in global memory to and from shared memory, where 16-byte
 * pieces are exchanged by bits of their address. Dimensions are the slowest first.
 *
 * @param strides in elements
 */
record TensorBox(long address, int elementBytes, List<Long> sizes, List<Long> strides, List<Integer> box, int swizzle) {
  /** Where the hardware puts what belongs at {@code address} (PTX ISA, "Swizzling modes"). */
  static long exchanged(long address, int swizzle) {
    return switch (swizzle) {
      case 0 -> address;
      case 32 -> address ^ (address >> 7 & 1) << 4;
      case 64 -> address ^ (address >> 7 & 3) << 4;
      case 128 -> address ^ (address >> 7 & 7) << 4;
      default -> throw new PtxFault("a swizzle of " + swizzle + " bytes");
    };
  }

  long bytes() {
    return box.stream().mapToLong(n -> n).reduce(elementBytes, (a, b) -> a * b);
  }

  /** What is done with one element of a box. */
  private interface Visit {
    void element(boolean inside, long offset, long place);
  }

  private void walk(long[] origin, Visit visit) {
    int rank = sizes.size();
    int[] at = new int[rank];
    long count = bytes() / elementBytes;
    for (long i = 0; i < count; i++) {
      boolean inside = true;
      long offset = 0;
      for (int d = 0; d < rank; d++) {
        long index = origin[d] + at[d];
        inside &= index >= 0 && index < sizes.get(d);
        offset += index * strides.get(d);
      }
      visit.element(inside, offset, i * elementBytes);
      for (int d = rank - 1; d >= 0 && ++at[d] == box.get(d); d--) {
        at[d] = 0;
      }
    }
  }

  /** Copies the box at {@code origin} to shared memory from {@code to}; zeros where the tensor has no element. */
  void load(GlobalMemory global, SharedMemory shared, long[] origin, long to) {
    walk(origin, (inside, offset, place) -> shared.arrive(exchanged(to + place, swizzle), elementBytes,
        inside ? global.load(address + offset * elementBytes, elementBytes) : 0));
  }

  /** Copies from shared memory what lies inside the tensor. */
  void store(GlobalMemory global, SharedMemory shared, long[] origin, long from) {
    walk(origin, (inside, offset, place) -> {
      if (inside) {
        global.store(address + offset * elementBytes, elementBytes,
            shared.settled(exchanged(from + place, swizzle), elementBytes));
      }
    });
  }
}
