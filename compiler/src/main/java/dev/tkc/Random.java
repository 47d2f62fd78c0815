package dev.tkc;

import dev.tkc.ir.num.Philox;
import dev.tkc.ir.type.Element;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;

/**
 * Tensors of random numbers that are the same on every machine: element {@code i} is a function of the seed and
 * {@code i} alone, by Philox4x32-10 ({@link Philox}).
 *
 * <ul>
 *   <li>{@code normal}: {@link Philox#normal}, Box and Muller in f64 over strict arithmetic, rounded once to the
 *       element type;
 *   <li>{@code uniform}: {@link Philox#uniform} at offset {@code i}, in [0, 1), rounded once to the element type;
 *   <li>{@code integers}: {@code lo + (w · (hi − lo)) / 2⁶⁴} for the 64-bit number {@code w} made of the words at
 *       offsets {@code 2i} (low) and {@code 2i + 1}, so {@code hi} is excluded.
 * </ul>
 */
public final class Random {
  private static final long CHUNK = 1 << 14;

  private Random() {}

  /** Standard normal numbers: the language's {@code randn}. */
  public static Tensor normal(long seed, Element element, long... shape) {
    Tensor t = Tensor.zeros(element, shape);
    each(t, i -> t.setNumber(i, Philox.normal(seed, i)));
    return t;
  }

  /** Uniform numbers in [0, 1): the language's {@code rand}. */
  public static Tensor uniform(long seed, Element element, long... shape) {
    Tensor t = Tensor.zeros(element, shape);
    each(t, i -> t.setNumber(i, Philox.uniform(seed, i)));
    return t;
  }

  /** Whole numbers in [lo, hi): the language's {@code randint}. {@code hi} must exceed {@code lo}. */
  public static Tensor integers(long seed, long lo, long hi, Element element, long... shape) {
    if (hi <= lo) {
      throw new IllegalArgumentException("no whole number lies in [" + lo + ", " + hi + ")");
    }
    Tensor t = Tensor.zeros(element, shape);
    each(t, i -> t.setInteger(i, lo + Math.unsignedMultiplyHigh(word64(seed, i), hi - lo)));
    return t;
  }

  private static long word64(long seed, long i) {
    return Philox.word(seed, 2 * i) & 0xffffffffL | (long) Philox.word(seed, 2 * i + 1) << 32;
  }

  /** Runs over all positions on every core. Chunks are whole bytes, so that 4-bit elements never meet in one byte. */
  private static void each(Tensor t, LongConsumer body) {
    long count = t.count();
    LongStream.range(0, (count + CHUNK - 1) / CHUNK)
        .parallel()
        .forEach(
            chunk -> {
              long end = Math.min(count, (chunk + 1) * CHUNK);
              for (long i = chunk * CHUNK; i < end; i++) {
                body.accept(i);
              }
            });
  }
}
