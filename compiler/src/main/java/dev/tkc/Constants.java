package dev.tkc;

import java.util.LinkedHashMap;
import java.util.Map;

/** Values for a kernel's constants, by name: whole numbers, floats or booleans. Immutable. */
public record Constants(Map<String, Object> values) {
  private static final Constants NONE = new Constants(Map.of());

  public Constants {
    Map<String, Object> copy = new LinkedHashMap<>();
    values.forEach((name, value) -> copy.put(name, normal(name, value)));
    values = java.util.Collections.unmodifiableMap(copy);
  }

  /** No constant is given: each has its own value, or the tensors bind it. */
  public static Constants none() {
    return NONE;
  }

  public static Constants of(String name, Object value) {
    return new Constants(Map.of(name, value));
  }

  /** The same and one more. */
  public Constants and(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(values);
    more.put(name, value);
    return new Constants(more);
  }

  private static Object normal(String name, Object value) {
    return switch (value) {
      case Long _, Boolean _, Double _ -> value;
      case Integer n -> Long.valueOf(n);
      case Float x -> Double.valueOf(x);
      default -> throw new IllegalArgumentException("the constant " + name + " cannot be " + value);
    };
  }
}
