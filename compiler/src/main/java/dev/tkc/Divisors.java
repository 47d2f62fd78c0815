package dev.tkc;

import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a specialisation may take for granted about numbers that are known only at a launch: powers of two that divide
 * sizes, strides and addresses. Wider accesses than 16 bytes do not exist, so beyond 16 only 128 is told apart, and
 * only for sizes: whole tiles then need no guards. More would only make more variants.
 */
final class Divisors {
  private static final int LIMIT = 16;
  private static final int WHOLE_TILES = 128;

  private Divisors() {}

  static Map<String, Integer> of(Binding binding, List<Parameter> parameters) {
    Map<String, Integer> divisors = new HashMap<>();
    binding.sizes().forEach((name, n) -> divisors.put(name, ofSize(n)));
    binding.strides().forEach((name, n) -> divisors.put(name, Specialisation.powerOfTwo(n, LIMIT)));
    for (int i = 0; i < parameters.size(); i++) {
      // Tensors are brought to memory of the device that is aligned to 256 bytes.
      if (binding.arguments().get(i) instanceof Argument.Array) {
        divisors.put(parameters.get(i).name(), LIMIT);
      }
    }
    return divisors;
  }

  /** Ahead of a launch: sizes as given, and addresses as every allocator aligns them. */
  static Map<String, Integer> ofSizes(Map<String, Object> sizes, List<Parameter> parameters) {
    Map<String, Integer> divisors = new HashMap<>();
    sizes.forEach((name, n) -> {
      if (n instanceof Long size) {
        divisors.put(name, ofSize(size));
      }
    });
    parameters.stream().filter(Parameter::tensor).forEach(p -> divisors.put(p.name(), LIMIT));
    return divisors;
  }

  private static int ofSize(long n) {
    int divisor = Specialisation.powerOfTwo(n, WHOLE_TILES);
    return divisor == WHOLE_TILES ? divisor : Math.min(divisor, LIMIT);
  }
}
