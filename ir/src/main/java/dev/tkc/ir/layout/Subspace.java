package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;

/** A subspace of GF(2)ⁿ, given by independent vectors in the order they were found. Immutable. */
public record Subspace(int dimension, List<Long> basis) {
  public Subspace {
    basis = List.copyOf(basis);
    if (!Gf2.of(dimension, basis).isInjective()) {
      throw new IllegalStateException("dependent basis " + basis);
    }
  }

  /** The span of the vectors; dependent ones are left out. */
  public static Subspace span(int dimension, List<Long> vectors) {
    return new Subspace(dimension, List.of()).plus(vectors);
  }

  public static Subspace whole(int dimension) {
    List<Long> unit = new ArrayList<>();
    for (int i = 0; i < dimension; i++) {
      unit.add(1L << i);
    }
    return new Subspace(dimension, unit);
  }

  public int size() {
    return basis.size();
  }

  public boolean contains(long vector) {
    return Gf2.of(dimension, basis).solve(vector).isPresent();
  }

  /** The sum with the span of the vectors; this subspace's basis comes first. */
  public Subspace plus(List<Long> vectors) {
    List<Long> all = new ArrayList<>(basis);
    all.addAll(vectors);
    long dependent = dependent(all);
    List<Long> independent = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      if ((dependent >> i & 1) == 0) {
        independent.add(all.get(i));
      }
    }
    return new Subspace(dimension, independent);
  }

  public Subspace plus(Subspace other) {
    return plus(other.basis);
  }

  public Subspace intersect(Subspace other) {
    List<Long> common = new ArrayList<>();
    Gf2 both = Gf2.of(dimension, basis).beside(Gf2.of(dimension, other.basis));
    long mine = (1L << basis.size()) - 1;
    for (long relation : both.kernel()) {
      common.add(Gf2.of(dimension, basis).apply(relation & mine));
    }
    return span(dimension, common);
  }

  /** Vectors of {@code larger} that complete this basis to one of the sum of both. */
  public List<Long> extensionTo(Subspace larger) {
    return plus(larger).basis.subList(basis.size(), plus(larger).size());
  }

  /**
   * A subspace, as large as there is, that meets neither {@code a} nor {@code b} (but in zero): what lies outside their
   * sum, and the pairwise sums of what only one of them holds.
   */
  public static Subspace avoidingBoth(Subspace a, Subspace b) {
    Subspace common = a.intersect(b);
    List<Long> onlyA = common.extensionTo(a);
    List<Long> onlyB = common.extensionTo(b);
    List<Long> found = new ArrayList<>(a.plus(b).extensionTo(whole(a.dimension)));
    for (int i = 0; i < Math.min(onlyA.size(), onlyB.size()); i++) {
      found.add(onlyA.get(i) ^ onlyB.get(i));
    }
    return new Subspace(a.dimension, found);
  }

  private long dependent(List<Long> all) {
    if (all.size() <= 63) {
      return Gf2.of(dimension, all).dependentColumns();
    }
    throw new IllegalStateException("too many vectors: " + all.size());
  }
}
