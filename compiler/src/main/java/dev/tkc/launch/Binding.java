package dev.tkc.launch;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One launch, understood: its arguments in the order of the parameters, and the value of every constant ({@code Long},
 * {@code Double} or {@code Boolean}), size and stride that the kernel's head names, each in the order of first
 * appearance. A size that is a constant is among the constants only.
 */
public record Binding(
    List<Argument> arguments, Map<String, Object> constants, Map<String, Long> sizes, Map<String, Long> strides) {

  /** The value of a size or stride. */
  public Optional<Long> size(String name) {
    return Optional.ofNullable(sizes.getOrDefault(name, strides.get(name)));
  }
}
