package dev.tkc.passes.analysis;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Value;
import dev.tkc.ir.type.Element;
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

  /** Computes it where the builder stands. */
  public Value emit(Builder b) {
    Value sum = null;
    for (Map.Entry<Value, Long> t : terms.entrySet()) {
      // Forms look through casts: a number read from an i32 tensor stands in them as it was read.
      Value value = t.getKey().tile().element() == Element.I64 ? t.getKey() : b.cast(t.getKey(), Element.I64);
      Value term = Math.abs(t.getValue()) == 1 ? value : b.mul(value, b.constant(Math.abs(t.getValue())));
      sum = sum == null ? (t.getValue() > 0 ? term : b.sub(b.constant(0), term))
          : t.getValue() > 0 ? b.add(sum, term) : b.sub(sum, term);
    }
    return sum == null ? b.constant(constant) : constant == 0 ? sum : b.add(sum, b.constant(constant));
  }
}
