package dev.tkc.passes.analysis;

import dev.tkc.ir.Value;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code constant + Σ factor · value} over i64 scalars. Values stand for themselves, by identity. */
public record Affine(long constant, Map<Value, Long> terms) {
  private static final Affine ZERO = of(0);

  public static Affine of(long constant) {
    return new Affine(constant, Map.of());
  }

  public static Affine of(Value v) {
    return new Affine(0, Map.of(v, 1L));
  }

  public static Affine zero() {
    return ZERO;
  }

  public boolean isConstant() {
    return terms.isEmpty();
  }

  public long factor(Value v) {
    return terms.getOrDefault(v, 0L);
  }

  public Affine plus(long c) {
    return new Affine(constant + c, terms);
  }

  public Affine plus(Affine other) {
    return plus(other, 1);
  }

  public Affine minus(Affine other) {
    return plus(other, -1);
  }

  /** {@code this + factor · other}. */
  public Affine plus(Affine other, long factor) {
    Map<Value, Long> sum = new LinkedHashMap<>(terms);
    other.terms.forEach((v, k) -> {
      long f = sum.getOrDefault(v, 0L) + k * factor;
      if (f == 0) {
        sum.remove(v);
      } else {
        sum.put(v, f);
      }
    });
    return new Affine(constant + other.constant * factor, sum);
  }

  public Affine times(long factor) {
    return ZERO.plus(this, factor);
  }

  /** With {@code by} in place of a value. */
  public Affine replace(Value v, Affine by) {
    long k = factor(v);
    return plus(of(v), -k).plus(by, k);
  }
}
