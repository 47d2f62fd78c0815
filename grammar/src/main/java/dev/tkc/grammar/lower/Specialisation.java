package dev.tkc.grammar.lower;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a kernel is lowered for.
 *
 * @param constants the value of every constant: {@code Long}, {@code Double} or {@code Boolean}
 * @param divisibility by name of a run-time dimension, stride, integer parameter or tensor: a power of two, at most
 *     128, that divides its value, or its address in bytes; 1 where absent
 * @param schedule what the schedule says besides constants
 */
public record Specialisation(Map<String, Object> constants, Map<String, Integer> divisibility, Schedule schedule) {
  public Specialisation {
    constants = Map.copyOf(constants);
    divisibility = Map.copyOf(divisibility);
  }

  public static Specialisation of(Map<String, Object> constants) {
    return new Specialisation(constants, Map.of(), Schedule.NONE);
  }

  /**
   * A schedule's settings as annotations: of the function, and of the phases with a label.
   *
   * @param constants the tile constants it gives, which a call's own values overrule
   */
  public record Schedule(Map<String, Object> constants, Map<String, Object> function,
      Map<String, Map<String, Object>> phases) {
    public static final Schedule NONE = new Schedule(Map.of(), Map.of(), Map.of());

    public Schedule {
      constants = Map.copyOf(constants);
      function = Map.copyOf(function);
      phases = Map.copyOf(phases);
    }
  }

  /** The largest power of two, at most {@code limit}, that divides {@code n}; {@code limit} for 0. */
  public static int powerOfTwo(long n, int limit) {
    long low = Long.lowestOneBit(n);
    return n == 0 || low > limit || low < 0 ? limit : (int) low;
  }

  /** A text that is equal for equal specialisations, for caches. */
  public String key() {
    return new TreeMap<>(constants) + " " + new TreeMap<>(divisibility) + " " + new TreeMap<>(schedule.function()) + " "
        + new TreeMap<>(schedule.phases());
  }
}
