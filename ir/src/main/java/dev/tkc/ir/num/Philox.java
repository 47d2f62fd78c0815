package dev.tkc.ir.num;

/**
 * Philox4x32-10, the counter-based random generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3" (SC 2011). Stateless: a word is a function of seed and offset.
 */
public final class Philox {
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private Philox() {}

  /** The four words at a counter of four words under a key of two; {@code counter} is left as it is. */
  public static int[] block(int[] counter, int key0, int key1) {
    int[] out = counter.clone();
    rounds(out, key0, key1);
    return out;
  }

  /** Word {@code offset mod 4} at counter {@code floor(offset / 4)}; the key is the seed's low and high half. */
  public static int word(long seed, long offset) {
    long counter = offset >> 2;
    int[] out = {(int) counter, (int) (counter >>> 32), 0, 0};
    rounds(out, (int) seed, (int) (seed >>> 32));
    return out[(int) (offset & 3)];
  }

  /** In [0, 1): the top 24 bits of the word, times 2^-24. */
  public static float uniform(long seed, long offset) {
    return uniform(word(seed, offset));
  }

  /** In [0, 1): the top 24 bits of a word, times 2^-24. */
  public static float uniform(int word) {
    return (word >>> 8) * 0x1p-24f;
  }

  /**
   * Standard normal number {@code index} of a seed, by Box and Muller in f64: pair {@code floor(index / 2)} is made
   * from the four words at that counter, as two 53-bit uniforms, one in (0, 1] for the radius and one in [0, 1) for the
   * angle.
   */
  public static double normal(long seed, long index) {
    long counter = index >> 1;
    int[] w = {(int) counter, (int) (counter >>> 32), 0, 0};
    rounds(w, (int) seed, (int) (seed >>> 32));
    double radius = StrictMath.sqrt(-2 * StrictMath.log((bits53(w[0], w[1]) + 1) * 0x1p-53));
    double angle = 2 * Math.PI * (bits53(w[2], w[3]) * 0x1p-53);
    return radius * ((index & 1) == 0 ? StrictMath.cos(angle) : StrictMath.sin(angle));
  }

  private static double bits53(int high, int low) {
    return ((high & 0xffffffffL) << 32 | low & 0xffffffffL) >>> 11;
  }

  private static void rounds(int[] c, int key0, int key1) {
    int k0 = key0;
    int k1 = key1;
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = MULTIPLIER_0 * (c[0] & 0xffffffffL);
      long p1 = MULTIPLIER_1 * (c[2] & 0xffffffffL);
      int c1 = c[1];
      int c3 = c[3];
      c[0] = (int) (p1 >>> 32) ^ c1 ^ k0;
      c[1] = (int) p1;
      c[2] = (int) (p0 >>> 32) ^ c3 ^ k1;
      c[3] = (int) p0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
  }
}
