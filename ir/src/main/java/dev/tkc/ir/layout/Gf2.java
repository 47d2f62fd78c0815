package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A matrix over GF(2), at most 63 by 63, held as columns: column {@code i} is the image of input bit {@code i}, and the
 * image of any input is the exclusive or of the columns of its set bits. Immutable.
 */
public final class Gf2 {
  private final int rows;
  private final long[] columns;

  private Gf2(int rows, long[] columns) {
    if (rows > 63 || columns.length > 63) {
      throw new IllegalStateException("GF(2) matrix too large: " + rows + " by " + columns.length);
    }
    for (long c : columns) {
      if (c >>> rows != 0) {
        throw new IllegalStateException("column " + c + " does not fit " + rows + " rows");
      }
    }
    this.rows = rows;
    this.columns = columns;
  }

  public static Gf2 of(int rows, long... columns) {
    return new Gf2(rows, columns.clone());
  }

  public static Gf2 of(int rows, List<Long> columns) {
    return new Gf2(rows, columns.stream().mapToLong(Long::longValue).toArray());
  }

  public static Gf2 identity(int n) {
    long[] columns = new long[n];
    for (int i = 0; i < n; i++) {
      columns[i] = 1L << i;
    }
    return new Gf2(n, columns);
  }

  public int rows() {
    return rows;
  }

  public int columnCount() {
    return columns.length;
  }

  public long column(int i) {
    return columns[i];
  }

  public long apply(long x) {
    long y = 0;
    for (long rest = x; rest != 0; rest &= rest - 1) {
      y ^= columns[Long.numberOfTrailingZeros(rest)];
    }
    return y;
  }

  /** The product: first {@code inner}, then this. */
  public Gf2 times(Gf2 inner) {
    if (inner.rows != columns.length) {
      throw new IllegalStateException("cannot multiply: " + columns.length + " columns with " + inner.rows + " rows");
    }
    long[] product = new long[inner.columns.length];
    for (int i = 0; i < product.length; i++) {
      product[i] = apply(inner.columns[i]);
    }
    return new Gf2(rows, product);
  }

  /** This matrix's columns followed by those of {@code right}. */
  public Gf2 beside(Gf2 right) {
    if (right.rows != rows) {
      throw new IllegalStateException("cannot join: " + rows + " rows beside " + right.rows);
    }
    long[] joined = Arrays.copyOf(columns, columns.length + right.columns.length);
    System.arraycopy(right.columns, 0, joined, columns.length, right.columns.length);
    return new Gf2(rows, joined);
  }

  public Gf2 columns(int from, int to) {
    return new Gf2(rows, Arrays.copyOfRange(columns, from, to));
  }

  /** Rows {@code from} (inclusive) to {@code to}, as a matrix of its own. */
  public Gf2 rows(int from, int to) {
    long mask = (1L << (to - from)) - 1;
    return new Gf2(to - from, Arrays.stream(columns).map(c -> (c >>> from) & mask).toArray());
  }

  public int rank() {
    return columns.length - Long.bitCount(dependentColumns());
  }

  public boolean isInjective() {
    return dependentColumns() == 0;
  }

  public boolean isSurjective() {
    return rank() == rows;
  }

  /** The columns that earlier columns already span; an input bit among them adds only duplicates. */
  public long dependentColumns() {
    Echelon echelon = new Echelon();
    long mask = 0;
    for (int i = 0; i < columns.length; i++) {
      if (echelon.reduce(columns[i], 1L << i) != 0) {
        mask |= 1L << i;
      }
    }
    return mask;
  }

  /** Some input that gives {@code y}: the one that leaves every dependent column out. */
  public Optional<Long> solve(long y) {
    return echelon().solve(y);
  }

  /** A basis of the inputs that give zero. */
  public List<Long> kernel() {
    Echelon echelon = new Echelon();
    List<Long> kernel = new ArrayList<>();
    for (int i = 0; i < columns.length; i++) {
      long relation = echelon.reduce(columns[i], 1L << i);
      if (relation != 0) {
        kernel.add(relation);
      }
    }
    return kernel;
  }

  public Gf2 inverse() {
    if (rows != columns.length || !isInjective()) {
      throw new IllegalStateException("not invertible: " + this);
    }
    return rightInverse();
  }

  /** The map R with {@code this ∘ R} the identity, zero in every dependent column; this must be surjective. */
  public Gf2 rightInverse() {
    Echelon echelon = echelon();
    long[] inverse = new long[rows];
    for (int i = 0; i < rows; i++) {
      inverse[i] = echelon.solve(1L << i).orElseThrow(() -> new IllegalStateException("not surjective: " + this));
    }
    return new Gf2(columns.length, inverse);
  }

  /** The map X with {@code this ∘ X = target}, or nothing where a column of the target is out of reach. */
  public Optional<Gf2> factor(Gf2 target) {
    Echelon echelon = echelon();
    long[] factors = new long[target.columns.length];
    for (int i = 0; i < factors.length; i++) {
      Optional<Long> x = echelon.solve(target.columns[i]);
      if (x.isEmpty()) {
        return Optional.empty();
      }
      factors[i] = x.get();
    }
    return Optional.of(new Gf2(columns.length, factors));
  }

  private Echelon echelon() {
    Echelon echelon = new Echelon();
    for (int i = 0; i < columns.length; i++) {
      echelon.reduce(columns[i], 1L << i);
    }
    return echelon;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Gf2 other && rows == other.rows && Arrays.equals(columns, other.columns);
  }

  @Override
  public int hashCode() {
    return 31 * rows + Arrays.hashCode(columns);
  }

  @Override
  public String toString() {
    return rows + "x" + columns.length + Arrays.toString(columns);
  }

  /** Vectors in echelon form by leading bit, each with the combination of inputs that makes it. */
  private static final class Echelon {
    private final long[] vectors = new long[64];
    private final long[] inputs = new long[64];

    /** Adds the vector; returns the relation it completes where it is dependent (its own input included), else 0. */
    long reduce(long vector, long input) {
      long v = vector;
      long x = input;
      while (v != 0) {
        int lead = 63 - Long.numberOfLeadingZeros(v);
        if (vectors[lead] == 0) {
          vectors[lead] = v;
          inputs[lead] = x;
          return 0;
        }
        v ^= vectors[lead];
        x ^= inputs[lead];
      }
      return x;
    }

    Optional<Long> solve(long y) {
      long v = y;
      long x = 0;
      while (v != 0) {
        int lead = 63 - Long.numberOfLeadingZeros(v);
        if (vectors[lead] == 0) {
          return Optional.empty();
        }
        v ^= vectors[lead];
        x ^= inputs[lead];
      }
      return Optional.of(x);
    }
  }
}
