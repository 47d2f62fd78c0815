package dev.tkc.fuzz;

import dev.tkc.fuzz.DeviceComparison.Difference;
import java.time.Duration;
import java.util.Optional;

/**
 * Makes a failing program small: takes the first of its smaller programs that still fails in the same way, again and
 * again, until none does or the time is over. Weights fall with every step, so it ends.
 */
final class Shrinker {
  private final DeviceComparison comparison;
  private final Duration limit;

  Shrinker(DeviceComparison comparison, Duration limit) {
    this.comparison = comparison;
    this.limit = limit;
  }

  Difference shrink(Difference failing) {
    long end = System.nanoTime() + limit.toNanos();
    Difference smallest = failing;
    while (true) {
      Optional<Difference> next = step(smallest, end);
      if (next.isEmpty()) {
        return smallest;
      }
      smallest = next.get();
    }
  }

  private Optional<Difference> step(Difference failing, long end) {
    for (RandomProgram p : failing.program().smaller()) {
      if (System.nanoTime() > end) {
        return Optional.empty();
      }
      if (p.weight() < failing.program().weight()) {
        Optional<Difference> d = comparison.compare(p).filter(x -> x.kind().equals(failing.kind()));
        if (d.isPresent()) {
          return d;
        }
      }
    }
    return Optional.empty();
  }
}
