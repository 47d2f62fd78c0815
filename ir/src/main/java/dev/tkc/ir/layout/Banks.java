package dev.tkc.ir.layout;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The banks of a target's shared memory: words of {@code wordBytes} go round {@code count} banks, and a warp's access
 * of a given width is served in phases. A phase is the set of lanes spanned by {@code lanes} (a subspace of lane
 * numbers), and its cosets are the other phases. Within a phase two different words of one bank conflict.
 */
public record Banks(int count, int wordBytes, List<Phase> phases) {
  /** Accesses of up to {@code bytes} per lane are served together for the span of these lane numbers. */
  public record Phase(int bytes, List<Integer> lanes) {
    public Phase {
      lanes = List.copyOf(lanes);
    }
  }

  public Banks {
    phases = List.copyOf(phases);
  }

  /** 32 banks of 4 bytes; a warp's 8-byte accesses go by half warps, its 16-byte accesses by quarter warps. */
  public static final Banks BY_128_BYTES = new Banks(32, 4, List.of(
      new Phase(4, List.of(1, 2, 4, 8, 16)), new Phase(8, List.of(1, 2, 4, 8)), new Phase(16, List.of(1, 2, 4))));

  /** 64 banks of 4 bytes, waves of 64; the lanes of a 16-byte phase are those measured on MI355X. */
  public static final Banks BY_256_BYTES = new Banks(64, 4, List.of(
      new Phase(4, List.of(1, 2, 4, 8, 16, 32)), new Phase(8, List.of(1, 2, 4, 8, 16)),
      new Phase(16, List.of(1, 2, 12, 20))));

  /** 32 banks of 4 bytes, waves of 64. */
  public static final Banks BY_128_BYTES_WAVE64 = new Banks(32, 4, List.of(
      new Phase(4, List.of(1, 2, 4, 8, 16)), new Phase(8, List.of(1, 2, 4, 8)), new Phase(16, List.of(1, 2, 4))));

  public Phase phase(int bytes) {
    for (Phase phase : phases) {
      if (bytes <= phase.bytes) {
        return phase;
      }
    }
    throw new IllegalStateException("no shared-memory access of " + bytes + " bytes");
  }

  /** What a warp's accesses cost: rounds through the banks, and how many they would be without conflicts. */
  public record Cost(int accesses, int rounds, int idealRounds) {
    public boolean isConflictFree() {
      return rounds == idealRounds;
    }
  }

  /**
   * The cost of a warp's accesses under the map to element places. The map is linear, so every access, phase and warp
   * meets the banks as the first does, but for an exclusive or that renames them: counting one phase is enough.
   */
  public Cost cost(Gf2 toPlace, int registerBits, int laneBits, VectorAccess access, int elementBits) {
    int bytes = Math.max(1, access.width() * elementBits / 8);
    Gf2 lanes = Gf2.of(laneBits,
        phase(bytes).lanes.stream().filter(l -> l < 1 << laneBits).map(Integer::longValue).toList());
    int[] words = new int[count];
    Set<Long> seen = new HashSet<>();
    int worst = 0;
    for (int i = 0; i < 1 << lanes.columnCount(); i++) {
      long place = toPlace.apply(access.accesses().getFirst().getFirst() | lanes.apply(i) << registerBits);
      long from = place * elementBits / 8 / wordBytes;
      long to = (place * elementBits / 8 + bytes - 1) / wordBytes;
      for (long word = from; word <= to; word++) {
        if (seen.add(word)) {
          worst = Math.max(worst, ++words[(int) (word % count)]);
        }
      }
    }
    int phases = access.accesses().size() << (laneBits - lanes.columnCount());
    return new Cost(access.accesses().size(), worst * phases, (seen.size() + count - 1) / count * phases);
  }
}
